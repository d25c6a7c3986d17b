// Reads of mailboxes and subscriptions.

import type { Connection } from '../engine.ts';
import { splitKeywords } from '../keywords.ts';
import { checkMailboxName } from '../mailbox-name.ts';
import { mailboxObjectId } from '../object-id.ts';
import type { AboutName, AccountId, ListedMailbox, MailboxId, MailboxRow, ModSeq, SpecialUse, Uid } from '../rows.ts';

const LISTED = `id, account, name, selectable, special_use, uid_validity, uid_next, recent_from, highest_modseq, messages,
  unseen, deleted, octets, subscribed`;
type Listed = [
  ...[MailboxId, AccountId, string, 0 | 1, SpecialUse | null, number, Uid, Uid, ModSeq],
  ...[number, number, number, number, 0 | 1],
];

/** One mailbox with all that is known of it. */
const WHOLE = `keywords, ${LISTED}`;
type Whole = [string, ...Listed];

const MAILBOXES = `SELECT *, EXISTS (SELECT 1 FROM subscription
  WHERE subscription.account = mailbox.account AND subscription.name = mailbox.name) AS subscribed FROM mailbox`;

/** Without the keywords, which may be 33 KB each. */
export function mailboxes(db: Connection, account: AccountId): readonly ListedMailbox[] {
  return listed(db, 'account = ? ORDER BY name', account);
}

export function mailboxInShort(db: Connection, id: MailboxId): ListedMailbox | undefined {
  return listed(db, 'id = ?', id)[0];
}

export function mailbox(db: Connection, id: MailboxId): MailboxRow | undefined {
  return whole(db, 'id = ?', id);
}

export function mailboxByName(db: Connection, account: AccountId, name: string): MailboxRow | undefined {
  const valid = checkMailboxName(name);
  return valid === undefined ? undefined : whole(db, 'account = ? AND name = ?', account, valid);
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

function listed(db: Connection, which: string, ...values: (string | number)[]): ListedMailbox[] {
  return db.tuples<Listed>(LISTED, `${MAILBOXES} WHERE ${which}`, ...values).map(listedMailbox);
}

function whole(db: Connection, which: string, ...values: (string | number)[]): MailboxRow | undefined {
  const [found] = db.tuples<Whole>(WHOLE, `${MAILBOXES} WHERE ${which}`, ...values);
  if (found === undefined) return undefined;
  const [keywords, ...rest] = found;
  return { ...listedMailbox(rest), keywords: splitKeywords(keywords) };
}

function listedMailbox([id, account, name, selectable, specialUse, ...rest]: Listed): ListedMailbox {
  const [uidValidity, uidNext, recentFrom, highestModSeq, messages, unseen, deleted, octets, subscribed] = rest;
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
  };
}
