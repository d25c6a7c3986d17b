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

const COLUMNS = 'uid, flags, keywords, modseq, size, body';

/** UIDs this close together are read in one scan. */
const DENSE = 4;

/** Those of `uids` that stand, each once, ascending as `uids` are or in their order. */
export function standing(work: Work, mailbox: MailboxId, uids: readonly number[]): readonly Standing[] {
  const first = uids[0];
  const last = uids.at(-1);
  if (first === undefined || last === undefined) return [];
  if (!ascending(uids) || last - first >= DENSE * uids.length) return sparse(work, mailbox, uids);
  const rows = work.db.all<Standing>(
    `SELECT ${COLUMNS} FROM message WHERE id BETWEEN (?1 << 32) | ?2 AND (?1 << 32) | ?3 AND expunged = 0 ORDER BY id`,
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

function sparse(work: Work, mailbox: MailboxId, uids: readonly number[]): readonly Standing[] {
  const found: Standing[] = [];
  for (const uid of new Set(uids)) {
    const row = work.db.get<Standing>(
      `SELECT ${COLUMNS} FROM message WHERE id = (? << 32) | ? AND expunged = 0`,
      mailbox,
      uid,
    );
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
