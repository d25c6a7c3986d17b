// Ranges of UIDs: what is in them, and that they stay few and quick to ask.

import { expect, test } from 'vitest';
import { Ranges } from '../../src/imap/ranges.ts';

test('what is in them, and what is between', () => {
  const ranges = new Ranges();
  expect(ranges.has(1)).toBe(false);
  ranges.add(5, 4);
  ranges.add(3, 5);
  ranges.add(9, 9);
  expect([2, 3, 5, 6, 8, 9, 10].filter((uid) => ranges.has(uid))).toEqual([3, 5, 9]);
});

test('neighbours and overlaps are one', () => {
  const ranges = new Ranges();
  for (const [first, last] of [
    [1, 3],
    [4, 4],
    [2, 8],
    [5, 6],
    [10, 10],
  ] as const)
    ranges.add(first, last);
  expect([...ranges]).toEqual([
    { first: 1, last: 8 },
    { first: 10, last: 10 },
  ]);
});

test('many apart are asked as quickly as few', () => {
  const ranges = new Ranges();
  for (let uid = 2; uid <= 400_000; uid += 2) ranges.add(uid, uid);
  const before = process.cpuUsage();
  let found = 0;
  for (let uid = 1; uid <= 400_000; uid++) if (ranges.has(uid)) found += 1;
  expect(found).toBe(200_000);
  expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
});
