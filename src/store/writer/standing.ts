// The messages that a command names and that still stand, read from the writer's own connection.

import { MAX_UID } from '../limits.ts';
import { rowsBetween, rowsOf } from '../message-rows.ts';
import { type BodyId, Flag, type MailboxId } from '../rows.ts';
import type { Work } from './work.ts';

/** What commands ask of a row; the rest of it never leaves SQLite. */
export interface Standing {
  readonly uid: number;
  readonly flags: number;
  readonly keywords: string | null;
  readonly modseq: number;
  readonly size: number;
  readonly body: BodyId;
  /** The commit that took it away, or 0. */
  readonly expunged: number;
}

const COLUMNS = 'uid, flags, keywords, modseq, size, body, expunged';
type Columns = [number, number, string | null, number, number, BodyId, number];

/** Those of `uids` that stand, each once, ascending as `uids` are or in their order. */
export function standing(work: Work, mailbox: MailboxId, uids: readonly number[]): readonly Standing[] {
  return remaining(work, mailbox, uids).filter((row) => row.expunged === 0);
}

/** The same with what was expunged and is kept for views that have not been told. */
export function remaining(work: Work, mailbox: MailboxId, uids: readonly number[]): readonly Standing[] {
  return rowsOf<Columns>(work.db, COLUMNS, mailbox, uids).map(rowIn);
}

/** All that stand, ascending. */
export function everyMessage(work: Work, mailbox: MailboxId): readonly Standing[] {
  const rows = rowsBetween<Columns>(work.db, COLUMNS, mailbox, 0, MAX_UID).map(rowIn);
  return rows.filter((row) => row.expunged === 0);
}

/** Those that stand with \Deleted, ascending: by an index of their own. */
export function deletedMessages(work: Work, mailbox: MailboxId): readonly Standing[] {
  const rows = `SELECT * FROM message WHERE mailbox = ? AND flags & ${Flag.Deleted} AND expunged = 0 ORDER BY id`;
  return work.db.tuples<Columns>(COLUMNS, rows, mailbox).map(rowIn);
}

function rowIn([uid, flags, keywords, modseq, size, body, expunged]: Columns): Standing {
  return { uid, flags, keywords, modseq, size, body, expunged };
}
