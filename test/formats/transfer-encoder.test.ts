// The encodings that make any octets 7-bit, read back by the decoders of this folder and by Node, in pieces of any size.

import { describe, expect, it } from 'vitest';
import { type SevenBitEncoding, transferEncoder } from '../../src/formats/transfer-encoder.ts';
import { transferDecoder } from '../../src/formats/transfer-encoding.ts';
import { Random } from '../fuzz/random.ts';

function encoded(octets: Buffer, encoding: SevenBitEncoding, piece: number): string {
  const encoder = transferEncoder(encoding);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < octets.length; at += piece) {
    // The encoder may use its memory again.
    parts.push(Buffer.from(encoder.encode(octets.subarray(at, at + piece))));
  }
  parts.push(Buffer.from(encoder.end()));
  return Buffer.concat(parts).toString('latin1');
}

function decoded(text: string, encoding: SevenBitEncoding): Buffer {
  const decoder = transferDecoder(encoding);
  return Buffer.concat([decoder.decode(Buffer.from(text, 'latin1')), decoder.end()]);
}

describe('quoted-printable', () => {
  const lines = 'a'.repeat(75);
  it.each([
    ['', ''],
    ['plain text\r\n', 'plain text\r\n'],
    ['Gr\xfc\xdfe\r\n', 'Gr=FC=DFe\r\n'],
    ['a=b', 'a=3Db'],
    ['space \r\ntab\t\r\n', 'space=20\r\ntab=09\r\n'],
    ['at the end ', 'at the end=20'],
    ['bare\rCR and\nLF\r\r\n', 'bare=0DCR and=0ALF=0D\r\n'],
    ['.\r\n.x\r\n', '.\r\n.x\r\n'],
    [`${lines}\r\n`, `${lines}\r\n`],
    [`${lines}b\r\n`, `${lines}=\r\nb\r\n`],
    [`${'a'.repeat(73)}\xff`, `${'a'.repeat(73)}=\r\n=FF`],
    ['\0\x7f', '=00=7F'],
  ])('%j is %j', (text, expected) => {
    for (const piece of [1, 2, 1000])
      expect(encoded(Buffer.from(text, 'latin1'), 'quoted-printable', piece)).toBe(expected);
  });
});

it('base64 has lines of 76, and no line end at its end', () => {
  const octets = Buffer.alloc(200, 7);
  for (const piece of [1, 10, 57, 1000]) {
    const text = encoded(octets, 'base64', piece);
    expect(text.split('\r\n').map(({ length }) => length)).toEqual([76, 76, 76, 40]);
    expect(Buffer.from(text, 'base64').equals(octets)).toBe(true);
  }
  expect(encoded(Buffer.alloc(0), 'base64', 1)).toBe('');
});

it.each(['quoted-printable', 'base64'] as const)('%s: any octets come back', (encoding) => {
  const chance = new Random(2045);
  const likely = [13, 10, 32, 9, 61, 46, 65, 70, 255, 195];
  for (let round = 0; round < 500; round += 1) {
    const octets = Buffer.from(
      Array.from({ length: chance.below(400) }, () => (chance.once(2) ? chance.pick(likely) : chance.below(256))),
    );
    const text = encoded(octets, encoding, 1 + chance.below(20));
    expect(text).toMatch(/^[\t\r\n -~]*$/);
    for (const line of text.split('\r\n')) expect(line.length).toBeLessThanOrEqual(76);
    expect(text.replace(/\r\n/g, '')).not.toMatch(/[\r\n]/);
    expect(text).not.toMatch(/[ \t](?:\r\n|$)/);
    expect(decoded(text, encoding).equals(octets)).toBe(true);
  }
});
