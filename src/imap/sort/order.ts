// The order that SORT asks for (RFC 5256 §3, RFC 5957 §4, RFC 6203 §6): criteria as values, the comparison that they
// make, and messages in their order.

import type { Turn } from '../../platform/turn.ts';
import { type Comparison, inTurns, sorted, sortedNumbers } from './merge-sort.ts';
import type { SortKeys } from './sort-keys.ts';

export const SORT_KEYS = [
  'ARRIVAL',
  'CC',
  'DATE',
  'DISPLAYFROM',
  'DISPLAYTO',
  'FROM',
  'RELEVANCY',
  'SIZE',
  'SUBJECT',
  'TO',
] as const;
type SortKey = (typeof SORT_KEYS)[number];

export interface SortCriterion {
  readonly key: SortKey;
  readonly reverse: boolean;
}

/** A message as it is put in order. */
export interface Sortable {
  readonly uid: number;
  /** INTERNALDATE, ms since the epoch, and octets. */
  readonly internalDate: number;
  readonly size: number;
  /** 1 to 100; 0 where nothing fuzzy was asked. */
  readonly score: number;
  /** null: no criterion needs them. */
  readonly keys: SortKeys | null;
}

/** Is it a criterion of the row itself? All others need the sort keys of the summary. */
export function needsSortKeys(criteria: readonly SortCriterion[]): boolean {
  return criteria.some(({ key }) => key !== 'ARRIVAL' && key !== 'SIZE' && key !== 'RELEVANCY');
}

/** RFC 5256 §2.2. */
export function sentDate({ keys, internalDate }: Sortable): number {
  return keys?.sent ?? internalDate;
}

const VALUES: Readonly<Record<SortKey, (message: Sortable) => number | string>> = {
  ARRIVAL: ({ internalDate }) => internalDate,
  CC: ({ keys }) => keys?.cc ?? '',
  DATE: sentDate,
  DISPLAYFROM: ({ keys }) => keys?.displayFrom ?? '',
  DISPLAYTO: ({ keys }) => keys?.displayTo ?? '',
  FROM: ({ keys }) => keys?.from ?? '',
  // RFC 6203 §6: the highest first.
  RELEVANCY: ({ score }) => -score,
  SIZE: ({ size }) => size,
  SUBJECT: ({ keys }) => keys?.subject ?? '',
  TO: ({ keys }) => keys?.to ?? '',
};

/** Below zero: the first one comes first. What is alike stands in the order of the mailbox, also where it is REVERSE. */
export function comparison(criteria: readonly SortCriterion[]): Comparison<Sortable> {
  const steps = criteria.map(({ key, reverse }) => ({ value: VALUES[key], sign: reverse ? -1 : 1 }));
  return (one, other) => {
    for (const { value, sign } of steps) {
      const a = value(one);
      const b = value(other);
      if (a !== b) return a < b ? -sign : sign;
    }
    return one.uid - other.uid;
  };
}

/** Texts and where they stand among each other, by the criterion whose values they are. Whoever keeps it sorts sooner. */
export type TextOrders = Map<SortKey, ReadonlyMap<string, number>>;

/** Numbers that are too far apart are put in order by what is less than this, then by the rest. */
const HALF = 2 ** 24;

/**
 * The messages in the order that the criteria ask for: put in order by the last one, then by the one before it, what is
 * alike staying as it stands.
 * @param messages in the order of the mailbox
 * @param orders are used where they have all texts, and added to
 */
export async function inOrder(
  messages: readonly Sortable[],
  criteria: readonly SortCriterion[],
  turn: Turn,
  orders: TextOrders = new Map(),
): Promise<Sortable[]> {
  let places = new Uint32Array(messages.length).map((_, place) => place);
  for (const { key, reverse } of criteria.toReversed()) {
    const values: (number | string)[] = [];
    await inTurns(messages, turn, (message) => values.push(VALUES[key](message)));
    const known = await numbered(values, orders.get(key) ?? NO_ORDER, turn);
    const numbers = known ?? (await numbered(values, await textOrder(values, key, turn, orders), turn));
    if (numbers) places = await byNumber(places, numbers, reverse, turn);
  }
  const ordered: Sortable[] = [];
  await inTurns(places, turn, (place) => {
    const message = messages[place];
    if (message) ordered.push(message);
  });
  return ordered;
}

/** A criterion's values as whole numbers; null where a text has no place. */
async function numbered(
  values: readonly (number | string)[],
  order: ReadonlyMap<string, number>,
  turn: Turn,
): Promise<Float64Array | null> {
  const numbers = new Float64Array(values.length);
  let whole = true;
  await inTurns(values, turn, (value, at) => {
    const number = typeof value === 'number' ? value : order.get(value);
    if (number === undefined) whole = false;
    else numbers[at] = number;
  });
  return whole ? numbers : null;
}

const NO_ORDER: ReadonlyMap<string, number> = new Map();

async function textOrder(
  values: readonly (number | string)[],
  key: SortKey,
  turn: Turn,
  orders: TextOrders,
): Promise<ReadonlyMap<string, number>> {
  const texts = new Set<string>();
  await inTurns(values, turn, (value) => typeof value === 'string' && texts.add(value));
  const rising = await sorted([...texts], (one, other) => (one < other ? -1 : 1), turn);
  const order = new Map<string, number>();
  await inTurns(rising, turn, (text, place) => order.set(text, place));
  orders.set(key, order);
  return order;
}

/** The places by the number that each has. Number and position are one number, so that the engine sorts without asking. */
async function byNumber(
  places: Uint32Array<ArrayBuffer>,
  numbers: Float64Array,
  reverse: boolean,
  turn: Turn,
): Promise<Uint32Array<ArrayBuffer>> {
  const count = places.length;
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const number of numbers) {
    if (number < lowest) lowest = number;
    if (number > highest) highest = number;
  }
  if ((highest - lowest + 1) * count > Number.MAX_SAFE_INTEGER) {
    // Dates can be as far apart as a Date field says.
    const [upper, lower] = [new Float64Array(count), new Float64Array(count)];
    await inTurns(numbers, turn, (number, at) => {
      upper[at] = Math.floor((number - lowest) / HALF);
      lower[at] = (number - lowest) % HALF;
    });
    return byNumber(await byNumber(places, lower, reverse, turn), upper, reverse, turn);
  }
  const keys = new Float64Array(count);
  await inTurns(places, turn, (place, at) => {
    const number = numbers[place] ?? 0;
    keys[at] = (reverse ? highest - number : number - lowest) * count + at;
  });
  const rising = await sortedNumbers(keys, turn);
  const arranged = new Uint32Array(count);
  await inTurns(rising, turn, (key, at) => {
    arranged[at] = places[key % count] ?? 0;
  });
  return arranged;
}
