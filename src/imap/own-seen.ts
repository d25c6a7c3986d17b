// The store as a user sees it who has another's mailbox open: \Seen is his own (RFC 4314 §2.1, the "s" right), all else is
// everybody's. Commands read and write through it without knowing.

import { type AccountId, Flag, type MailboxId, type MessageRow } from '../store/rows.ts';
import type { Change, Page, Store } from '../store/store.ts';

export class OwnSeen {
  /** What commands use instead of the store that it stands for. */
  readonly store: Store;
  readonly #account: AccountId;
  readonly #mailbox: MailboxId;
  readonly #unfollow: () => void;
  readonly #seen = new Set<number>();
  /** Changes that came before what was there before them; null: it is here. */
  #early: Change[] | null = [];

  private constructor(store: Store, mailbox: MailboxId, account: AccountId) {
    this.#account = account;
    this.#mailbox = mailbox;
    this.#unfollow = store.follow({ mailbox }, (change) => this.#note(change));
    this.store = this.#standIn(store);
  }

  static async open(store: Store, mailbox: MailboxId, account: AccountId): Promise<OwnSeen> {
    const own = new OwnSeen(store, mailbox, account);
    try {
      for (const uid of await store.read.seenBy(mailbox, account)) own.#seen.add(uid);
    } catch (error) {
      own.close();
      throw error;
    }
    const early = own.#early ?? [];
    own.#early = null;
    for (const change of early) own.#note(change);
    return own;
  }

  close(): void {
    this.#unfollow();
  }

  #note(change: Change): void {
    if (change.kind !== 'seen' || change.by !== this.#account) return;
    if (this.#early) {
      this.#early.push(change);
      return;
    }
    for (const [at, uid] of change.uids.entries()) {
      if (((change.flags[at] ?? 0) & Flag.Seen) !== 0) this.#seen.add(uid);
      else this.#seen.delete(uid);
    }
  }

  #flags(uid: number, flags: number): number {
    return this.#seen.has(uid) ? flags | Flag.Seen : flags & ~Flag.Seen;
  }

  readonly #page = ({ rows, commit }: Page<MessageRow>): Page<MessageRow> => ({
    rows: rows.map((row) => ({ ...row, flags: this.#flags(row.uid, row.flags) })),
    commit,
  });

  /** A change as this user sees it. */
  #translated(change: Change): Change {
    if (change.kind === 'seen' && change.by === this.#account) {
      const { mailbox, account, modSeq, uids, flags, keywords, view, commit } = change;
      return { kind: 'flags', mailbox, account, modSeq, uids, flags, keywords, view, commit };
    }
    if (change.kind !== 'flags' && change.kind !== 'added') return change;
    return { ...change, flags: Uint8Array.from(change.flags, (flags, at) => this.#flags(change.uids[at] ?? 0, flags)) };
  }

  #standIn(store: Store): Store {
    const mine = (id: MailboxId) => id === this.#mailbox;
    const { read } = store;
    const execute = (command: Parameters<Store['execute']>[0]) => {
      const by = this.#account;
      switch (command.kind) {
        case 'flags':
          return store.execute(mine(command.mailbox) ? { ...command, seenBy: by } : command);
        case 'copy':
          return store.execute(mine(command.from) ? { ...command, seenFrom: by } : command);
        case 'move':
          return store.execute(mine(command.from) ? { ...command, seenFrom: by } : command);
        default:
          return store.execute(command);
      }
    };
    return {
      // Each kind of command keeps its kind, and so its result, which a union does not say.
      execute: execute as Store['execute'],
      views: store.views,
      stage: () => store.stage(),
      follow: (topic, listener) =>
        'mailbox' in topic && mine(topic.mailbox)
          ? store.follow(topic, (change) => listener(this.#translated(change)))
          : store.follow(topic, listener),
      failed: store.failed,
      close: () => store.close(),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
      read: {
        ...read,
        messages: async (id, uids) => {
          const page = await read.messages(id, uids);
          return mine(id) ? this.#page(page) : page;
        },
        changedSince: async (id, since, after) => {
          const page = await read.changedSince(id, since, after);
          return mine(id) ? this.#page(page) : page;
        },
        opening: async (id) => {
          if (!mine(id)) return read.opening(id);
          const opening = await read.uids(id);
          const first = opening.uids.find((uid) => !this.#seen.has(uid));
          return { ...opening, firstUnseen: first === undefined ? null : (first as MessageRow['uid']) }; // of the store
        },
        uidsWith: async (id, set, clear) => {
          if (!mine(id)) return read.uidsWith(id, set, clear);
          const found = await read.uidsWith(id, set & ~Flag.Seen, clear & ~Flag.Seen);
          const uids = found.uids.filter((uid) =>
            this.#seen.has(uid) ? (clear & Flag.Seen) === 0 : (set & Flag.Seen) === 0,
          );
          return { ...found, uids };
        },
      },
    };
  }
}
