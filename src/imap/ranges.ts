// Ranges of sequence numbers or UIDs that only grow upwards: what is \Recent in a session, and what a set of a client's
// names. However many messages come one by one, and whoever else gets some of them in between, asking stays cheap.

import type { UidRun } from '../store/store.ts';

export class Ranges {
  /** Ascending and apart from each other. */
  readonly #ranges: { readonly first: number; last: number }[] = [];

  /** Adds `first` to `last`, both included; nothing if there are none. `first` is never below that of the call before. */
  add(first: number, last: number): void {
    if (first > last) return;
    const highest = this.#ranges.at(-1);
    if (highest && first <= highest.last + 1) highest.last = Math.max(highest.last, last);
    else this.#ranges.push({ first, last });
  }

  has(number: number): boolean {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle]?.first ?? 0) <= number) low = middle + 1;
      else high = middle;
    }
    return number <= (this.#ranges[low - 1]?.last ?? -1);
  }

  [Symbol.iterator](): ArrayIterator<UidRun> {
    return this.#ranges.values();
  }
}
