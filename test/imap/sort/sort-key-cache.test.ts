// Sort keys at hand: bounded, and of use where more is sorted than there is room for.

import { expect, test } from 'vitest';
import { LIMIT } from '../../../src/imap/limits.ts';
import { SortKeyCache } from '../../../src/imap/sort/sort-key-cache.ts';
import { sortKeysOf } from '../../../src/imap/sort/sort-keys.ts';
import type { BodyId } from '../../../src/store/rows.ts';

const KEYS = sortKeysOf([]);
const id = (number: number) => number as BodyId; // a branded number

test('keys are kept up to a number, and most of them stay where more come', () => {
  const cache = new SortKeyCache();
  const all = Array.from({ length: 2 * LIMIT.sortKeysKept }, (_, at) => id(at));
  const kept = () => all.filter((body) => cache.get(body) !== undefined).length;
  for (const body of all) cache.put(body, KEYS);
  expect(kept()).toBe(LIMIT.sortKeysKept);
  const first = all.slice(0, LIMIT.sortKeysKept);
  expect(first.filter((body) => cache.get(body)).length).toBeGreaterThan(LIMIT.sortKeysKept / 2);
});

test('keys that are long are not kept', () => {
  const cache = new SortKeyCache();
  cache.put(id(1), { ...KEYS, references: ['x'.repeat(LIMIT.sortKeysSize + 1)] });
  expect(cache.get(id(1))).toBeUndefined();
});
