// The UIDs of a mailbox in ascending order, as one client numbers them: sequence number 1 is the first. The store's own
// array is shared, and never written to, until something in it is removed; what arrives stands in a tail of our own.

import { placeOf } from '../store/ascending.ts';

const NONE = new Uint32Array(0);

export class UidList {
  #base: Uint32Array;
  #tail: Uint32Array = NONE;
  #tailLength = 0;

  /** @param base ascending; may be shared with others */
  constructor(base: Uint32Array) {
    this.#base = base;
  }

  get length(): number {
    return this.#base.length + this.#tailLength;
  }

  /** The UID with this sequence number. @throws RangeError for a number that no message has */
  at(sequence: number): number {
    const uid = this.#base[sequence - 1] ?? this.#tail[sequence - 1 - this.#base.length];
    if (uid === undefined || sequence > this.length) throw new RangeError(`no message ${sequence}`);
    return uid;
  }

  /** The highest UID; 0: the list is empty. */
  get last(): number {
    return this.length === 0 ? 0 : this.at(this.length);
  }

  /** How many UIDs are lower than this one. */
  countBelow(uid: number): number {
    const base = this.#base.length;
    const highest = this.#base[base - 1] ?? 0;
    return uid <= highest ? placeOf(this.#base, uid) : base + placeOf(this.#tail, uid, 0, this.#tailLength);
  }

  /** The sequence number of this UID; 0: it is not here. */
  sequenceOf(uid: number): number {
    const below = this.countBelow(uid);
    return below < this.length && this.at(below + 1) === uid ? below + 1 : 0;
  }

  /** Adds UIDs above all others. */
  append(uids: ArrayLike<number>): void {
    const length = this.#tailLength + uids.length;
    if (length > this.#tail.length) {
      const larger = new Uint32Array(Math.max(8, 2 * length));
      larger.set(this.#tail.subarray(0, this.#tailLength));
      this.#tail = larger;
    }
    this.#tail.set(uids, this.#tailLength);
    this.#tailLength = length;
  }

  /** Takes UIDs out, and returns the sequence numbers that they had, ascending. */
  remove(gone: ReadonlySet<number>): number[] {
    const sequences: number[] = [];
    const kept = new Uint32Array(this.length);
    let length = 0;
    for (let sequence = 1; sequence <= this.length; sequence++) {
      const uid = this.at(sequence);
      if (gone.has(uid)) sequences.push(sequence);
      else kept[length++] = uid;
    }
    if (sequences.length > 0) {
      this.#base = kept.slice(0, length);
      this.#tail = NONE;
      this.#tailLength = 0;
    }
    return sequences;
  }

  /** UIDs of the sequence numbers `first` to `last`, both included. */
  slice(first: number, last: number): Uint32Array {
    const base = this.#base.length;
    if (last <= base) return this.#base.subarray(first - 1, last);
    if (first > base) return this.#tail.subarray(first - 1 - base, last - base);
    const both = new Uint32Array(last - first + 1);
    both.set(this.#base.subarray(first - 1));
    both.set(this.#tail.subarray(0, last - base), base - first + 1);
    return both;
  }
}
