// The order that SORT asks for (RFC 5256 §3, RFC 5957 §4, RFC 6203 §6): criteria as values, the comparison that they
// make, and sorting that lets others have their turn.

import type { Turn } from '../../platform/turn.ts';
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

export type Comparison<T> = (one: T, other: T) => number;

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

/**
 * The messages in the order that the criteria ask for.
 * @param messages in the order of the mailbox
 */
export async function inOrder(
  messages: readonly Sortable[],
  criteria: readonly SortCriterion[],
  turn: Turn,
): Promise<Sortable[]> {
  const columns: { readonly values: Float64Array; readonly sign: number }[] = [];
  for (const { key, reverse } of criteria) {
    columns.push({ values: await column(messages, VALUES[key], turn), sign: reverse ? -1 : 1 });
  }
  const compare: Comparison<number> = (one, other) => {
    for (const { values, sign } of columns) {
      const difference = (values[one] ?? 0) - (values[other] ?? 0);
      if (difference !== 0) return sign * difference;
    }
    return one - other;
  };
  const places = await sorted([...messages.keys()], compare, turn);
  return places.flatMap((place) => messages[place] ?? []);
}

/** A criterion's values as numbers. Of strings they are the places: each is compared with the others only once. */
async function column(
  messages: readonly Sortable[],
  value: (message: Sortable) => number | string,
  turn: Turn,
): Promise<Float64Array> {
  const values = messages.map(value);
  const texts = new Set(values.filter((one) => typeof one === 'string'));
  const rising = await sorted([...texts], (one, other) => (one < other ? -1 : 1), turn);
  const places = new Map(rising.map((text, place) => [text, place]));
  return Float64Array.from(values, (one) => (typeof one === 'number' ? one : (places.get(one) ?? 0)));
}

/** Messages that are sorted at once, and what one step of merging costs of a turn. */
const RUN = 2_048;
const STEP_COST = 64;

/** Sorted copies of the items: runs by the engine, merged by twos, others having their turn in between. */
export async function sorted<T>(items: readonly T[], compare: Comparison<T>, turn: Turn): Promise<T[]> {
  let runs: T[][] = [];
  for (let at = 0; at < items.length; at += RUN) {
    const run = items.slice(at, at + RUN).sort(compare);
    runs.push(run);
    turn.spend(run.length * STEP_COST);
    if (turn.over) await turn.pass();
  }
  while (runs.length > 1) {
    const longer: T[][] = [];
    for (let at = 0; at < runs.length; at += 2) {
      longer.push(await merged(runs[at] ?? [], runs[at + 1] ?? [], compare, turn));
    }
    runs = longer;
  }
  return runs[0] ?? [];
}

async function merged<T>(left: T[], right: T[], compare: Comparison<T>, turn: Turn): Promise<T[]> {
  if (right.length === 0) return left;
  const all: T[] = [];
  let fromLeft = 0;
  let fromRight = 0;
  while (fromLeft < left.length || fromRight < right.length) {
    const a = left[fromLeft];
    const b = right[fromRight];
    if (b === undefined || (a !== undefined && compare(a, b) <= 0)) {
      if (a !== undefined) all.push(a);
      fromLeft += 1;
    } else {
      all.push(b);
      fromRight += 1;
    }
    if (all.length % RUN === 0) {
      turn.spend(RUN * STEP_COST);
      await turn.pass();
    }
  }
  return all;
}
