// Messages at hand for sorting: bounded, and of use where more is sorted than there is room for.

import { expect, test } from 'vitest';
import { LIMIT } from '../../../src/imap/limits.ts';
import type { Sortable } from '../../../src/imap/sort/order.ts';
import { sortKeysOf } from '../../../src/imap/sort/sort-keys.ts';
import { SortableCache } from '../../../src/imap/sort/sortable-cache.ts';
import type { MailboxId } from '../../../src/store/rows.ts';

const ONE = 1 as MailboxId; // branded numbers
const OTHER = 2 as MailboxId;
const message = (uid: number): Sortable => ({ uid, size: 1, internalDate: 1, score: 0, keys: sortKeysOf([]) });

test('messages are kept up to a number, and most of them stay where more come', () => {
  const cache = new SortableCache();
  for (let uid = 1; uid <= 2 * LIMIT.sortablesKept; uid++) cache.put(ONE, message(uid));
  const kept = [...cache.of(ONE).keys()];
  expect(kept.length).toBe(LIMIT.sortablesKept);
  expect(kept.filter((uid) => uid <= LIMIT.sortablesKept).length).toBeGreaterThan(LIMIT.sortablesKept / 2);
});

test('the mailbox that was not asked for goes first', () => {
  const cache = new SortableCache();
  for (let uid = 1; uid <= LIMIT.sortablesKept / 2; uid++) {
    cache.put(ONE, message(uid));
    cache.put(OTHER, message(uid));
  }
  cache.of(ONE);
  for (let uid = 1; uid <= 4 * LIMIT.sortablesKept; uid++) cache.put(ONE, message(LIMIT.sortablesKept + uid));
  expect(cache.of(ONE).size).toBe(LIMIT.sortablesKept);
  expect(cache.of(OTHER).size).toBe(0);
});

test('one that is put again is one', () => {
  const cache = new SortableCache();
  for (let round = 0; round < 3; round++) cache.put(ONE, message(7));
  for (let uid = 8; uid < LIMIT.sortablesKept + 7; uid++) cache.put(ONE, message(uid));
  expect(cache.of(ONE).size).toBe(LIMIT.sortablesKept);
});

test('long keys are not kept, nor what lacks its keys', () => {
  const cache = new SortableCache();
  cache.put(ONE, { ...message(1), keys: { ...sortKeysOf([]), references: ['x'.repeat(LIMIT.sortableSize + 1)] } });
  cache.put(ONE, { ...message(2), keys: null });
  expect(cache.of(ONE).size).toBe(0);
});
