// The reader of commands: whatever way the octets come, the same commands and refusals come out, and it stays in step.

import { describe, expect, test } from 'vitest';
import { CommandReader } from '../../../src/imap/grammar/command-reader.ts';
import type { Scanner } from '../../../src/imap/grammar/scanner.ts';

/** Reads a tag, a word and strings: enough of a command for the reader's sake. */
function parse(scanner: Scanner): string {
  const words = [scanner.tag()];
  scanner.space();
  words.push(scanner.word('a command'));
  while (scanner.accept(' ')) {
    if (words[1] === 'PUT') scanner.streamedLiteral();
    else words.push(`<${scanner.astring().toString('latin1')}>`);
    if (scanner.streamed) break;
  }
  return words.join(' ');
}

/** What comes out, as lines; `chunk` octets at a time. */
function read(text: string, chunk: number, limits = { line: 100, literal: 50 }): string[] {
  const reader = new CommandReader(limits);
  const octets = Buffer.from(text, 'latin1');
  const out: string[] = [];
  const drain = (): boolean => {
    for (;;) {
      while (reader.messageRemaining > 0) {
        const part = reader.takeMessage();
        if (part.length === 0) return true;
        const last = out.pop() ?? '';
        out.push(last.startsWith('message ') ? last + part.toString('latin1') : last);
        if (!last.startsWith('message ')) out.push(`message ${part.toString('latin1')}`);
      }
      const behindMessage = out.at(-1)?.startsWith('message ') ?? false;
      const step = reader.next(behindMessage ? () => 'end' : parse);
      if (step.kind === 'more') return true;
      if (step.kind === 'lost') {
        out.push('lost');
        return false;
      }
      if (step.kind === 'command') out.push(step.value);
      else out.push(step.kind === 'refused' ? `refused ${step.refusal.completion.status}` : step.kind);
    }
  };
  for (let at = 0; at < octets.length; at += chunk) {
    reader.push(octets.subarray(at, at + chunk));
    if (!drain()) break;
  }
  return out;
}

const CASES: readonly [string, string, string[]][] = [
  ['one line', 'a NOOP\r\n', ['a NOOP']],
  ['a bare line feed ends a line', 'a NOOP\nb NOOP\n', ['a NOOP', 'b NOOP']],
  ['two commands at once', 'a NOOP\r\nb X y\r\n', ['a NOOP', 'b X <y>']],
  ['a quoted string', 'a X "q \\" \\\\ {3}"\r\n', ['a X <q " \\ {3}>']],
  ['a synchronising literal', 'a X {3}\r\nx\ny z\r\n', ['continue', 'a X <x\ny> <z>']],
  ['a literal that does not synchronise', 'a X {3+}\r\n}\r\n {0+}\r\n\r\nb Y\r\n', ['a X <}\r\n> <>', 'b Y']],
  ['a message literal', 'a PUT {5+}\r\nhello\r\nb X\r\n', ['a PUT', 'message hello', 'end', 'b X']],
  [
    'garbage behind a message literal',
    'a PUT {2+}\r\nhi there {3+}\r\nxxx\r\nb X\r\n',
    ['a PUT', 'message hi', 'refused BAD', 'b X'],
  ],
  ['no tag', ' NOOP\r\nb X\r\n', ['refused BAD', 'b X']],
  ['an empty line', '\r\nb X\r\n', ['refused BAD', 'b X']],
  [
    'a syntax error before a pipelined literal',
    'a X "\r" {4+}\r\nb Y\n z {2+}\r\nhi\r\nc Z\r\n',
    ['refused BAD', 'c Z'],
  ],
  ['a syntax error before a literal that waits', 'a ( {4}\r\nb X\r\n', ['refused BAD', 'b X']],
  ['a NUL in a literal', 'a X {3+}\r\na\0b\r\nb X\r\n', ['refused BAD', 'b X']],
  [
    'a refused literal that ends as an announcement does',
    'a X {7+}\r\na\0{99+}\r\nb X {7}\r\na\0{99+}\r\nc X\r\n',
    ['refused BAD', 'continue', 'refused BAD', 'c X'],
  ],
  [
    'the same in front of a literal that is pipelined',
    'a X {6+}\r\na\0{9+} {2+}\r\nhi\r\nc X\r\n',
    ['refused BAD', 'c X'],
  ],
  ['a NUL in a line', 'a X \0\r\nb X\r\n', ['refused BAD', 'b X']],
  ['a literal that is too large', 'a X {51}\r\nb X\r\n', ['refused NO', 'b X']],
  ['the same, pipelined', `a X {51+}\r\n${'x'.repeat(51)} y\r\nb X\r\n`, ['refused NO', 'b X']],
  [
    'literals that are too large together',
    `a X {30+}\r\n${'x'.repeat(30)} {30+}\r\n${'y'.repeat(30)}\r\nb X\r\n`,
    ['refused NO', 'b X'],
  ],
  ['a literal larger than any', 'a X {99999999999}\r\nb X\r\n', ['refused NO', 'b X']],
  ['a literal of more than 63 bits', 'a X {9223372036854775808}\r\nb X\r\n', ['refused BAD', 'b X']],
  ['the same, pipelined', 'a X {99999999999+}\r\nb X\r\n', ['lost']],
  ['a line that is too long', `a X ${'x'.repeat(200)}\r\nb X\r\n`, ['refused BAD', 'b X']],
  ['the same with a pipelined literal', `a X ${'x'.repeat(200)} {3+}\r\n\r\n\r\r\nb X\r\n`, ['refused BAD', 'b X']],
];

