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

/** The bounds of a range, which may be said in any order (RFC 3501 §9, seq-range), the lower one first. */
export function ordered(a: number, b: number): [number, number] {
  return a <= b ? [a, b] : [b, a];
}

/** Ascending, each once. */
export function union(a: Uint32Array, b: Uint32Array): Uint32Array {
  return Uint32Array.from(new Set([...a, ...b])).sort();
}
