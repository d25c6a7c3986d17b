// UIDs and flags of the mailboxes that sessions look at, and of those that came into being since the start, kept current
// from the change feed, so that a thousand views of one mailbox share one array, and a new one is never read from the disk.
// An array that was given out is never changed: new UIDs go behind its end.

import { placeOf } from '../ascending.ts';
import type { Connection } from '../engine.ts';
import { Limit } from '../limits.ts';
import { Flag, type MailboxId, type ModSeq, type Uid } from '../rows.ts';
import type { Change } from '../store.ts';

export interface IndexedMailbox {
  readonly uids: Uint32Array;
  readonly flags: Uint8Array;
  /** The mailbox's highest MODSEQ that is in it. */
  readonly modSeq: ModSeq;
}

/** Messages that weigh as much as what is kept of a mailbox beside them. */
const OVERHEAD = 100;
/** A mailbox as it is created: any change of it is newer. */
const EMPTY: IndexedMailbox = { uids: new Uint32Array(0), flags: new Uint8Array(0), modSeq: 0 as ModSeq };

export class MailboxIndex {
  /** The one used last stands last. */
  readonly #mailboxes = new Map<MailboxId, IndexedMailbox>();
  /** In messages, with the overhead of each mailbox. */
  #weight = 0;

  /** What a snapshot has, where `highest` is the mailbox's highest MODSEQ: from memory if nothing else has changed. */
  get(db: Connection, mailbox: MailboxId, highest: ModSeq): IndexedMailbox {
    const known = this.#mailboxes.get(mailbox);
    const found = known?.modSeq === highest ? known : load(db, mailbox, highest);
    this.#put(mailbox, found);
    return found;
  }

  /** Takes a change of the feed. One that is already in what was loaded later is passed over. */
  apply(change: Change): void {
    if (!('mailbox' in change) || change.mailbox === null) return;
    if (change.kind === 'mailbox-created') this.#put(change.mailbox, EMPTY);
    const known = this.#mailboxes.get(change.mailbox);
    if (known === undefined) return;
    if (change.kind === 'mailbox-deleted') this.#drop(change.mailbox);
    if (!('modSeq' in change) || change.modSeq === null || change.modSeq <= known.modSeq) return;
    this.#put(change.mailbox, applied(known, change, change.modSeq));
  }

  #put(mailbox: MailboxId, found: IndexedMailbox): void {
    this.#drop(mailbox);
    this.#mailboxes.set(mailbox, found);
    this.#weight += weightOf(found);
    for (const oldest of this.#mailboxes.keys()) {
      if (this.#weight <= Limit.indexedMessages || oldest === mailbox) break;
      this.#drop(oldest);
    }
  }

  #drop(mailbox: MailboxId): void {
    const known = this.#mailboxes.get(mailbox);
    if (known !== undefined) this.#weight -= weightOf(known);
    this.#mailboxes.delete(mailbox);
  }
}

function weightOf({ uids }: IndexedMailbox): number {
  return uids.length + OVERHEAD;
}

/** The first UID without \Seen. */
export function firstUnseenOf({ uids, flags }: IndexedMailbox): Uid | null {
  for (let at = 0; at < flags.length; at++) {
    // UIDs of the store.
    if (((flags[at] ?? 0) & Flag.Seen) === 0) return (uids[at] ?? 0) as Uid;
  }
  return null;
}

/** UIDs whose flags have every bit of `set` and none of `clear`. */
export function uidsWith({ uids, flags }: IndexedMailbox, set: number, clear: number): Uint32Array {
  return uids.filter((_, at) => {
    const bits = flags[at] ?? 0;
    return (bits & set) === set && (bits & clear) === 0;
  });
}

/** Reads a mailbox. One text of all rows is read three times faster than 100,000 row objects. */
function load(db: Connection, mailbox: MailboxId, modSeq: ModSeq): IndexedMailbox {
  const row = db.get<{ rows: number; text: string | null }>(
    `SELECT count(*) AS rows, group_concat(entry) AS text FROM (SELECT (id & 0xffffffff) * 256 + flags AS entry FROM message
     WHERE id BETWEEN (?1 << 32) AND (?1 << 32) | 0xffffffff AND expunged = 0 ORDER BY id)`,
    mailbox,
  );
  const length = row?.rows ?? 0;
  const text = row?.text ?? '';
  const uids = new Uint32Array(length);
  const flags = new Uint8Array(length);
  let entry = 0;
  let at = 0;
  for (let place = 0; place <= text.length && at < length; place++) {
    const digit = text.charCodeAt(place) - 48;
    // A comma, or behind the end.
    if (digit >= 0) entry = entry * 10 + digit;
    else {
      put(uids, flags, at, entry);
      at += 1;
      entry = 0;
    }
  }
  if (at < length) put(uids, flags, at, entry);
  return { uids, flags, modSeq };
}

function put(uids: Uint32Array, flags: Uint8Array, at: number, entry: number): void {
  uids[at] = Math.floor(entry / 256);
  flags[at] = entry % 256;
}

function applied(
  known: IndexedMailbox,
  change: Extract<Change, { readonly modSeq: ModSeq | null }>,
  modSeq: ModSeq,
): IndexedMailbox {
  switch (change.kind) {
    case 'added': {
      const uids = extended(Uint32Array, known.uids, change.uids);
      return { uids, flags: extended(Uint8Array, known.flags, change.flags), modSeq };
    }
    case 'seen':
    case 'annotated':
      return { ...known, modSeq };
    case 'flags': {
      // Flags are not given out, so they may change where they are.
      for (const [at, uid] of change.uids.entries()) {
        const place = placeOf(known.uids, uid);
        if (known.uids[place] === uid) known.flags[place] = change.flags[at] ?? 0;
      }
      return { ...known, modSeq };
    }
    case 'expunged': {
      const gone = change.uids;
      const left = known.uids.length - gone.length;
      const uids = new Uint32Array(Math.max(0, left));
      const flags = new Uint8Array(uids.length);
      let to = 0;
      let next = 0;
      for (let from = 0; from < known.uids.length; from++) {
        const uid = known.uids[from] ?? 0;
        while (next < gone.length && (gone[next] ?? 0) < uid) next += 1;
        if (gone[next] === uid) continue;
        uids[to] = uid;
        flags[to] = known.flags[from] ?? 0;
        to += 1;
      }
      return { uids: uids.subarray(0, to), flags: flags.subarray(0, to), modSeq };
    }
  }
}

/** `array` with `more` behind it, in the same memory where there is room. Only the newest array of a mailbox is ever
 * extended, so nobody else writes there. */
function extended<A extends Uint32Array | Uint8Array>(
  make: { new (length: number): A; new (buffer: ArrayBufferLike, offset: number, length: number): A },
  array: A,
  more: A,
): A {
  const length = array.length + more.length;
  const octets = array.byteOffset + length * array.BYTES_PER_ELEMENT;
  if (octets <= array.buffer.byteLength) {
    const longer = new make(array.buffer, array.byteOffset, length);
    longer.set(more, array.length);
    return longer;
  }
  const roomy = new make(length + Math.max(64, length >> 3));
  roomy.set(array, 0);
  roomy.set(more, array.length);
  return new make(roomy.buffer, 0, length);
}
