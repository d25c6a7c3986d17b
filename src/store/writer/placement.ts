// A message takes its place in a mailbox: UID, MODSEQ, counters, keywords (RFC 3501 §2.3). What accept, append, copy
// and the renaming of INBOX have in common.

import { joinKeywords, Keywords } from '../keywords.ts';
import { Limit, MAX_UID } from '../limits.ts';
import type { AccountId, BodyId, MailboxId, ModSeq, Uid, ViewId } from '../rows.ts';
import { Flag } from '../rows.ts';
import { StoreError } from '../store.ts';
import { setPrivateSeen } from './private-seen.ts';
import { RowCopies, type RowSource } from './row-copies.ts';
import type { Work } from './work.ts';

/** All bits that a message may have. */
export const ALL_FLAGS = Flag.Seen | Flag.Answered | Flag.Flagged | Flag.Deleted | Flag.Draft;

/** A mailbox as commands see it. */
export interface MailboxState {
  readonly id: MailboxId;
  readonly account: AccountId;
  readonly name: string;
  readonly selectable: 0 | 1;
  readonly uid_validity: number;
  readonly uid_next: Uid;
  readonly recent_from: Uid;
  readonly messages: number;
  readonly deleted: number;
  readonly highest_modseq: ModSeq;
  readonly keywords: string;
}

const STATE = `SELECT id, account, name, selectable, uid_validity, uid_next, recent_from, messages, deleted,
  highest_modseq, keywords FROM mailbox`;

/** @throws StoreError missing */
export function mailboxState(work: Work, id: MailboxId): MailboxState {
  const state = work.db.get<MailboxState>(`${STATE} WHERE id = ?`, id);
  if (state === undefined) throw new StoreError('missing', 'There is no such mailbox');
  return state;
}

/** A mailbox that can hold messages. @throws StoreError missing */
export function selectableMailbox(work: Work, id: MailboxId): MailboxState {
  const state = mailboxState(work, id);
  if (state.selectable === 0) throw new StoreError('missing', 'This name is not a mailbox');
  return state;
}

export function mailboxNamed(work: Work, account: AccountId, name: string): MailboxState | undefined {
  return work.db.get<MailboxState>(`${STATE} WHERE account = ? AND name = ?`, account, name);
}

/** A message that comes into a mailbox. */
interface Arriving {
  readonly size: number;
  readonly flags: number;
  readonly keywords: readonly string[];
}

/** What a new one brings along. */
export interface NewMessage extends Arriving {
  readonly body: BodyId;
  readonly email: number;
  readonly thread: number;
  readonly prefix: Uint8Array | null;
  readonly lacking: number;
  readonly headerSize: number;
  readonly internalDate: number;
  readonly internalZone: number;
}

/** A copy has the rest from another row. */
export interface Copy extends Arriving {
  readonly copyOf: RowSource;
}

/** Puts messages into a mailbox, in their order, and tells its followers.
 * @param seenTo whose \Seen it is, of an account that does not hold the mailbox; null: that of all
 * @returns their UIDs */
