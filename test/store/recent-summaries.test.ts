// What is asked for again is at hand, and what is not makes room.

import { expect, test } from 'vitest';
import { Limit } from '../../src/store/limits.ts';
import { RecentSummaries } from '../../src/store/reads/recent-summaries.ts';
import type { BodyId } from '../../src/store/rows.ts';

const body = (number: number) => number as BodyId;
const summary = (octets: number) => new Uint8Array(octets);
const QUARTER = Math.floor(Limit.recentSummaryOctets / 4) - 1_000;

test('a summary is found again', () => {
  const recent = new RecentSummaries();
  const kept = summary(10);
  recent.put(body(1), kept);
  expect(recent.get(body(1))).toBe(kept);
  expect(recent.get(body(2))).toBeUndefined();
});

test('what is asked for stays, and what is not goes, so that all keep to the limit', () => {
  const recent = new RecentSummaries();
  for (let number = 1; number <= 9; number++) {
    recent.put(body(number), summary(QUARTER));
    expect(recent.get(body(1))).toBeDefined();
  }
  const kept = Array.from({ length: 9 }, (_, at) => body(at + 1)).filter((each) => recent.get(each) !== undefined);
  expect(kept).toContain(1);
  expect(kept).toContain(9);
  expect(kept.length * QUARTER).toBeLessThanOrEqual(Limit.recentSummaryOctets);
});
