// A sequence set or UID set (RFC 3501 §9) ready to be asked about many numbers.

import type { SetRange } from './keys.ts';

/** A test for membership. `largest` is what `*` stands for; 0 in an empty mailbox, where nothing is a member. */
export function numberSet(set: readonly SetRange[], largest: number): (number: number) => boolean {
  const value = (bound: number | '*'): number => (bound === '*' ? largest : bound);
  const ranges = set
    .map(({ first, last }) => ({ low: Math.min(value(first), value(last)), high: Math.max(value(first), value(last)) }))
    .toSorted((a, b) => a.low - b.low);
  // Overlapping ranges as one, so that a search by halves finds the right one.
  const lows: number[] = [];
  const highs: number[] = [];
  for (const { low, high } of ranges) {
    const end = highs.at(-1);
    if (end !== undefined && low <= end + 1) highs[highs.length - 1] = Math.max(end, high);
    else {
      lows.push(low);
      highs.push(high);
    }
  }
  return (number) => {
    let left = 0;
    let right = lows.length;
    while (left < right) {
      const middle = (left + right) >> 1;
      if ((lows[middle] ?? 0) <= number) left = middle + 1;
      else right = middle;
    }
    return left > 0 && number <= (highs[left - 1] ?? 0);
  };
}

/** A test for membership in these numbers, which ascend. */
export function memberOf(numbers: Uint32Array): (number: number) => boolean {
  return (number) => {
    let left = 0;
    let right = numbers.length;
    while (left < right) {
      const middle = (left + right) >>> 1;
      if ((numbers[middle] ?? 0) < number) left = middle + 1;
      else right = middle;
    }
    return numbers[left] === number;
  };
}
