// Changes of annotations that others have made, for a client that has enabled METADATA (RFC 5464 §4.4.2): gathered from
// the store's feed, told where something may be said.

import type { MailboxId } from '../store/rows.ts';
import type { Change } from '../store/store.ts';
import { mailboxSeen, type User } from './access.ts';
import type { Enabled } from './enabled.ts';
import { nameText } from './grammar/mailbox-name.ts';
import { SPECIAL_USE } from './grammar/metadata-entry.ts';
import { LIMIT } from './limits.ts';
import { astring } from './render/strings.ts';
import { allows } from './rights.ts';

const SERVER = 'server';

type Annotated = Extract<Change, { readonly kind: 'annotated' }>;

/** Whose session it is. */
interface Listener extends User {
  readonly enabled: Readonly<Enabled>;
  /** Of the session, whose own changes are no news. */
  readonly id: string;
  /** Ends it. */
  dismiss(text: string): void;
}

export class AnnotationNews {
  readonly #listener: Listener;
  readonly #news: () => void;
  readonly #unfollow: () => void;
  /** Entries by their mailbox. */
  #changed = new Map<MailboxId | typeof SERVER, Set<string>>();
  #count = 0;

  /** @param news something is to be told, to a session that waits */
  constructor(listener: Listener, news: () => void) {
    this.#listener = listener;
    this.#news = news;
    this.#unfollow = listener.store.follow({ kind: 'annotated' }, (change) => {
      if (change.kind === 'annotated') this.#note(change);
    });
  }

  get waiting(): boolean {
    return this.#changed.size > 0;
  }

  /** metadata-resp = "METADATA" SP mailbox SP entry-list, for each that has changed and that this user may know of; told
   * once. @param wants is it to be told of this mailbox? null: of the server */
  async take(wants: (name: string | null) => boolean): Promise<string[]> {
    if (this.#changed.size === 0) return [];
    const changed = this.#changed;
    this.#changed = new Map();
    this.#count = 0;
    const lines: string[] = [];
    for (const [mailbox, entries] of changed) {
      const name = mailbox === SERVER ? '' : await this.#nameOf(mailbox);
      if (name !== null && wants(mailbox === SERVER ? null : name))
        lines.push(`* METADATA ${nameText(name, this.#listener.enabled)} ${[...entries].map(astring).join(' ')}`);
    }
    return lines;
  }

  async #nameOf(mailbox: MailboxId): Promise<string | null> {
    const seen = await mailboxSeen(this.#listener, mailbox);
    return seen && allows(seen.rights, 'annotate') ? seen.name : null;
  }

  close(): void {
    this.#unfollow();
  }

  #note(change: Annotated): void {
    const { account, id } = this.#listener;
    if (change.origin === id || (change.mailbox === null && change.account !== account)) return;
    const seen = change.entries.filter(({ shared }) => shared || change.by === account).map(({ entry }) => entry);
    if (change.specialUse && change.account === account) seen.push(SPECIAL_USE);
    if (seen.length === 0) return;
    const subject = change.mailbox ?? SERVER;
    const entries = this.#changed.get(subject) ?? new Set();
    for (const entry of seen) {
      if (entries.has(entry)) continue;
      entries.add(entry);
      this.#count++;
    }
    this.#changed.set(subject, entries);
    if (this.#count <= LIMIT.metadataNews) this.#news();
    else this.#listener.dismiss('Too many annotations have changed since you last listened');
  }
}
