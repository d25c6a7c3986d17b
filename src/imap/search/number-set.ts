// A sequence set or UID set (RFC 3501 §9) ready to be asked about many numbers.

import { placeOf } from '../../store/ascending.ts';
import { Ranges } from '../ranges.ts';
import type { SetBound, SetRange } from './keys.ts';

/** The ranges of a set. @param largest what `*` stands for */
export function rangesOf(set: readonly SetRange[], largest: number): Ranges {
  const value = (bound: SetBound): number => (bound === '*' ? largest : bound);
  const runs = set.map(({ first, last }) => ({
    first: Math.min(value(first), value(last)),
    last: Math.max(value(first), value(last)),
  }));
  const ranges = new Ranges();
  for (const { first, last } of runs.sort((a, b) => a.first - b.first)) ranges.add(first, last);
  return ranges;
}

/** A test for membership. `largest` is what `*` stands for; 0 in an empty mailbox, where nothing is a member. */
export function numberSet(set: readonly SetRange[], largest: number): (number: number) => boolean {
  const ranges = rangesOf(set, largest);
  return (number) => ranges.has(number);
}

/** A test for membership in these numbers, which ascend. */
export function memberOf(numbers: Uint32Array): (number: number) => boolean {
  return (number) => numbers[placeOf(numbers, number)] === number;
}
