// access-key, forget-access-keys: secrets of an account for a mailbox (RFC 4467 §2.2). What is signed with them is not the
// store's to know.

import type { CommandOf, Results } from '../commands.ts';
import { mailboxState } from '../writer/placement.ts';
import type { Work } from '../writer/work.ts';

/** @throws StoreError missing (the mailbox) */
export function accessKey(work: Work, command: CommandOf<'access-key'>): Results['access-key'] {
  const { account, fresh, renew } = command;
  const { id, account: holder } = mailboxState(work, command.mailbox);
  work.db.run(
    `INSERT INTO mailbox_access_key (mailbox, account, key) VALUES (?, ?, ?)
     ON CONFLICT ${renew ? 'DO UPDATE SET key = excluded.key' : 'DO NOTHING'}`,
    id,
    account,
    fresh,
  );
  if (renew) work.publish({ kind: 'access-key', mailbox: id, account: holder, by: account, origin: work.origin });
  const row = work.db.get<{ key: Uint8Array }>(
    'SELECT key FROM mailbox_access_key WHERE mailbox = ? AND account = ?',
    id,
    account,
  );
  return { key: row?.key ?? fresh };
}

export function forgetAccessKeys(work: Work, command: CommandOf<'forget-access-keys'>): void {
  work.db.run('DELETE FROM mailbox_access_key WHERE account = ?', command.account);
}
