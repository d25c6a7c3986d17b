// Reads of mailboxes and subscriptions.

import type { Connection } from '../engine.ts';
import { splitKeywords } from '../keywords.ts';
import { checkMailboxName } from '../mailbox-name.ts';
import { mailboxObjectId } from '../object-id.ts';
import type { AccountId, MailboxId, MailboxRow, ModSeq, SpecialUse, Uid } from '../rows.ts';

interface Row {
  readonly id: MailboxId;
  readonly account: AccountId;
  readonly name: string;
  readonly selectable: 0 | 1;
  readonly subscribed: 0 | 1;
  readonly special_use: SpecialUse | null;
  readonly uid_validity: number;
  readonly uid_next: Uid;
  readonly recent_from: Uid;
  readonly highest_modseq: ModSeq;
  readonly messages: number;
  readonly unseen: number;
  readonly deleted: number;
  readonly octets: number;
  readonly keywords: string;
}

const MAILBOXES = `SELECT id, account, name, selectable, special_use, uid_validity, uid_next, recent_from,
  highest_modseq, messages, unseen, deleted, octets, keywords, EXISTS (SELECT 1 FROM subscription
  WHERE subscription.account = mailbox.account AND subscription.name = mailbox.name) AS subscribed FROM mailbox`;

export function mailboxes(db: Connection, account: AccountId): readonly MailboxRow[] {
  return db.all<Row>(`${MAILBOXES} WHERE account = ? ORDER BY name`, account).map(mailboxRow);
}

export function mailbox(db: Connection, id: MailboxId): MailboxRow | undefined {
  const row = db.get<Row>(`${MAILBOXES} WHERE id = ?`, id);
  return row === undefined ? undefined : mailboxRow(row);
}

export function mailboxByName(db: Connection, account: AccountId, name: string): MailboxRow | undefined {
  const valid = checkMailboxName(name);
  if (valid === undefined) return undefined;
  const row = db.get<Row>(`${MAILBOXES} WHERE account = ? AND name = ?`, account, valid);
  return row === undefined ? undefined : mailboxRow(row);
}

export function subscriptions(db: Connection, account: AccountId): readonly string[] {
  const rows = db.all<{ name: string }>('SELECT name FROM subscription WHERE account = ? ORDER BY name', account);
  return rows.map((row) => row.name);
}

function mailboxRow(row: Row): MailboxRow {
  return {
    id: row.id,
    account: row.account,
    name: row.name,
    selectable: row.selectable === 1,
    subscribed: row.subscribed === 1,
    specialUse: row.special_use,
    uidValidity: row.uid_validity,
    uidNext: row.uid_next,
    highestModSeq: row.highest_modseq,
    messages: row.messages,
    unseen: row.unseen,
    deleted: row.deleted,
    recentFrom: row.recent_from,
    octets: row.octets,
    objectId: mailboxObjectId(row.id),
    keywords: splitKeywords(row.keywords),
  };
}
