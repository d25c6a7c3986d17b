// Messages at hand as they are compared: a client that sorts a mailbox sorts it again soon, page by page or by another
// column. What a UID stands for never changes.

import type { MailboxId } from '../../store/rows.ts';
import { LIMIT } from '../limits.ts';
import type { Sortable, TextOrders } from './order.ts';
import type { SortKeys } from './sort-keys.ts';

/** Of what comes when there is no room, one in so many takes the place of the oldest: messages of a mailbox that is larger
 * than this would drive each other out, and none be found. */
const ONE_IN = 8;

const NONE: ReadonlyMap<number, Sortable> = new Map();

/** What is kept of a mailbox. */
interface Kept {
  /** By UID. */
  readonly messages: Map<number, Sortable>;
  /** Of these messages' texts. */
  readonly orders: TextOrders;
}

export class SortableCache {
  /** The mailbox that was sorted last is the last one. */
  readonly #mailboxes = new Map<MailboxId, Kept>();
  #size = 0;
  #turnedAway = 0;

  /** Those of a mailbox, by their UIDs. */
  of(mailbox: MailboxId): ReadonlyMap<number, Sortable> {
    const kept = this.#mailboxes.get(mailbox);
    if (kept === undefined) return NONE;
    this.#mailboxes.delete(mailbox);
    this.#mailboxes.set(mailbox, kept);
    return kept.messages;
  }

  /** The orders of texts that are known of a mailbox, and may be added to. They are kept where all that is sorted is at hand,
   * so that there are no more texts in each of them than messages. @param count of the messages that are sorted */
  orders(mailbox: MailboxId, count: number): TextOrders {
    const kept = this.#mailboxes.get(mailbox);
    return kept && count <= kept.messages.size ? kept.orders : new Map();
  }

  /** @param message with its sort keys */
  put(mailbox: MailboxId, message: Sortable): void {
    if (message.keys === null || sizeOf(message.keys) > LIMIT.sortableSize) return;
    if (this.#size >= LIMIT.sortablesKept) {
      this.#turnedAway += 1;
      if (this.#turnedAway % ONE_IN !== 0) return;
      this.#dropOldest();
    }
    let kept = this.#mailboxes.get(mailbox);
    if (kept === undefined) {
      kept = { messages: new Map(), orders: new Map() };
      this.#mailboxes.set(mailbox, kept);
    }
    const { messages } = kept;
    const before = messages.size;
    messages.set(message.uid, message);
    this.#size += messages.size - before;
  }

  #dropOldest(): void {
    for (const [mailbox, { messages, orders }] of this.#mailboxes) {
      orders.clear();
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
