// Numbers in ascending order: where one stands, found by halves, and which of them follow each other.

import type { UidRun } from './store.ts';

/** The first place of `[from, to)` whose number is not below this one; `to` where all are. */
export function placeOf(numbers: Uint32Array, number: number, from = 0, to = numbers.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Runs of numbers that each follow the one before by one, in their order; a number that comes again begins another. One
 * statement, or one range of a response, can do for a run. */
export function runsOf(numbers: Iterable<number>): UidRun[] {
  const found: { first: number; last: number }[] = [];
  let run: { first: number; last: number } | undefined;
  for (const number of numbers) {
    if (run !== undefined && run.last + 1 === number) run.last = number;
    else {
      run = { first: number, last: number };
      found.push(run);
    }
  }
  return found;
}
