// The content of multi-line responses, judged by two readers that end lines differently: whoever takes a bare LF for a line
// end and whoever does not see the same lines, and the same end.

import { describe, expect, test } from 'vitest';
import { LineEnds } from '../../src/formats/line-ends.ts';
import { MultiLine } from '../../src/pop3/multi-line.ts';
import { Random } from '../fuzz/random.ts';

function sent(pieces: readonly Uint8Array[]): string {
  const lines = new MultiLine();
  const parts = pieces.map((piece) => Buffer.from(lines.push(new Uint8Array(piece))));
  return Buffer.concat([...parts, Buffer.from(lines.finish())]).toString('latin1');
}

/** What a client makes of it (RFC 1939 §3), its lines ended by `end`; null: the response has no end, or one too early. */
function received(wire: string, end: RegExp): string[] | null {
  const lines = wire.split(end);
  // Behind the last line end there is nothing.
  if (lines.pop() !== '' || lines.pop() !== '.') return null;
  if (lines.includes('.')) return null;
  return lines.map((line) => (line.startsWith('.') ? line.slice(1) : line));
}

/** RFC 1939 §3: lines, each ended by CRLF. */
const asLines = (text: string): string[] => {
  const lines = text.replace(/\r?\n/g, '\n').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
};

test.each([
  ['', '.\r\n'],
  ['x', 'x\r\n.\r\n'],
  ['x\r\n', 'x\r\n.\r\n'],
  ['.', '..\r\n.\r\n'],
  ['.\r\n', '..\r\n.\r\n'],
  ['\n', '\r\n.\r\n'],
  ['a\n.\n', 'a\r\n..\r\n.\r\n'],
  ['a\r', 'a\r\r\n.\r\n'],
  ['a\r.\r\n', 'a\r.\r\n.\r\n'],
  ['\r\n\r\n', '\r\n\r\n.\r\n'],
])('%j goes as %j, in one piece and in single octets', (text, wire) => {
  const octets = Buffer.from(text, 'latin1');
  expect(sent([octets])).toBe(wire);
  expect(sent(Array.from(octets, (octet) => Uint8Array.of(octet)))).toBe(wire);
});

test('what needs nothing is not copied', () => {
  const lines = new MultiLine();
  const piece = Buffer.from('Subject: x\r\n\r\nbody\r\n');
  const out = lines.push(piece);
  expect([out.buffer, out.byteOffset]).toEqual([piece.buffer, piece.byteOffset]);
});

describe('any octets, cut anywhere', () => {
  const random = new Random(7);
  const alphabet = ['\r', '\n', '\r\n', '.', '.', 'x', '\0', '\xff'];

  test('every reader sees the same lines', () => {
    for (let round = 0; round < 3_000; round++) {
      const text = Array.from({ length: random.below(40) }, () => random.pick(alphabet)).join('');
      const octets = Buffer.from(text, 'latin1');
      const wire = sent(random.pieces(octets));
      expect(wire).toBe(sent([octets]));
      expect(received(wire, /\r\n/), JSON.stringify(text)).toEqual(asLines(text));
      expect(received(wire, /\r?\n/), JSON.stringify(text)).toEqual(asLines(text));
    }
  });

  test('the size that is told is that of the lines (RFC 1939 §11)', () => {
    for (let round = 0; round < 3_000; round++) {
      const text = Array.from({ length: random.below(40) }, () => random.pick(alphabet)).join('');
      const ends = new LineEnds();
      for (const piece of random.pieces(Buffer.from(text, 'latin1'))) ends.push(piece);
      const lines = received(sent([Buffer.from(text, 'latin1')]), /\r\n/) ?? [];
      const size = lines.reduce((sum, line) => sum + line.length + 2, 0);
      expect(text.length + ends.lacking, JSON.stringify(text)).toBe(size);
    }
  });
});
