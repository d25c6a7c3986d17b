// Reads of rights, and of what those who do not hold a mailbox have seen in it (RFC 4314).

import { comparable } from '../address-form.ts';
import type { Connection } from '../engine.ts';
import { Limit } from '../limits.ts';
import type { AccountId, MailboxId, RightRow, SharedRow } from '../rows.ts';
import { mailboxInShort } from './mailboxes.ts';

export function rightsOf(db: Connection, id: MailboxId): readonly RightRow[] {
  return db.all<RightRow>('SELECT identifier, rights FROM mailbox_right WHERE mailbox = ? ORDER BY identifier', id);
}

export function rightsWithin(db: Connection, account: AccountId): ReadonlyMap<MailboxId, readonly RightRow[]> {
  const rows = db.all<RightRow & { mailbox: MailboxId }>(
    `SELECT mailbox, identifier, rights FROM mailbox_right
     WHERE mailbox IN (SELECT id FROM mailbox WHERE account = ?) ORDER BY mailbox, identifier`,
    account,
  );
  return Map.groupBy(rows, ({ mailbox: id }) => id);
}

/** Mailboxes of other accounts on whose lists one of the identifiers stands. */
export function sharedWith(db: Connection, account: AccountId, identifiers: readonly string[]): readonly SharedRow[] {
  const found = db.all<{ id: MailboxId; owner: string }>(
    `SELECT DISTINCT mailbox.id AS id, address AS owner FROM mailbox_right
     JOIN mailbox ON mailbox.id = mailbox_right.mailbox
     JOIN address ON address.account = mailbox.account AND position = 0
     WHERE identifier IN (${identifiers.map(() => '?').join(', ')}) AND mailbox.account <> ?
     LIMIT ${Limit.sharedMailboxes}`,
    ...identifiers,
    account,
  );
  return found.flatMap(({ id, owner }) => {
    const row = mailboxInShort(db, id);
    return row === undefined ? [] : [{ mailbox: row, owner, rights: rightsOf(db, id) }];
  });
}

/** The account whose address, or alias, this is, with its primary address. */
export function accountNamed(
  db: Connection,
  name: string,
): { readonly id: AccountId; readonly address: string } | undefined {
  return db.get<{ id: AccountId; address: string }>(
    `SELECT named.account AS id, first.address AS address FROM address AS named
     JOIN address AS first ON first.account = named.account AND first.position = 0 WHERE named.address = ?`,
    comparable(name),
  );
}

/** UIDs that an account has seen in another's mailbox, ascending. */
export function seenBy(db: Connection, id: MailboxId, account: AccountId): Uint32Array {
  const rows = db.all<{ uid: number }>(
    'SELECT uid FROM mailbox_seen WHERE mailbox = ? AND account = ? ORDER BY uid',
    id,
    account,
  );
  return Uint32Array.from(rows, ({ uid }) => uid);
}

/** The key by which an account's URLs of a mailbox are known (RFC 4467 §2.2). */
export function accessKeyOf(db: Connection, mailbox: MailboxId, account: AccountId): Uint8Array | undefined {
  return db.get<{ key: Uint8Array }>(
    'SELECT key FROM mailbox_access_key WHERE mailbox = ? AND account = ?',
    mailbox,
    account,
  )?.key;
}
