// Reads of mailboxes and subscriptions.

import type { Connection } from '../engine.ts';
import { splitKeywords } from '../keywords.ts';
import { checkMailboxName } from '../mailbox-name.ts';
import { mailboxObjectId } from '../object-id.ts';
import type { AboutName, AccountId, MailboxId, MailboxRow, ModSeq, SpecialUse, Uid } from '../rows.ts';

const COLUMNS = `id, account, name, selectable, special_use, uid_validity, uid_next, recent_from, highest_modseq, messages,
  unseen, deleted, octets, keywords, subscribed`;
type Columns = [
  ...[MailboxId, AccountId, string, 0 | 1, SpecialUse | null, number, Uid, Uid, ModSeq],
  ...[number, number, number, number, string, 0 | 1],
];

const MAILBOXES = `SELECT *, EXISTS (SELECT 1 FROM subscription
  WHERE subscription.account = mailbox.account AND subscription.name = mailbox.name) AS subscribed FROM mailbox`;

export function mailboxes(db: Connection, account: AccountId): readonly MailboxRow[] {
  return mailboxRows(db, 'account = ? ORDER BY name', account);
}

export function mailbox(db: Connection, id: MailboxId): MailboxRow | undefined {
  return mailboxRows(db, 'id = ?', id)[0];
}

export function mailboxByName(db: Connection, account: AccountId, name: string): MailboxRow | undefined {
  const valid = checkMailboxName(name);
  return valid === undefined ? undefined : mailboxRows(db, 'account = ? AND name = ?', account, valid)[0];
}

/** Of any name, also one of no mailbox. */
export function aboutName(db: Connection, account: AccountId, name: string): AboutName {
  // "0" is what follows the delimiter.
  const row = db.get<{ children: 0 | 1; subscribed: 0 | 1 }>(
    `SELECT EXISTS (SELECT 1 FROM mailbox WHERE account = ?1 AND name > ?2 || '/' AND name < ?2 || '0') AS children,
     EXISTS (SELECT 1 FROM subscription WHERE account = ?1 AND name = ?2) AS subscribed`,
    account,
    name,
  );
  return { hasChildren: row?.children === 1, isSubscribed: row?.subscribed === 1 };
}

export function subscriptions(db: Connection, account: AccountId): readonly string[] {
  const rows = db.all<{ name: string }>('SELECT name FROM subscription WHERE account = ? ORDER BY name', account);
  return rows.map((row) => row.name);
}

function mailboxRows(db: Connection, which: string, ...values: (string | number)[]): MailboxRow[] {
  return db.tuples<Columns>(COLUMNS, `${MAILBOXES} WHERE ${which}`, ...values).map(mailboxRow);
}

function mailboxRow([id, account, name, selectable, specialUse, ...rest]: Columns): MailboxRow {
  const [uidValidity, uidNext, recentFrom, highestModSeq, messages, unseen, deleted, octets, keywords, subscribed] =
    rest;
  return {
    id,
    account,
    name,
    selectable: selectable === 1,
    subscribed: subscribed === 1,
    specialUse,
    uidValidity,
    uidNext,
    highestModSeq,
    messages,
    unseen,
    deleted,
    recentFrom,
    octets,
    objectId: mailboxObjectId(id),
    keywords: splitKeywords(keywords),
  };
}
