// SASLprep (RFC 4013): its examples, and what it prohibits, by the code points of RFC 3454's tables.

import { describe, expect, it } from 'vitest';
import { hasProhibited, saslprep } from '../../src/formats/saslprep.ts';

describe('RFC 4013 §3', () => {
  it.each([
    ['I\u00ADX', 'IX'],
    ['user', 'user'],
    ['USER', 'USER'],
    ['\u00AA', 'a'],
    ['\u2168', 'IX'],
  ])('%j is %j', (text, prepared) => {
    expect(saslprep(text)).toBe(prepared);
    expect(hasProhibited(prepared)).toBe(false);
  });

  it('U+0007 is prohibited', () => {
    expect(hasProhibited(saslprep('\u0007'))).toBe(true);
  });
});

it('spaces beyond ASCII are spaces, and what joins or varies is nothing', () => {
  expect(saslprep('a\u00A0b\u3000c')).toBe('a b c');
  expect(saslprep('\u00AD\u200B')).toBe('');
  expect(saslprep('a\u034F\u1806\u180B\u200B\u200C\u200D\u2060\uFE00\uFE0F\uFEFFb')).toBe('ab');
});

/** First and last of each range of tables C.2.1 to C.9 that neither the mapping nor NFKC takes away. */
const PROHIBITED = [
  0x00, 0x1f, 0x7f, 0x80, 0x9f, 0x6dd, 0x70f, 0x180e, 0x2028, 0x2029, 0x2061, 0x2063, 0x206a, 0x206f, 0xfff9, 0xfffc,
  0x1d173, 0x1d17a, 0xe000, 0xf8ff, 0xf0000, 0xffffd, 0x100000, 0x10fffd, 0xfdd0, 0xfdef, 0xfffe, 0xffff, 0x1fffe,
  0x1ffff, 0xefffe, 0x10ffff, 0xd800, 0xdfff, 0xfffd, 0x2ff0, 0x2ffb, 0x200e, 0x200f, 0x202a, 0x202e, 0xe0001, 0xe0020,
  0xe007f,
];

it.each(PROHIBITED.map((code) => [code.toString(16), String.fromCodePoint(code)]))(
  'U+%s is prohibited',
  (_, character) => {
    expect(hasProhibited(saslprep(`a${character}b`))).toBe(true);
  },
);

it.each(['wonder land', 'Gr\u00FC\u00DFe', '\u05D3\u05E0\u05D41@example.test', '\u6771\u4EAC', '\u{1F600}'])(
  '%j is not',
  (text) => {
    expect(hasProhibited(saslprep(text))).toBe(false);
  },
);