describe('RFC 3501 §2.2.1, §4.3; RFC 7888 §4', () => {
  for (const [title, text, expected] of CASES) {
    test(title, () => {
      for (const chunk of [1, 2, 3, 7, text.length]) expect(read(text, chunk), `${chunk} at a time`).toEqual(expected);
    });
  }

  test('too many literals', () => {
    const text = `a X${' {0+}\r\n'.repeat(70)}\r\nb X\r\n`;
    expect(read(text, text.length, { line: 1000, literal: 50 })).toEqual(['refused BAD', 'b X']);
  });

  test('what is dropped is not kept', () => {
    const reader = new CommandReader({ line: 1_000, literal: 1_000 });
    const chunk = Buffer.alloc(65_536, 'x');
    reader.push(Buffer.from('a X '));
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 500; i++) {
      reader.push(chunk);
      expect(reader.next(parse).kind).toBe('more');
      expect(reader.unread).toBe(0);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_048_576);
    reader.push(Buffer.from('\r\nb X\r\n'));
    expect(reader.next(parse).kind).toBe('refused');
    expect(reader.next(parse)).toMatchObject({ value: 'b X' });
  });

  test('a line is read as it is', () => {
    const reader = new CommandReader({ line: 10, literal: 10 });
    reader.push(Buffer.from('DO'));
    expect(reader.nextLine(20)).toEqual({ kind: 'more' });
    reader.push(Buffer.from('NE\r\nmore than twenty octets\r\n'));
    expect(reader.nextLine(20)).toEqual({ kind: 'line', line: 'DONE' });
    expect(reader.nextLine(20).kind).toBe('lost');
  });

  test('a message that is not wanted is dropped with the rest of its command', () => {
    const reader = new CommandReader({ line: 100, literal: 10 });
    reader.push(Buffer.from('a PUT {5+}\r\nhe'));
    expect(reader.next(parse).kind).toBe('command');
    const refusal = new (class extends Error {})() as never; // only handed through
    reader.dropMessage(true, refusal);
    reader.push(Buffer.from('llo {2+}\r\nxx\r\nb X\r\n'));
    expect(reader.next(parse)).toEqual({ kind: 'refused', refusal });
    expect(reader.next(parse)).toMatchObject({ kind: 'command', value: 'b X' });
  });

  test('what was pipelined behind STARTTLS is forgotten', () => {
    const reader = new CommandReader({ line: 100, literal: 10 });
    reader.push(Buffer.from('a X\r\nb Y\r\nc '));
    reader.next(parse);
    reader.discard();
    reader.push(Buffer.from('d Z\r\n'));
    expect(reader.next(parse)).toMatchObject({ value: 'd Z' });
  });
});