export function place(
  work: Work,
  mailbox: MailboxState,
  arrivals: readonly (NewMessage | Copy)[],
  view: ViewId | null,
  seenTo: AccountId | null = null,
): { readonly uids: Uint32Array; readonly modSeq: ModSeq } {
  const modSeq = work.numbers.next('modseq');
  const uids = new Uint32Array(arrivals.length);
  const flags = new Uint8Array(arrivals.length);
  const known = new Keywords(mailbox.keywords);
  const named: (readonly string[])[] = [];
  const seen: number[] = [];
  let unseen = 0;
  let deleted = 0;
  let octets = 0;
  let uid: number = mailbox.uid_next;
  const copies = new RowCopies(work, mailbox.id, modSeq);
  for (const [at, arrival] of arrivals.entries()) {
    if (uid > MAX_UID) throw new StoreError('limit', 'The mailbox has no more UIDs');
    const given = arrival.flags & ALL_FLAGS;
    const bits = seenTo === null ? given : given & ~Flag.Seen;
    if (bits !== given) seen.push(at);
    const keywords = known.accept(arrival.keywords);
    // A keyword may be spelled otherwise here.
    if ('copyOf' in arrival) copies.add(arrival.copyOf, uid, bits, joinKeywords(keywords));
    else insert(work, mailbox.id, uid, modSeq, bits, keywords, arrival);
    if (keywords.length > 0) named[at] = keywords;
    uids[at] = uid;
    flags[at] = bits;
    if ((bits & Flag.Seen) === 0) unseen += 1;
    if ((bits & Flag.Deleted) !== 0) deleted += 1;
    octets += arrival.size;
    uid += 1;
  }
  copies.end();
  work.db.run(
    `UPDATE mailbox SET uid_next = ?, highest_modseq = ?, messages = messages + ?, unseen = unseen + ?,
     deleted = deleted + ?, octets = octets + ?, keywords = ? WHERE id = ?`,
    uid,
    modSeq,
    arrivals.length,
    unseen,
    deleted,
    octets,
    known.text,
    mailbox.id,
  );
  work.publish({
    kind: 'added',
    mailbox: mailbox.id,
    account: mailbox.account,
    modSeq,
    uids,
    flags,
    keywords: named.length === 0 ? null : Array.from(arrivals, (_, at) => named[at] ?? []),
    view,
    origin: work.origin,
  });
  if (seenTo !== null && seen.length > 0) {
    for (const at of seen) setPrivateSeen(work, mailbox.id, seenTo, uids[at] ?? 0, true);
    work.publish({
      kind: 'seen',
      mailbox: mailbox.id,
      account: mailbox.account,
      by: seenTo,
      modSeq,
      uids: Uint32Array.from(seen, (at) => uids[at] ?? 0),
      flags: Uint8Array.from(seen, (at) => (flags[at] ?? 0) | Flag.Seen),
      keywords: named.length === 0 ? null : seen.map((at) => named[at] ?? []),
      view,
    });
  }
  return { uids, modSeq };
}

function insert(
  work: Work,
  mailbox: MailboxId,
  uid: number,
  modSeq: ModSeq,
  flags: number,
  keywords: readonly string[],
  arrival: NewMessage,
): void {
  work.db.run(
    `INSERT INTO message (id, modseq, flags, keywords, body, size, header_size, internal_date, internal_zone, save_date,
     email, thread, prefix, lacking) VALUES ((? << 32) | ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    mailbox,
    uid,
    modSeq,
    flags,
    joinKeywords(keywords),
    arrival.body,
    arrival.size,
    arrival.headerSize,
    arrival.internalDate,
    arrival.internalZone,
    work.now,
    arrival.email,
    arrival.thread,
    arrival.prefix,
    arrival.lacking,
  );
}

/** A prefix as it is stored. @throws StoreError refused, if it is too long */
export function storedPrefix(prefix: Uint8Array): Uint8Array | null {
  if (prefix.length > Limit.prefixOctets) throw new StoreError('refused', 'The lines before the body are too long');
  return prefix.length === 0 ? null : prefix;
}

/** @throws StoreError quota, where the account cannot hold so many octets more */
export function checkQuota(work: Work, account: AccountId, octets: number): void {
  const row = work.db.get<{ quota: number | null }>('SELECT quota FROM account WHERE id = ?', account);
  if (row === undefined) throw new StoreError('missing', 'There is no such account');
  if (row.quota === null) return;
  const used = work.db.get<{ octets: number }>(
    'SELECT coalesce(sum(octets), 0) AS octets FROM mailbox WHERE account = ?',
    account,
  );
  if ((used?.octets ?? 0) + octets > row.quota) throw new StoreError('quota', 'The account is over its quota');
}
