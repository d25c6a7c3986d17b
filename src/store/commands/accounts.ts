// Accounts: put, password, remove. An account is born with the mailboxes that mail clients look for.

import { comparable } from '../address-form.ts';
import type { CommandOf, Results } from '../commands.ts';
import type { AccountId, PasswordRecord, SpecialUse } from '../rows.ts';
import { StoreError } from '../store.ts';
import type { MailboxState } from '../writer/placement.ts';
import type { Work } from '../writer/work.ts';
import { create, dropRow } from './mailboxes.ts';
import { forgetIdentifier } from './rights.ts';

/** What every account has from the start, subscribed (RFC 6154 §2). */
const FIRST_MAILBOXES: readonly (readonly [string, SpecialUse | null])[] = [
  ['INBOX', null],
  ['Drafts', 'Drafts'],
  ['Sent', 'Sent'],
  ['Junk', 'Junk'],
  ['Trash', 'Trash'],
  ['Archive', 'Archive'],
];

/** put-account. @throws StoreError exists, if an address is another account's (or any's, with `fail`) */
export function putAccount(work: Work, given: CommandOf<'put-account'>): Results['put-account'] {
  const command = { ...given, address: comparable(given.address), aliases: given.aliases.map(comparable) };
  const holder = work.db.get<{ account: AccountId; position: number }>(
    'SELECT account, position FROM address WHERE address = ?',
    command.address,
  );
  if (holder !== undefined) {
    if (command.existing === 'keep') return { account: holder.account, created: false };
    if (command.existing === 'fail' || holder.position > 0) throw new StoreError('exists', 'This address is taken');
    replace(work, holder.account, command);
    return { account: holder.account, created: false };
  }
  const account = work.numbers.next('account');
  work.db.run(
    'INSERT INTO account (id, quota, password, seeded) VALUES (?, ?, ?, ?)',
    account,
    command.quota,
    storedPassword(command.password),
    command.seeded ? 1 : 0,
  );
  putAddresses(work, account, command);
  for (const [name, specialUse] of FIRST_MAILBOXES) {
    create(work, account, name, specialUse);
    work.db.run('INSERT INTO subscription (account, name) VALUES (?, ?)', account, name);
  }
  work.publish({ kind: 'directory', account });
  return { account, created: true };
}

function replace(work: Work, account: AccountId, command: CommandOf<'put-account'>): void {
  work.db.run(
    'UPDATE account SET quota = ?, password = ?, seeded = ? WHERE id = ?',
    command.quota,
    storedPassword(command.password),
    command.seeded ? 1 : 0,
    account,
  );
  work.db.run('DELETE FROM address WHERE account = ?', account);
  putAddresses(work, account, command);
  work.publish({ kind: 'directory', account });
}

function putAddresses(
  work: Work,
  account: AccountId,
  { address: primary, aliases }: Pick<CommandOf<'put-account'>, 'address' | 'aliases'>,
): void {
  const seen = new Set<string>();
  for (const address of [primary, ...aliases]) {
    const key = address.toLowerCase();
    if (seen.has(key)) continue;
    seen.add(key);
    const added = work.db.run(
      'INSERT OR IGNORE INTO address (address, account, position) VALUES (?, ?, ?)',
      address,
      account,
      seen.size - 1,
    );
    if (added === 0) throw new StoreError('exists', `The address ${address} is taken`);
  }
}

function storedPassword(password: PasswordRecord | null): string | null {
  return password === null ? null : JSON.stringify(password);
}

/** set-password. @throws StoreError missing */
export function setPassword(work: Work, command: CommandOf<'set-password'>): void {
  const changed = work.db.run(
    'UPDATE account SET password = ? WHERE id = ?',
    storedPassword(command.password),
    command.account,
  );
  if (changed === 0) throw new StoreError('missing', 'There is no such account');
  work.publish({ kind: 'directory', account: command.account });
}

/** change-account. @throws StoreError missing; exists, if an alias is another account's, or one of `taken` its first address */
export function changeAccount(work: Work, { account, aliases, taken, quota }: CommandOf<'change-account'>): void {
  const primary = addressOf(work, account);
  if (primary === undefined) throw new StoreError('missing', 'There is no such account');
  work.db.run('UPDATE account SET quota = ? WHERE id = ?', quota, account);
  work.db.run('DELETE FROM address WHERE account = ?', account);
  for (const alias of taken.map(comparable)) {
    const holder = work.db.get<{ account: AccountId }>(
      'SELECT account FROM address WHERE address = ? AND position > 0',
      alias,
    );
    if (holder === undefined) continue;
    work.db.run('DELETE FROM address WHERE address = ?', alias);
    work.publish({ kind: 'directory', account: holder.account });
  }
  putAddresses(work, account, { address: primary, aliases: aliases.map(comparable) });
  work.publish({ kind: 'directory', account });
}

/** The primary one. */
function addressOf(work: Work, account: AccountId): string | undefined {
  return work.db.get<{ address: string }>('SELECT address FROM address WHERE account = ? AND position = 0', account)
    ?.address;
}

/** remove-account: at once for everybody; what it held is freed later. @throws StoreError missing */
export function removeAccount(work: Work, command: CommandOf<'remove-account'>): void {
  const { account } = command;
  const mailboxes = work.db.all<MailboxState>(
    'SELECT id, account, name, uid_validity FROM mailbox WHERE account = ?',
    account,
  );
  for (const mailbox of mailboxes) {
    dropRow(work, mailbox);
    work.publish({ kind: 'mailbox-deleted', mailbox: mailbox.id, account, name: mailbox.name });
  }
  const primary = addressOf(work, account);
  if (primary !== undefined) forgetIdentifier(work, primary);
  work.db.run('DELETE FROM address WHERE account = ?', account);
  work.db.run('DELETE FROM subscription WHERE account = ?', account);
  // Also what it has noted about mailboxes of others: nobody sees it any more, and it takes their room.
  work.db.run('DELETE FROM mailbox_annotation WHERE account = ?', account);
  work.db.run('DELETE FROM mailbox_access_key WHERE account = ?', account);
  if (work.db.run('DELETE FROM account WHERE id = ?', account) === 0) {
    throw new StoreError('missing', 'There is no such account');
  }
  work.db.run("INSERT INTO doomed (kind, id, commit_number) VALUES ('account', ?, ?)", account, work.commit);
  work.doomed();
  work.publish({ kind: 'directory', account });
}
