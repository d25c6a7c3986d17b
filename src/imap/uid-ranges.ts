// Ranges of UIDs that only grow upwards, as what is \Recent in a session does. However many messages come one by one, and
// whoever else gets some of them in between, asking stays cheap.

interface UidRange {
  readonly first: number;
  last: number;
}

export class UidRanges {
  /** Ascending and apart from each other. */
  readonly #ranges: UidRange[] = [];

  /** Adds `first` to `last`, both included; nothing if there are none. `first` is never below that of the call before. */
  add(first: number, last: number): void {
    if (first > last) return;
    const highest = this.#ranges.at(-1);
    if (highest && first <= highest.last + 1) highest.last = Math.max(highest.last, last);
    else this.#ranges.push({ first, last });
  }

  has(uid: number): boolean {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle]?.first ?? 0) <= uid) low = middle + 1;
      else high = middle;
    }
    return uid <= (this.#ranges[low - 1]?.last ?? 0);
  }

  [Symbol.iterator](): Iterator<Readonly<UidRange>> {
    return this.#ranges.values();
  }
}
