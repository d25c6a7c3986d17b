// The order that SORT asks for: what inOrder makes of numbers and of texts that it knows is what comparing two messages
// says, for any messages and criteria.

import { describe, expect, test } from 'vitest';
import { parseHeader } from '../../../src/formats/header.ts';
import { sorted, sortedNumbers } from '../../../src/imap/sort/merge-sort.ts';
import { comparison, inOrder, SORT_KEYS, type Sortable, type TextOrders } from '../../../src/imap/sort/order.ts';
import { SortKeys, sortValuesOf, writeSortKeys } from '../../../src/imap/sort/sort-keys.ts';
import { Turn } from '../../../src/platform/turn.ts';
import { Random } from '../../fuzz/random.ts';
import { sortKeys } from './keys.ts';

const turn = new Turn(262_144);
const SUBJECTS = ['', 'A', 'AB', 'B', 'É', '\u00ff', 'TEA'];

function messages(random: Random, count: number, dates: readonly number[]): Sortable[] {
  return Array.from({ length: count }, (_, at) => ({
    uid: 3 * at + 1,
    internalDate: random.pick(dates),
    size: random.below(4),
    score: random.below(3),
    keys: random.once(9)
      ? null
      : sortKeys({ subject: random.pick(SUBJECTS), from: random.pick(SUBJECTS), sent: random.pick([null, ...dates]) }),
  }));
}

describe.each([
  ['dates of a day', [0, 60_000, 120_000, 86_399_999]],
  ['dates of all times', [-62_135_596_800_000, -1, 0, 1, 1_600_000_000_000, 1_600_000_000_001, 253_402_300_799_000]],
])('messages with %s', (_, dates) => {
  test.each([0, 1, 2, 3, 60, 5_000])('%i of them stand as comparing any two says', async (count) => {
    const random = new Random(count);
    const orders: TextOrders = new Map();
    for (let round = 0; round < 20; round++) {
      const some = messages(random, count, dates);
      const criteria = Array.from({ length: random.between(1, 4) }, () => {
        return { key: random.pick(SORT_KEYS), reverse: random.once(2) };
      });
      const ordered = await inOrder(some, criteria, turn, orders);
      expect(ordered).toEqual(some.toSorted(comparison(criteria)));
    }
  });
});

test('a text that is new is put among those that are known', async () => {
  const of = (...subjects: string[]) =>
    subjects.map((subject, at) => ({ uid: at + 1, internalDate: 0, size: 1, score: 0, keys: sortKeys({ subject }) }));
  const orders: TextOrders = new Map();
  const order = async (...subjects: string[]) =>
    (await inOrder(of(...subjects), [{ key: 'SUBJECT', reverse: false }], turn, orders)).map(
      ({ keys }) => keys?.subject,
    );
  expect(await order('C', 'A')).toEqual(['A', 'C']);
  expect(await order('C', 'B', 'A')).toEqual(['A', 'B', 'C']);
  expect(await order('C', 'B')).toEqual(['B', 'C']);
});

test('sorting in runs is sorting', async () => {
  const numbers = Array.from({ length: 9_001 }, (_, at) => (at * 7_919) % 9_001);
  expect(await sorted(numbers, (a, b) => a - b, turn)).toEqual(numbers.toSorted((a, b) => a - b));
  expect(await sorted([], () => 0, turn)).toEqual([]);
  const many = Float64Array.from({ length: 200_003 }, (_, at) => (at * 7_919) % 200_003);
  expect(await sortedNumbers(many.slice(), turn)).toEqual(many.toSorted());
  expect(await sortedNumbers(new Float64Array(0), turn)).toEqual(new Float64Array(0));
});

test('texts stand by their octets of UTF-8, and what is alike as it stood', async () => {
  const texts = ['\u{1f600}', '\uff5e', 'b', 'B', 'a'];
  const letters = texts.map((subject, at) => {
    const keys = new SortKeys(writeSortKeys(sortValuesOf(parseHeader(Buffer.from(`Subject: ${subject}\r\n\r\n`)))));
    return { uid: at + 1, internalDate: 0, size: 1, score: 0, keys };
  });
  const order = async (reverse: boolean) =>
    (await inOrder(letters, [{ key: 'SUBJECT', reverse }], turn)).map(({ uid }) => uid);
  expect(await order(false)).toEqual([5, 3, 4, 2, 1]);
  expect(await order(true)).toEqual([1, 2, 3, 4, 5]);
});
