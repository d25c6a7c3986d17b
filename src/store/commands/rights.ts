// set-rights: who may do what with a mailbox, beside the account that holds it (RFC 4314 §2). What a right allows is not
// the store's to know.

import type { CommandOf } from '../commands.ts';
import { Limit } from '../limits.ts';
import { rightsOf } from '../reads/rights.ts';
import type { MailboxId } from '../rows.ts';
import { StoreError } from '../store.ts';
import { mailboxState } from '../writer/placement.ts';
import type { Work } from '../writer/work.ts';

/** @throws StoreError missing (the mailbox), quota: more entries than there may be */
export function setRights(work: Work, command: CommandOf<'set-rights'>): void {
  const { identifier, rights, mode } = command;
  const mailbox = mailboxState(work, command.mailbox);
  const before = work.db.get<{ rights: string }>(
    'SELECT rights FROM mailbox_right WHERE mailbox = ? AND identifier = ?',
    mailbox.id,
    identifier,
  )?.rights;
  if (rights === null) {
    work.db.run('DELETE FROM mailbox_right WHERE mailbox = ? AND identifier = ?', mailbox.id, identifier);
  } else {
    const next = combined(before ?? command.unset, rights, mode);
    work.db.run(
      `INSERT INTO mailbox_right (mailbox, identifier, rights) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET rights = excluded.rights`,
      mailbox.id,
      identifier,
      next,
    );
    const { entries } = work.db.get<{ entries: number }>(
      'SELECT count(*) AS entries FROM mailbox_right WHERE mailbox = ?',
      mailbox.id,
    ) ?? { entries: 0 };
    if (entries > Limit.rights) throw new StoreError('quota', 'The mailbox has been shared with too many');
  }
  work.publish({
    kind: 'rights',
    mailbox: mailbox.id,
    account: mailbox.account,
    name: mailbox.name,
    rights: rightsOf(work.db, mailbox.id),
  });
}

function combined(before: string, rights: string, mode: 'add' | 'remove' | 'replace'): string {
  const letters = new Set(mode === 'replace' ? '' : before);
  for (const letter of rights) {
    if (mode === 'remove') letters.delete(letter);
    else letters.add(letter);
  }
  return [...letters].sort().join('');
}

/** A new mailbox is shared as the one above it is (RFC 4314 §4). */
export function inheritRights(work: Work, from: MailboxId, to: MailboxId): void {
  work.db.run(
    `INSERT INTO mailbox_right (mailbox, identifier, rights)
     SELECT ?, identifier, rights FROM mailbox_right WHERE mailbox = ?`,
    to,
    from,
  );
}

/** Nobody has this identifier any more: who has it later is somebody else. */
export function forgetIdentifier(work: Work, identifier: string): void {
  work.db.run('DELETE FROM mailbox_right WHERE identifier IN (?, ?)', identifier, `-${identifier}`);
}
