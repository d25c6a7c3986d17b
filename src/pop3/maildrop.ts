// A maildrop (RFC 1939 §4): INBOX as it was when the session logged in, numbered from 1, with what is marked as deleted. It
// is a view of the store: what other sessions expunge stays readable until this one ends, and what arrives is not seen.

import type { Clock } from '../platform/clock.ts';
import {
  type AccountId,
  Flag,
  type MailboxId,
  type MailboxRow,
  type MessageRow,
  type Uid,
  type ViewId,
} from '../store/rows.ts';
import type { Change, Store } from '../store/store.ts';
import { LIMIT } from './limits.ts';
import { refusal } from './reply.ts';

interface Surroundings {
  readonly store: Store;
  readonly clock: Clock;
  /** The session must end: the store keeps what others expunged no longer, or the maildrop is no more. */
  readonly over: (why: 'overdue' | 'gone') => void;
}

/** A message that is not marked as deleted, with its number. */
interface Listed {
  readonly number: number;
  readonly row: MessageRow;
}

export class Maildrop {
  readonly #around: Surroundings;
  readonly #mailbox: MailboxId;
  readonly #uidValidity: number;
  readonly #view: ViewId;
  /** By number, from 1; the store's own array. */
  readonly #uids: Uint32Array;
  /** As they go over the wire, dots not counted twice (RFC 1939 §11). */
  readonly #octets: number;
  readonly #unfollow: () => void;
  #stopOverdue: (() => void) | null = null;
  /** Numbers. */
  readonly #deleted = new Set<number>();
  #deletedOctets = 0;
  /** Messages that went to the client whole and have no \Seen. */
  readonly #seen = new Set<Uid>();

  private constructor(
    around: Surroundings,
    mailbox: MailboxRow,
    octets: number,
    view: ViewId,
    uids: Uint32Array,
    unfollow: () => void,
  ) {
    this.#around = around;
    this.#mailbox = mailbox.id;
    this.#uidValidity = mailbox.uidValidity;
    this.#view = view;
    this.#uids = uids;
    this.#octets = octets;
    this.#unfollow = unfollow;
  }

  /** Takes the snapshot. @throws StoreError, Pop3Refusal */
  static async open(account: AccountId, around: Surroundings): Promise<Maildrop> {
    const { store } = around;
    const inbox = await store.read.mailboxByName(account, 'INBOX');
    if (!inbox) throw refusal('There is no maildrop', 'SYS/PERM');
    let maildrop: Maildrop | null = null;
    const early: Change[] = [];
    const unfollow = store.follow({ mailbox: inbox.id }, (change) => {
      if (maildrop) maildrop.#note(change);
      else early.push(change);
    });
    // Before the UIDs are read, so that none of them goes in between.
    const { view } = store.views.open(inbox.id);
    try {
      const { uids, mailbox, lineOctets } = await store.read.maildrop(inbox.id);
      maildrop = new Maildrop(around, mailbox, lineOctets, view, uids, unfollow);
      for (const change of early) maildrop.#note(change);
      return maildrop;
    } catch (error) {
      unfollow();
      store.views.close(view);
      throw error;
    }
  }

  /** What is not marked as deleted, for STAT. */
  get standing(): { readonly messages: number; readonly octets: number } {
    return { messages: this.#uids.length - this.#deleted.size, octets: this.#octets - this.#deletedOctets };
  }

  /** Numbers of what is not marked as deleted, ascending, from `first` on and at most `most`. */
  numbers(first: number, most: number): number[] {
    const numbers: number[] = [];
    for (let number = first; number <= this.#uids.length && numbers.length < most; number++) {
      if (!this.#deleted.has(number)) numbers.push(number);
    }
    return numbers;
  }

  /** Everything that is not marked as deleted, a page at a time. */
  async *listed(): AsyncGenerator<readonly Listed[]> {
    for (let first = 1; ; ) {
      const numbers = this.numbers(first, LIMIT.page);
      const last = numbers.at(-1);
      if (last === undefined) return;
      first = last + 1;
      const byUid = new Map(numbers.map((number) => [this.#uidOf(number), number]));
      const { rows } = await this.#around.store.read.messages(this.#mailbox, [...byUid.keys()]);
      yield rows.map((row) => ({ number: byUid.get(row.uid) ?? 0, row }));
    }
  }

  /** One message. @throws Pop3Refusal if there is none with this number, or it is marked as deleted */
  async message(number: number): Promise<MessageRow> {
    this.requireMessage(number);
    const { rows } = await this.#around.store.read.messages(this.#mailbox, [this.#uidOf(number)]);
    const [row] = rows;
    if (!row) throw refusal('The message is gone', 'SYS/PERM', 'a row of the snapshot was freed too soon');
    return row;
  }

  /** @throws Pop3Refusal */
  requireMessage(number: number): void {
    if (number < 1 || number > this.#uids.length) {
      throw refusal(`There is no such message: the maildrop has ${this.#uids.length}`);
    }
    if (this.#deleted.has(number)) throw refusal('The message is marked as deleted');
  }

  /** RFC 1939 §7: never the same for another message, since no UID is given out again within a UIDVALIDITY. */
  uniqueId(number: number): string {
    return `${this.#uidValidity}.${this.#uidOf(number)}`;
  }

  /** Marks a message as deleted. @throws Pop3Refusal */
  async delete(number: number): Promise<void> {
    const { lineSize } = await this.message(number);
    this.#deleted.add(number);
    this.#deletedOctets += lineSize;
  }

  reset(): void {
    this.#deleted.clear();
    this.#deletedOctets = 0;
  }

  /** The client has the whole message: other clients see it as read, as with the servers that people know. */
  retrieved({ uid, flags }: MessageRow): void {
    if ((flags & Flag.Seen) === 0) this.#seen.add(uid);
  }

  /** The UPDATE state (RFC 1939 §6): takes out all that is marked, in one commit, or nothing. @throws StoreError */
  async update(): Promise<number> {
    const uids = [...this.#deleted].map((number) => this.#uidOf(number)).sort((one, other) => one - other);
    if (uids.length === 0) return 0;
    await this.#around.store.execute({
      kind: 'expunge',
      mailbox: this.#mailbox,
      uids,
      force: true,
      view: this.#view,
    });
    for (const uid of uids) this.#seen.delete(uid);
    return uids.length;
  }

  /** Gives the snapshot up, however the session ended. @throws StoreError */
  async close(): Promise<void> {
    this.#unfollow();
    this.#stopOverdue?.();
    try {
      await this.#markSeen();
    } finally {
      this.#around.store.views.close(this.#view);
    }
  }

  async #markSeen(): Promise<void> {
    const uids = [...this.#seen].sort((one, other) => one - other);
    this.#seen.clear();
    for (let at = 0; at < uids.length; at += LIMIT.flagsAtOnce) {
      await this.#around.store.execute({
        kind: 'flags',
        mailbox: this.#mailbox,
        uids: uids.slice(at, at + LIMIT.flagsAtOnce),
        mode: 'add',
        flags: Flag.Seen,
        keywords: [],
        unchangedSince: null,
        view: this.#view,
      });
    }
  }

  #note(change: Change): void {
    const { clock, over } = this.#around;
    if (change.kind === 'mailbox-deleted') over('gone');
    else if (change.kind === 'expunged' && change.view !== this.#view) {
      this.#stopOverdue ??= clock.after(LIMIT.expungedElsewhere, () => over('overdue'));
    }
  }

  #uidOf(number: number): Uid {
    return (this.#uids[number - 1] ?? 0) as Uid; // the array holds nothing else
  }
}
