// The messages that a command names and that still stand, read from the writer's own connection.

import type { BodyId, MailboxId } from '../rows.ts';
import { Flag } from '../rows.ts';
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

/** UIDs this close together are read in one scan. */
const DENSE = 4;

/** Those of `uids` that stand, each once, ascending as `uids` are or in their order. */
export function standing(work: Work, mailbox: MailboxId, uids: readonly number[]): readonly Standing[] {
  return remaining(work, mailbox, uids).filter((row) => row.expunged === 0);
}

/** The same with what was expunged and is kept for views that have not been told. */
export function remaining(work: Work, mailbox: MailboxId, uids: readonly number[]): readonly Standing[] {
  const first = uids[0];
  const last = uids.at(-1);
  if (first === undefined || last === undefined) return [];
  const dense = ascending(uids) && last - first < DENSE * uids.length;
  if (!dense) return [...new Set(uids)].flatMap((uid) => between(work, mailbox, uid, uid));
  const rows = between(work, mailbox, first, last);
  if (last - first + 1 === uids.length) return rows;
  let at = 0;
  return rows.filter((row) => {
    while ((uids[at] ?? Number.POSITIVE_INFINITY) < row.uid) at += 1;
    return uids[at] === row.uid;
  });
}

/** All that stand, ascending. */
export function everyMessage(work: Work, mailbox: MailboxId): readonly Standing[] {
  return between(work, mailbox, 0, 0xffff_ffff).filter((row) => row.expunged === 0);
}

/** Those that stand with \\Deleted, ascending: by an index of their own. */
export function deletedMessages(work: Work, mailbox: MailboxId): readonly Standing[] {
  return rowsOf(work, `mailbox = ? AND flags & ${Flag.Deleted} AND expunged = 0`, mailbox);
}

/** All rows of these UIDs, ascending. */
function between(work: Work, mailbox: MailboxId, first: number, last: number): Standing[] {
  return rowsOf(work, 'id BETWEEN (?1 << 32) | ?2 AND (?1 << 32) | ?3', mailbox, first, last);
}

function rowsOf(work: Work, condition: string, ...values: number[]): Standing[] {
  return work.db
    .tuples<Columns>(COLUMNS, `SELECT * FROM message WHERE ${condition} ORDER BY id`, ...values)
    .map(([uid, flags, keywords, modseq, size, body, expunged]) => {
      return { uid, flags, keywords, modseq, size, body, expunged };
    });
}

function ascending(uids: readonly number[]): boolean {
  for (let at = 1; at < uids.length; at++) {
    if ((uids[at] ?? 0) <= (uids[at - 1] ?? 0)) return false;
  }
  return true;
}
