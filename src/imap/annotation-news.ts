// Changes of annotations that others have made, for a client that has enabled METADATA (RFC 5464 §4.4.2): gathered from
// the store's feed, told where something may be said.

import type { AccountId } from '../store/rows.ts';
import type { Change, Store } from '../store/store.ts';
import { nameText } from './grammar/mailbox-name.ts';
import { SPECIAL_USE } from './grammar/metadata-entry.ts';
import { LIMIT } from './limits.ts';
import { astring } from './render/strings.ts';

type Annotated = Extract<Change, { readonly kind: 'annotated' }>;

export interface Listener {
  readonly store: Store;
  readonly account: AccountId;
  /** Of the session, whose own changes are no news. */
  readonly origin: string;
  /** Something is to be told, to a session that waits. */
  readonly news: () => void;
  /** More has changed than can be kept. */
  readonly overflow: () => void;
}

export class AnnotationNews {
  readonly #listener: Listener;
  readonly #unfollow: () => void;
  /** Entries by the name of their mailbox; "" is the server. */
  #changed = new Map<string, Set<string>>();
  #count = 0;

  constructor(listener: Listener) {
    this.#listener = listener;
    this.#unfollow = listener.store.follow({ kind: 'annotated' }, (change) => {
      if (change.kind === 'annotated') this.#note(change);
    });
  }

  get waiting(): boolean {
    return this.#changed.size > 0;
  }

  /** metadata-resp = "METADATA" SP mailbox SP entry-list, for each that has changed; told once. */
  take(): string[] {
    const lines = Array.from(
      this.#changed,
      ([name, entries]) => `* METADATA ${nameText(name)} ${[...entries].map(astring).join(' ')}`,
    );
    this.#changed = new Map();
    this.#count = 0;
    return lines;
  }

  close(): void {
    this.#unfollow();
  }

  #note(change: Annotated): void {
    const { account, origin, news, overflow } = this.#listener;
    if (change.origin === origin || change.account !== account) return;
    const seen = change.entries.filter(({ shared }) => shared || change.by === account).map(({ entry }) => entry);
    if (change.specialUse) seen.push(SPECIAL_USE);
    if (seen.length === 0) return;
    const entries = this.#changed.get(change.name) ?? new Set();
    for (const entry of seen) {
      if (entries.has(entry)) continue;
      entries.add(entry);
      this.#count++;
    }
    this.#changed.set(change.name, entries);
    if (this.#count > LIMIT.metadataNews) overflow();
    else news();
  }
}
