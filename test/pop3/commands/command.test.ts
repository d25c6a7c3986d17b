// The parameters of a command, whatever stands between and behind them.

import { expect, test } from 'vitest';
import { words } from '../../../src/pop3/commands/command.ts';

test.each([
  [null, []],
  ['', []],
  ['  ', []],
  ['1', ['1']],
  ['1 2  ', ['1', '2']],
  [' 1', ['', '1']],
  ['1\t ', ['1\t']],
])('of %j', (rest, expected) => {
  expect(words(rest === null ? null : Buffer.from(rest))).toEqual(expected);
});

test('of a line full of spaces are found in one pass, and not in hours', () => {
  expect(words(Buffer.from(`${' '.repeat(2_000_000)}x`)).length).toBe(2_000_001);
});
