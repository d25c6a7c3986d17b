// Progress is told seldom, and says how far a command has come (RFC 9585).

import { expect, test } from 'vitest';
import { Progress } from '../../src/imap/progress.ts';
import { FakeClock } from '../fake-clock.ts';

test('a long command says now and then how far it has come', () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  let flushed = 0;
  const writer = { line: (text: string) => void lines.push(text), flush: () => void flushed++ };
  const progress = new Progress({ clock, tag: 'a7', writer });
  progress.report(1, 1_000);
  clock.advance(9_999);
  progress.report(2, 1_000);
  expect(lines).toEqual([]);
  clock.advance(1);
  progress.report(3, 1_000);
  progress.report(4, 1_000);
  expect(lines).toEqual([expect.stringMatching(/^\* OK \[INPROGRESS \("a7" 3 1000\)\] /)]);
  expect(flushed).toBe(1);
});
