// The results of a search that its client follows (RFC 5267 §4.3): what is among them, and how what comes and goes is
// told. A search has them in the order of the mailbox, where no position is needed; a sort has each at its place.

import { setPieces } from '../grammar/sequence-set.ts';
import type { Comparison } from '../sort/merge-sort.ts';
import type { Sortable } from '../sort/order.ts';

export interface ResultList {
  readonly size: number;
  has(uid: number): boolean;
  /** Takes results out that are among them. @returns pairs of context-position and sequence-set */
  remove(uids: readonly number[], number: (uid: number) => number): string;
  /** Puts results in that are not. @returns the same */
  add(messages: readonly Sortable[], number: (uid: number) => number): string;
}

export class SearchResults implements ResultList {
  readonly #uids: Set<number>;

  constructor(uids: Iterable<number>) {
    this.#uids = new Set(uids);
  }

  get size(): number {
    return this.#uids.size;
  }

  has(uid: number): boolean {
    return this.#uids.has(uid);
  }

  remove(uids: readonly number[], number: (uid: number) => number): string {
    for (const uid of uids) this.#uids.delete(uid);
    return anywhere(uids, number);
  }

  add(messages: readonly Sortable[], number: (uid: number) => number): string {
    for (const { uid } of messages) this.#uids.add(uid);
    return anywhere(
      messages.map(({ uid }) => uid),
      number,
    );
  }
}

/** RFC 5267 §4.3.3: position 0 says that the client keeps the order of the mailbox by itself. */
function anywhere(uids: readonly number[], number: (uid: number) => number): string {
  return `0 ${[...setPieces(uids.toSorted((a, b) => a - b).map(number))].join('')}`;
}

export class SortResults implements ResultList {
  readonly #inOrder: Sortable[];
  readonly #byUid: Map<number, Sortable>;
  readonly #compare: Comparison<Sortable>;

  /** @param inOrder by `compare` */
  constructor(inOrder: readonly Sortable[], compare: Comparison<Sortable>) {
    this.#inOrder = [...inOrder];
    this.#byUid = new Map(inOrder.map((message) => [message.uid, message]));
    this.#compare = compare;
  }

  get size(): number {
    return this.#inOrder.length;
  }

  has(uid: number): boolean {
    return this.#byUid.has(uid);
  }

  remove(uids: readonly number[], number: (uid: number) => number): string {
    const pairs: string[] = [];
    for (const uid of uids) {
      const message = this.#byUid.get(uid);
      if (!message) continue;
      const at = this.#placeOf(message);
      this.#inOrder.splice(at, 1);
      this.#byUid.delete(uid);
      pairs.push(`${at + 1} ${number(uid)}`);
    }
    return pairs.join(' ');
  }

  add(messages: readonly Sortable[], number: (uid: number) => number): string {
    const pairs: string[] = [];
    for (const message of messages) {
      const at = this.#placeOf(message);
      this.#inOrder.splice(at, 0, message);
      this.#byUid.set(message.uid, message);
      pairs.push(`${at + 1} ${number(message.uid)}`);
    }
    return pairs.join(' ');
  }

  /** Where it stands, or would. */
  #placeOf(message: Sortable): number {
    let low = 0;
    let high = this.#inOrder.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#inOrder[middle];
      if (other && this.#compare(other, message) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
