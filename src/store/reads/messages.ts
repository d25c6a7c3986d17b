// Reads of message rows and of the expunge log.

import type { Connection } from '../engine.ts';
import { splitKeywords } from '../keywords.ts';
import { Limit } from '../limits.ts';
import { emailObjectId, threadObjectId } from '../object-id.ts';
import { type BodyId, Flag, type MailboxId, type MessageRow, type ModSeq, type OutlineRow, type Uid } from '../rows.ts';
import type { UidRun } from '../store.ts';

interface Row {
  readonly uid: Uid;
  readonly modseq: ModSeq;
  readonly flags: number;
  readonly keywords: string | null;
  readonly expunged: number;
  readonly body: BodyId;
  readonly size: number;
  readonly header_size: number;
  readonly internal_date: number;
  readonly internal_zone: number;
  readonly save_date: number;
  readonly email: number;
  readonly thread: number;
  readonly prefix: Uint8Array | null;
  readonly lacking: number;
}

const COLUMNS = `uid, modseq, flags, keywords, expunged, body, size, header_size, internal_date, internal_zone, save_date,
  email, thread, prefix, lacking`;

const OUTLINE = 'uid, body, size, internal_date AS "internalDate", prefix';

/** UIDs this close together are read in one scan. */
const DENSE = 4;

const NO_PREFIX = new Uint8Array(0);

/** Rows of the given UIDs, ascending; at most Limit.pageRows of them. */
export function messages(db: Connection, mailbox: MailboxId, uids: readonly Uid[] | Uint32Array): MessageRow[] {
  return chosen<Row>(db, COLUMNS, mailbox, uids).map(messageRow);
}

/** The same in short. */
export function outlines(db: Connection, mailbox: MailboxId, uids: readonly Uid[] | Uint32Array): OutlineRow[] {
  return chosen<OutlineRow>(db, OUTLINE, mailbox, uids);
}

function chosen<R extends { readonly uid: Uid }>(
  db: Connection,
  columns: string,
  mailbox: MailboxId,
  uids: readonly Uid[] | Uint32Array,
): R[] {
  const wanted = uids.length > Limit.pageRows ? uids.slice(0, Limit.pageRows) : uids;
  const first = wanted[0];
  const last = wanted.at(-1);
  if (first === undefined || last === undefined) return [];
  if (last - first >= DENSE * wanted.length) return sparse<R>(db, columns, mailbox, wanted);
  const rows = db.all<R>(
    `SELECT ${columns} FROM message WHERE id BETWEEN (?1 << 32) | ?2 AND (?1 << 32) | ?3 ORDER BY id`,
    mailbox,
    first,
    last,
  );
  let at = 0;
  return rows.filter((row) => {
    while ((wanted[at] ?? Number.POSITIVE_INFINITY) < row.uid) at += 1;
    return wanted[at] === row.uid;
  });
}

function sparse<R>(db: Connection, columns: string, mailbox: MailboxId, uids: readonly Uid[] | Uint32Array): R[] {
  const found: R[] = [];
  for (const uid of uids) {
    const row = db.get<R>(`SELECT ${columns} FROM message WHERE id = (? << 32) | ?`, mailbox, uid);
    if (row !== undefined) found.push(row);
  }
  return found;
}

export const changedSql = {
  /** The rest of those that one command has changed: the index has the id too, so that no page looks at those before it. */
  same: `SELECT ${COLUMNS} FROM message
    WHERE mailbox = ?1 AND modseq = ?2 AND id > (?1 << 32) | ?3 AND expunged = 0 ORDER BY id LIMIT ${Limit.pageRows}`,
  later: `SELECT ${COLUMNS} FROM message
    WHERE mailbox = ?1 AND modseq > ?2 AND expunged = 0 ORDER BY modseq, id LIMIT 0 + ?3`,
} as const;

/** Messages that stand and were changed after `since`, or by it with a UID above `after`, by MODSEQ and UID. */
export function changedSince(db: Connection, mailbox: MailboxId, since: ModSeq, after: number): MessageRow[] {
  const same = db.all<Row>(changedSql.same, mailbox, since, after);
  const later = db.all<Row>(changedSql.later, mailbox, since, Limit.pageRows - same.length);
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

function messageRow(row: Row): MessageRow {
  return {
    uid: row.uid,
    body: row.body,
    prefix: row.prefix ?? NO_PREFIX,
    size: row.size,
    lineSize: row.size + row.lacking,
    headerSize: row.header_size,
    internalDate: row.internal_date,
    internalZone: row.internal_zone,
    saveDate: row.save_date,
    modSeq: row.modseq,
    flags: row.flags,
    keywords: splitKeywords(row.keywords),
    emailId: emailObjectId(row.email),
    threadId: threadObjectId(row.thread),
    expunged: row.expunged !== 0,
  };
}

/** Octets that the messages that stand lack to be whole lines; few lack any. */
export function lackingOf(db: Connection, mailbox: MailboxId): number {
  const row = db.get<{ octets: number }>(
    `SELECT coalesce(sum(lacking), 0) AS octets FROM message INDEXED BY message_lacking
     WHERE mailbox = ? AND lacking > 0 AND expunged = 0`,
    mailbox,
  );
  return row?.octets ?? 0;
}
