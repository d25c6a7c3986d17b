// The content of DATA by octets: every cut into pieces gives the same content, fault and end.

import { expect, test } from 'vitest';
import { DotUnstuffing } from '../../../src/smtp/listener/dot-stuffing.ts';
import type { Fault } from '../../../src/smtp/listener/unfit.ts';

interface Outcome {
  readonly content: string;
  readonly fault: Fault | null;
  readonly ended: boolean;
  /** What came behind the end of data. */
  readonly rest: string;
}

function read(text: string, pieces: readonly number[], lineMax = 998): Outcome {
  const unstuffing = new DotUnstuffing(lineMax);
  const octets = Buffer.from(text, 'latin1');
  let content = '';
  let at = 0;
  for (const end of [...pieces, octets.length]) {
    if (unstuffing.ended) break;
    // A copy, since the reader moves octets.
    const used = unstuffing.read(Buffer.from(octets.subarray(at, end)));
    content += unstuffing.content.toString('latin1');
    at = unstuffing.ended ? at + used : end;
  }
  return { content, fault: unstuffing.fault, ended: unstuffing.ended, rest: octets.subarray(at).toString('latin1') };
}

const CASES: readonly (readonly [text: string, content: string, fault: Fault | null, rest?: string])[] = [
  ['.\r\n', '', null],
  ['.\r\nQUIT\r\n', '', null, 'QUIT\r\n'],
  ['\r\n.\r\n', '\r\n', null],
  ['text\r\n.\r\n', 'text\r\n', null],
  ['..\r\n.\r\n', '.\r\n', null],
  ['...\r\n.\r\n', '..\r\n', null],
  ['.x\r\n.\r\n', 'x\r\n', null],
  ['.. \r\n.\r\n', '. \r\n', null],
  ['a\r\n..b\r\n.c\r\n...\r\nd.\r\n.\r\nNOOP\r\n', 'a\r\n.b\r\nc\r\n..\r\nd.\r\n', null, 'NOOP\r\n'],
  ['a.b\r\n.\r\n', 'a.b\r\n', null],
  [`${'..\r\n'.repeat(40)}.\r\n`, '.\r\n'.repeat(40), null],
  [`..${'y'.repeat(100)}\r\n..${'z'.repeat(100)}\r\n.\r\n`, `.${'y'.repeat(100)}\r\n.${'z'.repeat(100)}\r\n`, null],
  ['a\n.\n.\r\n\r\n.\r\n', '', 'bare LF'],
  ['a\n.\r\nb\r\n.\r\n', '', 'bare LF'],
  ['a\r\n.\nb\r\n.\r\n', '', 'bare LF'],
  ['\n\r\n.\r\n', '', 'bare LF'],
  ['a\rb\r\n.\r\n', '', 'bare CR'],
  ['a\r\r\n.\r\n', '', 'bare CR'],
  ['a\r\n.\rb\r\n.\r\n', '', 'bare CR'],
  ['a\r\n.\r\r\n.\r\n', '', 'bare CR'],
  ['a\r.\r\r\n.\r\n', '', 'bare CR'],
  ['a\0b\r\n.\r\n', '', 'NUL'],
  ['\0\r\n.\r\n', '', 'NUL'],
];

test.each(CASES.map((row) => ({ row })))('RFC 5321 §4.5.2: $row.0 at any cut', ({ row }) => {
  const [text, content, fault, rest = ''] = row;
  const cuts: number[][] = [[], Array.from({ length: text.length }, (_, index) => index)];
  for (let one = 0; one <= text.length; one++) {
    cuts.push([one]);
    for (let two = one; two <= Math.min(text.length, one + 6); two++) cuts.push([one, two]);
  }
  for (const cut of cuts) {
    const outcome = read(text, cut);
    expect(outcome).toMatchObject({ fault, ended: true, rest });
    if (fault === null) expect(outcome.content).toBe(content);
  }
});

test('the length of a line is that of its content, without dot and CRLF, wherever it is cut', () => {
  for (const cut of [[], [1], [5], [11], [12], [13]]) {
    expect(read(`..${'x'.repeat(9)}\r\n.\r\n`, cut, 10).fault).toBe(null);
    expect(read(`..${'x'.repeat(10)}\r\n.\r\n`, cut, 10).fault).toBe('line too long');
    expect(read('x'.repeat(14), cut, 10)).toMatchObject({ fault: 'line too long', ended: false });
  }
});

test('a random content survives stuffing and unstuffing', () => {
  let seed = 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 300; round++) {
    const lines = Array.from({ length: random(12) }, () =>
      Array.from({ length: random(70) }, () => '.x \t\x01\xff'[random(6)]).join(''),
    );
    const content = lines.map((line) => `${line}\r\n`).join('');
    const wire = `${content.replace(/^\./gm, '..')}.\r\nrest`;
    const cuts = Array.from({ length: random(5) }, () => random(wire.length)).sort((a, b) => a - b);
    expect(read(wire, cuts)).toEqual({ content, fault: null, ended: true, rest: 'rest' });
  }
});

test('lines of dots cost no more than other lines', () => {
  const dots = Buffer.from('..\r\n'.repeat(250_000), 'latin1');
  const before = process.cpuUsage();
  for (let at = 0; at < dots.length; at += 65_536) new DotUnstuffing(998).read(dots.subarray(at, at + 65_536));
  const { user, system } = process.cpuUsage(before);
  // 1 MB; smtp-server's own stream takes more than a second for it.
  expect((user + system) / 1_000).toBeLessThan(300);
});
