// Rows of messages by their UIDs, as the writer and the reads ask for them.

import type { Connection } from './engine.ts';
import type { MailboxId } from './rows.ts';

/** UIDs this close together are read in one scan. */
const DENSE = 4;

const BETWEEN = 'SELECT * FROM message WHERE id BETWEEN (?1 << 32) | ?2 AND (?1 << 32) | ?3 ORDER BY id';

/** All rows of the UIDs from `first` to `last`, ascending. @param columns as of Connection.tuples */
export function rowsBetween<Row>(
  db: Connection,
  columns: string,
  mailbox: MailboxId,
  first: number,
  last: number,
): Row[] {
  return db.tuples<Row>(columns, BETWEEN, mailbox, first, last);
}

/**
 * The rows of `uids` that there are, each once, ascending as `uids` are or in their order.
 * @param columns as of Connection.tuples; the first is the UID
 */
export function rowsOf<Row extends [number, ...unknown[]]>(
  db: Connection,
  columns: string,
  mailbox: MailboxId,
  uids: readonly number[] | Uint32Array,
): Row[] {
  const first = uids[0];
  const last = uids.at(-1);
  if (first === undefined || last === undefined) return [];
  const between = (from: number, to: number) => rowsBetween<Row>(db, columns, mailbox, from, to);
  const dense = ascending(uids) && last - first < DENSE * uids.length;
  if (!dense) return [...new Set(uids)].flatMap((uid) => between(uid, uid));
  const rows = between(first, last);
  if (last - first + 1 === uids.length) return rows;
  let at = 0;
  return rows.filter(([uid]) => {
    while ((uids[at] ?? Number.POSITIVE_INFINITY) < uid) at += 1;
    return uids[at] === uid;
  });
}

function ascending(uids: readonly number[] | Uint32Array): boolean {
  for (let at = 1; at < uids.length; at++) {
    if ((uids[at] ?? 0) <= (uids[at - 1] ?? 0)) return false;
  }
  return true;
}
