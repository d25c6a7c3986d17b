// Messages at hand for sorting: bounded, and of use where more is sorted than there is room for.

import { expect, test } from 'vitest';
import { LIMIT } from '../../../src/imap/limits.ts';
import type { Sortable } from '../../../src/imap/sort/order.ts';
import { SortableCache } from '../../../src/imap/sort/sortable-cache.ts';
import type { MailboxId } from '../../../src/store/rows.ts';
import { sortKeys } from './keys.ts';

const ONE = 1 as MailboxId; // branded numbers
const OTHER = 2 as MailboxId;
const SUBJECT = 'x'.repeat(1_000);
const message = (uid: number): Sortable => {
  return { uid, size: 1, internalDate: 1, score: 0, keys: sortKeys({ subject: SUBJECT }) };
};
/** There is room for about so many. */
const ROOM = Math.floor(LIMIT.sortablesOctets / 2_290);

function put(cache: SortableCache, mailbox: MailboxId, first: number, last: number): void {
  for (let uid = first; uid <= last; uid++) cache.put(mailbox, message(uid));
}

function isFull(count: number): void {
  expect(count).toBeGreaterThan(0.99 * ROOM);
  expect(count).toBeLessThan(1.01 * ROOM);
}

test('messages are kept up to a number of octets, and most of them stay where more come', () => {
  const cache = new SortableCache();
  put(cache, ONE, 1, 2 * ROOM);
  const kept = [...cache.of(ONE).keys()];
  isFull(kept.length);
  expect(kept.filter((uid) => uid <= ROOM).length).toBeGreaterThan(ROOM / 2);
});

test('the mailbox that was not asked for goes first', () => {
  const cache = new SortableCache();
  for (let uid = 1; uid <= 0.49 * ROOM; uid++) {
    cache.put(ONE, message(uid));
    cache.put(OTHER, message(uid));
  }
  cache.of(ONE);
  put(cache, ONE, ROOM, 7 * ROOM);
  isFull(cache.of(ONE).size);
  expect(cache.of(OTHER).size).toBe(0);
});

test('a mailbox that has lost all comes back', () => {
  const cache = new SortableCache();
  put(cache, OTHER, 1, 10);
  put(cache, ONE, 1, 3 * ROOM);
  expect(cache.of(OTHER).size).toBe(0);
  put(cache, OTHER, 11, 11 + 16 * 3);
  expect(cache.of(OTHER).size).toBeGreaterThan(1);
  isFull(cache.of(ONE).size);
});

test('one that is put again is one', () => {
  const cache = new SortableCache();
  for (let round = 0; round < 3 * ROOM; round++) cache.put(ONE, message(7));
  put(cache, ONE, 8, 2 * ROOM);
  isFull(cache.of(ONE).size);
});

test('long keys are not kept, nor what lacks its keys', () => {
  const cache = new SortableCache();
  const references = ['x'.repeat(LIMIT.sortableOctets)];
  cache.put(ONE, { ...message(1), keys: sortKeys({ references }) });
  cache.put(ONE, { ...message(2), keys: null });
  expect(cache.of(ONE).size).toBe(0);
});

test('orders of texts are kept while all of the messages are', () => {
  const cache = new SortableCache();
  put(cache, ONE, 1, 10);
  const some = [message(9), message(10)];
  cache.orders(ONE, some).set('SUBJECT', new Map([['TEA', 0]]));
  expect(cache.orders(ONE, some).size).toBe(1);
  // As few, but one of them is not at hand, perhaps since it is too long.
  expect(cache.orders(ONE, [message(10), message(11)]).size).toBe(0);
  expect(cache.orders(OTHER, []).size).toBe(0);
  put(cache, OTHER, 1, 1.01 * ROOM);
  expect(cache.of(ONE).size).toBeLessThan(10);
  expect(cache.orders(ONE, some).size).toBe(0);
});
