// Sort keys at hand: a client that sorts a mailbox sorts it again soon, page by page or by another column. Bodies never
// change, so neither do their keys.

import type { BodyId } from '../../store/rows.ts';
import { LIMIT } from '../limits.ts';
import type { SortKeys } from './sort-keys.ts';

/** Of what comes when there is no room, one in so many takes the place of the oldest: keys of a mailbox that is larger than
 * this would drive each other out, and none be found. */
const ONE_IN = 8;

export class SortKeyCache {
  readonly #keys = new Map<BodyId, SortKeys>();
  #turnedAway = 0;

  get(body: BodyId): SortKeys | undefined {
    return this.#keys.get(body);
  }

  put(body: BodyId, keys: SortKeys): void {
    if (sizeOf(keys) > LIMIT.sortKeysSize) return;
    if (this.#keys.size >= LIMIT.sortKeysKept) {
      this.#turnedAway += 1;
      if (this.#turnedAway % ONE_IN !== 0) return;
      for (const oldest of this.#keys.keys()) {
        this.#keys.delete(oldest);
        break;
      }
    }
    this.#keys.set(body, keys);
  }
}

/** Characters, roughly. */
function sizeOf({ subject, id, references }: SortKeys): number {
  return references.reduce((sum, reference) => sum + reference.length, subject.length + id.length);
}
