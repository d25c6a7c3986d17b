// Reads of annotations (RFC 5464): first which there are, then their values one by one, since each may be large.

import type { Connection } from '../engine.ts';
import type { AccountId, AnnotationHead, MailboxId } from '../rows.ts';

/** What this account alone, and what everybody sees of a mailbox (null: of the server), sorted by entry. */
export function annotations(db: Connection, mailbox: MailboxId | null, account: AccountId): AnnotationHead[] {
  return db
    .all<{ entry: string; account: number; octets: number }>(
      `SELECT entry, account, length(value) AS octets FROM mailbox_annotation
       WHERE mailbox = ? AND account IN (0, ?) ORDER BY entry`,
      mailbox ?? 0,
      account,
    )
    .map(({ entry, account: holder, octets }) => ({ entry, shared: holder === 0, octets }));
}

export function annotation(
  db: Connection,
  mailbox: MailboxId | null,
  account: AccountId,
  { entry, shared }: Pick<AnnotationHead, 'entry' | 'shared'>,
): Uint8Array | undefined {
  return db.get<{ value: Uint8Array }>(
    'SELECT value FROM mailbox_annotation WHERE mailbox = ? AND account = ? AND entry = ?',
    mailbox ?? 0,
    shared ? 0 : account,
    entry,
  )?.value;
}
