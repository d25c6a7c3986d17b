// Who gets \Recent (RFC 3501 §2.3.2): the first session that is told of a message. The store keeps the claims; here the
// sessions of one process agree first, so that a thousand that watch one mailbox make one claim and not a thousand.

import type { MailboxId, Uid } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { ifRoom } from './full-disk.ts';

export class RecentClaims {
  readonly #store: Store;
  /** By mailbox, as long as somebody has it selected: the highest UID that was claimed here. */
  readonly #claimed = new Map<MailboxId, { upTo: Uid; views: number }>();

  constructor(store: Store) {
    this.#store = store;
  }

  enter(mailbox: MailboxId): void {
    const claims = this.#claimed.get(mailbox);
    if (claims) claims.views++;
    else this.#claimed.set(mailbox, { upTo: 0 as Uid /* none yet */, views: 1 });
  }

  leave(mailbox: MailboxId): void {
    const claims = this.#claimed.get(mailbox);
    if (claims && --claims.views === 0) this.#claimed.delete(mailbox);
  }

  /** Claims all up to this UID that nobody has. @returns the first UID that the caller got; null: none */
  async claim(mailbox: MailboxId, upTo: Uid): Promise<Uid | null> {
    const claims = this.#claimed.get(mailbox);
    const before = claims?.upTo ?? 0;
    if (before >= upTo) return null;
    if (claims) claims.upTo = upTo;
    let claimed: { readonly recentFrom: Uid } | null = null;
    try {
      claimed = await ifRoom(this.#store.execute({ kind: 'claim-recent', mailbox, upTo }));
    } finally {
      // Nobody has got them: whoever is told next may.
      if (claimed === null && claims?.upTo === upTo) claims.upTo = before as Uid; // what it was
    }
    return claimed !== null && claimed.recentFrom <= upTo ? claimed.recentFrom : null;
  }
}
