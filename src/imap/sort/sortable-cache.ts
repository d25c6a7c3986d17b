// Messages at hand as they are compared: a client that sorts a mailbox sorts it again soon, page by page or by another
// column. What a UID stands for never changes.

import type { MailboxId } from '../../store/rows.ts';
import { LIMIT } from '../limits.ts';
import type { Sortable } from './order.ts';
import type { SortKeys } from './sort-keys.ts';

/** Of what comes when there is no room, one in so many takes the place of the oldest: messages of a mailbox that is larger
 * than this would drive each other out, and none be found. */
const ONE_IN = 8;

const NONE: ReadonlyMap<number, Sortable> = new Map();

export class SortableCache {
  /** By UID; the mailbox that was sorted last is the last one. */
  readonly #mailboxes = new Map<MailboxId, Map<number, Sortable>>();
  #size = 0;
  #turnedAway = 0;

  /** Those of a mailbox, by their UIDs. */
  of(mailbox: MailboxId): ReadonlyMap<number, Sortable> {
    const messages = this.#mailboxes.get(mailbox);
    if (messages === undefined) return NONE;
    this.#mailboxes.delete(mailbox);
    this.#mailboxes.set(mailbox, messages);
    return messages;
  }

  /** @param message with its sort keys */
  put(mailbox: MailboxId, message: Sortable): void {
    if (message.keys === null || sizeOf(message.keys) > LIMIT.sortableSize) return;
    if (this.#size >= LIMIT.sortablesKept) {
      this.#turnedAway += 1;
      if (this.#turnedAway % ONE_IN !== 0) return;
      this.#dropOldest();
    }
    let messages = this.#mailboxes.get(mailbox);
    if (messages === undefined) {
      messages = new Map();
      this.#mailboxes.set(mailbox, messages);
    }
    const before = messages.size;
    messages.set(message.uid, message);
    this.#size += messages.size - before;
  }

  #dropOldest(): void {
    for (const [mailbox, messages] of this.#mailboxes) {
      for (const uid of messages.keys()) {
        messages.delete(uid);
        break;
      }
      if (messages.size === 0) this.#mailboxes.delete(mailbox);
      break;
    }
    this.#size -= 1;
  }
}

/** Characters, roughly. */
function sizeOf({ subject, id, references }: SortKeys): number {
  return references.reduce((sum, reference) => sum + reference.length, subject.length + id.length);
}
