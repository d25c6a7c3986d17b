// Messages at hand as they are compared: a client that sorts a mailbox sorts it again soon, page by page or by another
// column. What a UID stands for never changes.

import type { MailboxId } from '../../store/rows.ts';
import { LIMIT } from '../limits.ts';
import type { Sortable, TextOrders } from './order.ts';

/** Of what comes when there is no room, one in so many takes the place of others: messages of a mailbox that is larger than
 * this would drive each other out, and none be found. */
const ONE_IN = 8;
/** Octets of a message beside its text, and of what is cut from that. */
const OVERHEAD = 270;

const NONE: ReadonlyMap<number, Sortable> = new Map();

/** What is kept of a mailbox. */
interface Kept {
  /** By UID. */
  readonly messages: Map<number, Sortable>;
  /** Of these messages' texts. */
  readonly orders: TextOrders;
  /** Those that are dropped next: begun anew for each, it would have to pass over all that were before. */
  oldest: Iterator<Sortable>;
}

export class SortableCache {
  /** The mailbox that was sorted last is the last one. */
  readonly #mailboxes = new Map<MailboxId, Kept>();
  #octets = 0;
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
   * so that they hold no text that the messages do not hold anyway. */
  orders(mailbox: MailboxId, sorted: readonly Sortable[]): TextOrders {
    const kept = this.#mailboxes.get(mailbox);
    return kept && sorted.every(({ uid }) => kept.messages.has(uid)) ? kept.orders : new Map();
  }

  /** @param message with its sort keys */
  put(mailbox: MailboxId, message: Sortable): void {
    const octets = octetsOf(message);
    if (message.keys === null || octets > LIMIT.sortableOctets) return;
    if (this.#octets + octets > LIMIT.sortablesOctets) {
      this.#turnedAway += 1;
      if (this.#turnedAway % ONE_IN !== 0) return;
      while (this.#octets + octets > LIMIT.sortablesOctets) this.#dropOldest();
    }
    let kept = this.#mailboxes.get(mailbox);
    if (kept === undefined) {
      const messages = new Map<number, Sortable>();
      kept = { messages, orders: new Map(), oldest: messages.values() };
      this.#mailboxes.set(mailbox, kept);
    }
    if (kept.messages.has(message.uid)) return;
    kept.messages.set(message.uid, message);
    this.#octets += octets;
  }

  #dropOldest(): void {
    for (const [mailbox, { messages, orders, oldest }] of this.#mailboxes) {
      orders.clear();
      const { value, done } = oldest.next();
      if (done) this.#mailboxes.delete(mailbox);
      else {
        messages.delete(value.uid);
        this.#octets -= octetsOf(value);
      }
      return;
    }
  }
}

function octetsOf({ keys }: Sortable): number {
  // The text, and no more than as much again in what is kept of its parts (sort-keys.ts).
  return OVERHEAD + 2 * (keys?.text.length ?? 0);
}
