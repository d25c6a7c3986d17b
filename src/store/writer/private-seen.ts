// \Seen of those who do not hold a mailbox: each has their own (RFC 4314 §2.1, the "s" right).

import type { Connection } from '../engine.ts';
import type { AccountId, MailboxId } from '../rows.ts';
import type { Work } from './work.ts';

export function hasSeen(work: Work, mailbox: MailboxId, account: AccountId, uid: number): boolean {
  return (
    work.db.get('SELECT 1 FROM mailbox_seen WHERE mailbox = ? AND account = ? AND uid = ?', mailbox, account, uid) !==
    undefined
  );
}

export function setPrivateSeen(work: Work, mailbox: MailboxId, account: AccountId, uid: number, seen: boolean): void {
  work.db.run(
    seen
      ? 'INSERT OR IGNORE INTO mailbox_seen (mailbox, account, uid) VALUES (?, ?, ?)'
      : 'DELETE FROM mailbox_seen WHERE mailbox = ? AND account = ? AND uid = ?',
    mailbox,
    account,
    uid,
  );
}

/** Nobody will see these messages again. Looks at one row for each account that has seen anything in the mailbox. */
export function forgetSeen(db: Connection, mailbox: MailboxId, uids: readonly number[]): void {
  let account = 0;
  for (;;) {
    const next = db.get<{ account: number }>(
      'SELECT account FROM mailbox_seen WHERE mailbox = ? AND account > ? ORDER BY account LIMIT 1',
      mailbox,
      account,
    );
    if (next === undefined) return;
    account = next.account;
    for (const uid of uids) {
      db.run('DELETE FROM mailbox_seen WHERE mailbox = ? AND account = ? AND uid = ?', mailbox, account, uid);
    }
  }
}
