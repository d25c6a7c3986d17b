// Reads of message rows and of the expunge log.

import type { Connection } from '../engine.ts';
import { splitKeywords } from '../keywords.ts';
import { Limit } from '../limits.ts';
import { rowsOf } from '../message-rows.ts';
import { emailObjectId, threadObjectId } from '../object-id.ts';
import { type BodyId, Flag, type MailboxId, type MessageRow, type ModSeq, type OutlineRow, type Uid } from '../rows.ts';
import type { UidRun } from '../store.ts';

const COLUMNS = `uid, body, hex(prefix), size, lacking, header_size, internal_date, internal_zone, save_date, modseq, flags,
  keywords, email, thread, expunged`;
type Columns = [
  ...[Uid, BodyId, string, number, number, number, number, number, number, ModSeq, number],
  ...[string | null, number, number, number],
];

const OUTLINE = 'uid, body, hex(prefix), size, internal_date';
type Outline = [Uid, BodyId, string, number, number];

const NO_PREFIX = new Uint8Array(0);

/** Rows of the given UIDs, ascending; at most Limit.pageRows of them. */
export function messages(db: Connection, mailbox: MailboxId, uids: readonly Uid[] | Uint32Array): MessageRow[] {
  return rowsOf<Columns>(db, COLUMNS, mailbox, page(uids)).map(messageRow);
}

/** The same in short. */
export function outlines(db: Connection, mailbox: MailboxId, uids: readonly Uid[] | Uint32Array): OutlineRow[] {
  return rowsOf<Outline>(db, OUTLINE, mailbox, page(uids)).map(([uid, body, prefix, size, internalDate]) => {
    return { uid, body, prefix: prefix === '' ? null : octetsOf(prefix), size, internalDate };
  });
}

function page(uids: readonly Uid[] | Uint32Array): readonly Uid[] | Uint32Array {
  return uids.length > Limit.pageRows ? uids.slice(0, Limit.pageRows) : uids;
}

export const changedSql = {
  /** The rest of those that one command has changed: the index has the id too, so that no page looks at those before it. */
  same: `SELECT * FROM message
    WHERE mailbox = ?1 AND modseq = ?2 AND id > (?1 << 32) | ?3 AND expunged = 0 ORDER BY id LIMIT ${Limit.pageRows}`,
  later: `SELECT * FROM message
    WHERE mailbox = ?1 AND modseq > ?2 AND expunged = 0 ORDER BY modseq, id LIMIT 0 + ?3`,
} as const;

/** Messages that stand and were changed after `since`, or by it with a UID above `after`, by MODSEQ and UID. */
export function changedSince(db: Connection, mailbox: MailboxId, since: ModSeq, after: number): MessageRow[] {
  const same = db.tuples<Columns>(COLUMNS, changedSql.same, mailbox, since, after);
  const later = db.tuples<Columns>(COLUMNS, changedSql.later, mailbox, since, Limit.pageRows - same.length);
  return [...same, ...later].map(messageRow);
}

/** Sum of the sizes of messages with \Deleted that stand: by the index of these. */
export function deletedOctets(db: Connection, mailbox: MailboxId): number {
  const row = db.get<{ octets: number }>(
    `SELECT coalesce(sum(size), 0) AS octets FROM message
     WHERE mailbox = ? AND flags & ${Flag.Deleted} AND expunged = 0`,
    mailbox,
  );
  return row?.octets ?? 0;
}

/** Runs that hold every UID expunged after `since`. */
export function vanishedSince(db: Connection, mailbox: MailboxId, since: ModSeq): readonly UidRun[] {
  return db.all<UidRun>('SELECT first, last FROM vanished WHERE mailbox = ? AND modseq > ?', mailbox, since);
}

function messageRow(row: Columns): MessageRow {
  const [uid, body, prefix, size, lacking, headerSize, internalDate, internalZone, saveDate, modSeq, flags, ...rest] =
    row;
  const [keywords, email, thread, expunged] = rest;
  return {
    uid,
    body,
    prefix: prefix === '' ? NO_PREFIX : octetsOf(prefix),
    size,
    lineSize: size + lacking,
    headerSize,
    internalDate,
    internalZone,
    saveDate,
    modSeq,
    flags,
    keywords: splitKeywords(keywords),
    emailId: emailObjectId(email),
    threadId: threadObjectId(thread),
    expunged: expunged !== 0,
  };
}

const octetsOf = (hex: string): Uint8Array => Buffer.from(hex, 'hex');

/** Octets that the messages that stand lack to be whole lines; few lack any. */
export function lackingOf(db: Connection, mailbox: MailboxId): number {
  const row = db.get<{ octets: number }>(
    `SELECT coalesce(sum(lacking), 0) AS octets FROM message INDEXED BY message_lacking
     WHERE mailbox = ? AND lacking > 0 AND expunged = 0`,
    mailbox,
  );
  return row?.octets ?? 0;
}
