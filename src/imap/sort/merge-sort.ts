// Work on very many messages that lets others have their turn, above all sorting: runs by the engine, merged by twos.

import type { Turn } from '../../platform/turn.ts';

/** Below zero: the first one comes first. */
export type Comparison<T> = (one: T, other: T) => number;

/** Items, and numbers, that are sorted at once. */
const RUN = 2_048;
const NUMBERS = 65_536;
/** What one step of merging costs of a turn, as sorting an item does, and sorting a number. */
const STEP_COST = 64;
const NUMBER_COST = 4;

/** Items that are looked at without a turn in between, and what each costs of it. */
const PIECE = 8_192;
const ITEM_COST = 16;

/** Does the same with each of the items. */
export async function inTurns<T>(items: ArrayLike<T>, turn: Turn, step: (item: T, at: number) => void): Promise<void> {
  for (let at = 0; at < items.length; ) {
    const end = Math.min(items.length, at + PIECE);
    turn.spend((end - at) * ITEM_COST);
    // It is there.
    for (; at < end; at++) step(items[at] as T, at);
    if (turn.over) await turn.pass();
  }
}

/** A sorted copy of the items. What is alike stays in its order. */
export async function sorted<T>(items: readonly T[], compare: Comparison<T>, turn: Turn): Promise<T[]> {
  const runs: T[][] = [];
  for (let at = 0; at < items.length; at += RUN) {
    const run = items.slice(at, at + RUN).sort(compare);
    runs.push(run);
    turn.spend(run.length * STEP_COST);
    if (turn.over) await turn.pass();
  }
  return merged<T, T[]>(runs, compare, turn);
}

/** The numbers, rising. They are sorted in place, in part. */
export async function sortedNumbers(numbers: Float64Array, turn: Turn): Promise<Float64Array> {
  const runs: Float64Array[] = [];
  for (let at = 0; at < numbers.length; at += NUMBERS) {
    const run = numbers.subarray(at, at + NUMBERS).sort();
    runs.push(run);
    turn.spend(run.length * NUMBER_COST);
    if (turn.over) await turn.pass();
  }
  const rising = await merged<number, Float64Array>(runs, (one, other) => one - other, turn);
  return rising instanceof Float64Array ? rising : Float64Array.from(rising);
}

async function merged<T, Run extends ArrayLike<T>>(
  sortedRuns: readonly Run[],
  compare: Comparison<T>,
  turn: Turn,
): Promise<Run | T[]> {
  let runs: readonly (Run | T[])[] = sortedRuns;
  while (runs.length > 1) {
    const longer: (Run | T[])[] = [];
    for (let at = 0; at < runs.length; at += 2) {
      longer.push(await mergedPair<T, Run>(runs[at] ?? [], runs[at + 1] ?? [], compare, turn));
    }
    runs = longer;
  }
  return runs[0] ?? [];
}

async function mergedPair<T, Run extends ArrayLike<T>>(
  left: Run | T[],
  right: Run | T[],
  compare: Comparison<T>,
  turn: Turn,
): Promise<Run | T[]> {
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
