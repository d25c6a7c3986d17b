// The messages that a command names and that still stand, read from the writer's own connection.

import type { BodyId, MailboxId } from '../rows.ts';
import type { Work } from './work.ts';

export interface Standing {
  readonly uid: number;
  readonly flags: number;
  readonly keywords: string | null;
  readonly modseq: number;
  readonly size: number;
  readonly body: BodyId;
}

/** What a copy takes over beside. */
export interface StandingWhole extends Standing {
  readonly email: number;
  readonly thread: number;
  readonly prefix: Uint8Array | null;
  readonly lacking: number;
  readonly header_size: number;
  readonly internal_date: number;
  readonly internal_zone: number;
}

const COLUMNS = 'uid, flags, keywords, modseq, size, body';
const ALL_COLUMNS = `${COLUMNS}, email, thread, prefix, lacking, header_size, internal_date, internal_zone`;

/** Of the rows with these UIDs. */
type Which = typeof STANDS | 'TRUE';
const STANDS = 'expunged = 0';

/** UIDs this close together are read in one scan. */
const DENSE = 4;

/** Those of `uids` that stand, each once, ascending as `uids` are or in their order. */
export function standing(work: Work, mailbox: MailboxId, uids: readonly number[]): readonly Standing[] {
  return chosen<Standing>(work, COLUMNS, mailbox, uids);
}

/** The same with all that a copy takes over. */
export function standingWhole(work: Work, mailbox: MailboxId, uids: readonly number[]): readonly StandingWhole[] {
  return chosen<StandingWhole>(work, ALL_COLUMNS, mailbox, uids);
}

/** Beside those that stand: what was expunged, and is kept for views that have not been told. */
export interface Remaining extends Standing {
  /** The commit that took it away, or 0. */
  readonly expunged: number;
}

/** As `standing`, with what is only kept. */
export function remaining(work: Work, mailbox: MailboxId, uids: readonly number[]): readonly Remaining[] {
  return chosen<Remaining>(work, `${COLUMNS}, expunged`, mailbox, uids, 'TRUE');
}

/** All that stand, ascending. */
export function everyMessage(work: Work, mailbox: MailboxId): readonly StandingWhole[] {
  return work.db.all<StandingWhole>(
    `SELECT ${ALL_COLUMNS} FROM message
     WHERE id BETWEEN (?1 << 32) AND (?1 << 32) | 0xffffffff AND expunged = 0 ORDER BY id`,
    mailbox,
  );
}

function chosen<R extends Standing>(
  work: Work,
  columns: string,
  mailbox: MailboxId,
  uids: readonly number[],
  which: Which = STANDS,
): readonly R[] {
  const first = uids[0];
  const last = uids.at(-1);
  if (first === undefined || last === undefined) return [];
  if (!ascending(uids) || last - first >= DENSE * uids.length) return sparse<R>(work, columns, mailbox, uids, which);
  const rows = work.db.all<R>(
    `SELECT ${columns} FROM message WHERE id BETWEEN (?1 << 32) | ?2 AND (?1 << 32) | ?3 AND ${which} ORDER BY id`,
    mailbox,
    first,
    last,
  );
  if (rows.length <= uids.length && last - first + 1 === uids.length) return rows;
  let at = 0;
  return rows.filter((row) => {
    while ((uids[at] ?? Number.POSITIVE_INFINITY) < row.uid) at += 1;
    return uids[at] === row.uid;
  });
}

function sparse<R extends Standing>(
  work: Work,
  columns: string,
  mailbox: MailboxId,
  uids: readonly number[],
  which: Which,
): readonly R[] {
  const found: R[] = [];
  for (const uid of new Set(uids)) {
    const row = work.db.get<R>(`SELECT ${columns} FROM message WHERE id = (? << 32) | ? AND ${which}`, mailbox, uid);
    if (row !== undefined) found.push(row);
  }
  return found;
}

function ascending(uids: readonly number[]): boolean {
  for (let at = 1; at < uids.length; at++) {
    if ((uids[at] ?? 0) <= (uids[at - 1] ?? 0)) return false;
  }
  return true;
}
