// Transparency of content (RFC 5321 §4.5.2), in pieces of any size.

import { describe, expect, test } from 'vitest';
import { DotStuffer, UnsendableContent } from '../../../src/smtp/client/dot-stuffing.ts';

function stuff(text: string, size: number): string {
  const stuffer = new DotStuffer();
  const octets = Buffer.from(text, 'latin1');
  let out = '';
  for (let at = 0; at < octets.length; at += size) {
    out += Buffer.from(stuffer.push(octets.subarray(at, at + size))).toString('latin1');
  }
  return out + stuffer.finish();
}

describe('transparency (RFC 5321 §4.5.2)', () => {
  const pieces = [1, 2, 3, 5, 1_000];
  const cases = [
    ['', '.\r\n'],
    ['a\r\n', 'a\r\n.\r\n'],
    ['a', 'a\r\n.\r\n'],
    ['a\r', 'a\r\r\n.\r\n'],
    ['.\r\n', '..\r\n.\r\n'],
    ['.', '..\r\n.\r\n'],
    ['..\r\n...a\r\n', '...\r\n....a\r\n.\r\n'],
    ['a\r\n.b\r\nc.d\r\n.\r\n', 'a\r\n..b\r\nc.d\r\n..\r\n.\r\n'],
    ['a\nb\r\n', 'a\nb\r\n.\r\n'],
  ] as const;
  test.each(cases)('%j', (content, wire) => {
    for (const size of pieces) expect(stuff(content, size)).toBe(wire);
  });

  test('a dot behind a bare LF is not sent (smuggling)', () => {
    for (const content of ['a\n.\r\nMAIL', 'a\n.\n', 'a\r\n\n.x']) {
      for (const size of pieces) expect(() => stuff(content, size)).toThrow(UnsendableContent);
    }
  });

  test('content of dots only is doubled', () => {
    expect(stuff('.\r\n'.repeat(1_000), 997)).toBe(`${'..\r\n'.repeat(1_000)}.\r\n`);
  });
});
