// The relaxed body hash (RFC 6376 §3.4.4) against the canonical text written out by hand, in pieces of every size.

import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { RelaxedBody } from '../../src/trust/dkim/relaxed-body.ts';
import { Random } from '../fuzz/random.ts';

const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('base64');

function hash(body: Uint8Array, piece: number): string {
  const relaxed = new RelaxedBody();
  for (let at = 0; at < body.length; at += piece) relaxed.update(body.subarray(at, at + piece));
  return relaxed.digest().toString('base64');
}

/** The rule once more, in the words of the RFC. */
function canonical(body: string): string {
  const lines = body
    .split('\r\n')
    .map((line) => line.replace(/[ \t]+$/, '').replace(/[ \t]+/g, ' '))
    .join('\r\n')
    .replace(/(?:\r\n)*$/, '');
  return lines === '' ? '' : `${lines}\r\n`;
}

it.each([
  ['nothing', '', ''],
  ['an empty line', '\r\n', ''],
  ['white space alone', ' \t\r\n\t\r\n  ', ''],
  ['the example of RFC 6376 §3.4.5', ' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
  ['no line end at the end', 'a', 'a\r\n'],
  ['empty lines within', '\r\n\r\na\r\n\r\n\r\nb\r\n', '\r\n\r\na\r\n\r\n\r\nb\r\n'],
  ['a space behind an empty line', 'a\r\n \r\n b', 'a\r\n\r\n b\r\n'],
  ['a CR of its own', 'a\rb \r c\r\r\nd\r', 'a\rb \r c\r\r\nd\r\r\n'],
  ['an LF of its own', 'a \n b\n', 'a \n b\n\r\n'],
  ['octets of any kind', 'Gr\xfc\xdfe\0\x01 \x80\r\n', 'Gr\xfc\xdfe\0\x01 \x80\r\n'],
  ['more empty lines than are hashed at once', `a\r\n${'\r\n'.repeat(3000)}b`, `a\r\n${'\r\n'.repeat(3000)}b\r\n`],
])('%s', (_, body, expected) => {
  const octets = Buffer.from(body, 'latin1');
  for (const piece of [1, 2, 3, 1000]) {
    expect(hash(octets, piece)).toBe(sha256(Buffer.from(expected, 'latin1')));
  }
});

it('the body of RFC 8463 §A.3', () => {
  const body = 'Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n';
  expect(hash(Buffer.from(body), 7)).toBe('2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=');
});

it('any text, however it is cut', () => {
  const chance = new Random(6376);
  const letters = ['a', 'b', ' ', '\t', '\r\n', '\r\n', '\r', '\n', '='];
  for (let round = 0; round < 2000; round += 1) {
    const body = Array.from({ length: chance.below(30) }, () => chance.pick(letters)).join('');
    expect(hash(Buffer.from(body), chance.between(1, 5)), JSON.stringify(body)).toBe(sha256(canonical(body)));
  }
});
