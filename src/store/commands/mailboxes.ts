// Mailboxes and subscriptions: CREATE, DELETE, RENAME, SUBSCRIBE (RFC 3501 §6.3.3 to §6.3.7, RFC 6154 §3).

import type { CommandOf, Results } from '../commands.ts';
import { Limit } from '../limits.ts';
import { ancestors, below, checkMailboxName } from '../mailbox-name.ts';
import { mailboxObjectId } from '../object-id.ts';
import type { AccountId, MailboxId, SpecialUse } from '../rows.ts';
import { StoreError } from '../store.ts';
import { type MailboxState, mailboxNamed, mailboxState } from '../writer/placement.ts';
import { everyMessage } from '../writer/standing.ts';
import type { Work } from '../writer/work.ts';
import { copyAnnotations } from './annotations.ts';
import { inheritRights } from './rights.ts';
import { moveRows } from './transfer.ts';

/** create-mailbox, with the names above it where they are missing (RFC 3501 §6.3.3). */
export function createMailbox(work: Work, command: CommandOf<'create-mailbox'>): Results['create-mailbox'] {
  const name = validName(command.name);
  const mailbox = create(work, command.account, name, command.specialUse);
  return { mailbox, objectId: mailboxObjectId(mailbox) };
}

/** @throws StoreError refused */
function validName(name: string): string {
  const valid = checkMailboxName(name);
  if (valid === undefined) throw new StoreError('refused', 'No mailbox can have this name');
  return valid;
}

/** @param name valid @throws StoreError exists, missing (the account), refused */
export function create(work: Work, account: AccountId, name: string, specialUse: SpecialUse | null): MailboxId {
  if (specialUse !== null) checkSpecialUse(work, account, specialUse);
  createParents(work, account, name);
  const existing = mailboxNamed(work, account, name);
  if (existing?.selectable === 1) throw new StoreError('exists', 'There is such a mailbox');
  if (existing !== undefined) dropRow(work, existing);
  checkRoom(work, account, 1);
  return insert(work, account, name, specialUse);
}

/** @throws StoreError missing (the account), refused */
function checkRoom(work: Work, account: AccountId, more: number): void {
  const known = work.db.get<{ mailboxes: number }>(
    'SELECT (SELECT count(*) FROM mailbox WHERE account = account.id) AS mailboxes FROM account WHERE id = ?',
    account,
  );
  if (known === undefined) throw new StoreError('missing', 'There is no such account');
  if (known.mailboxes + more > Limit.mailboxes) {
    throw new StoreError('limit', 'The account has too many mailboxes');
  }
}

/** One mailbox for each use (RFC 6154 §3 lets a server say no). */
function checkSpecialUse(work: Work, account: AccountId, specialUse: SpecialUse): void {
  const held = work.db.get('SELECT 1 FROM mailbox WHERE account = ? AND special_use = ?', account, specialUse);
  if (held !== undefined) throw new StoreError('refused', 'Another mailbox has this special use');
}

function createParents(work: Work, account: AccountId, name: string): void {
  const missing = ancestors(name).filter((parent) => mailboxNamed(work, account, parent) === undefined);
  if (missing.length > 0) checkRoom(work, account, missing.length);
  for (const parent of missing) insert(work, account, parent, null);
}

function insert(work: Work, account: AccountId, name: string, specialUse: SpecialUse | null): MailboxId {
  const mailbox = work.numbers.next('mailbox');
  insertRow(work, mailbox, account, name, true, specialUse);
  const above = ancestors(name).at(-1);
  const parent = above === undefined ? undefined : mailboxNamed(work, account, above);
  if (parent !== undefined) inheritRights(work, parent.id, mailbox);
  work.publish({ kind: 'mailbox-created', mailbox, account, name, origin: work.origin });
  return mailbox;
}

function insertRow(
  work: Work,
  mailbox: MailboxId,
  account: AccountId,
  name: string,
  selectable: boolean,
  specialUse: SpecialUse | null,
): void {
  work.db.run(
    `INSERT INTO mailbox (id, account, name, selectable, special_use, uid_validity, highest_modseq)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    mailbox,
    account,
    name,
    selectable ? 1 : 0,
    specialUse,
    work.numbers.next('uid_validity'),
    work.numbers.next('modseq'),
  );
}

/** delete-mailbox: one with others below it leaves its name, which is no mailbox any more (RFC 3501 §6.3.4). */
export function deleteMailbox(work: Work, command: CommandOf<'delete-mailbox'>): void {
  const mailbox = mailboxState(work, command.mailbox);
  if (mailbox.name === 'INBOX') throw new StoreError('refused', 'INBOX cannot be deleted');
  const parent = hasChildren(work, mailbox);
  if (parent && mailbox.selectable === 0) throw new StoreError('refused', 'There are mailboxes below this name');
  dropRow(work, mailbox);
  if (parent) insertRow(work, work.numbers.next('mailbox'), mailbox.account, mailbox.name, false, null);
  else dropBareParents(work, mailbox.account, mailbox.name);
  work.publish({
    kind: 'mailbox-deleted',
    mailbox: mailbox.id,
    account: mailbox.account,
    name: mailbox.name,
    origin: work.origin,
  });
}

function hasChildren(work: Work, mailbox: MailboxState): boolean {
  const { first, end } = below(mailbox.name);
  const sql = 'SELECT 1 FROM mailbox WHERE account = ? AND name >= ? AND name < ? LIMIT 1';
  return work.db.get(sql, mailbox.account, first, end) !== undefined;
}

/** Names that existed only for what was below them go with it. */
function dropBareParents(work: Work, account: AccountId, name: string): void {
  for (const parent of [...ancestors(name)].reverse()) {
    const state = mailboxNamed(work, account, parent);
    if (state === undefined) continue;
    if (state.selectable === 1 || hasChildren(work, state)) return;
    dropRow(work, state);
    work.publish({ kind: 'mailbox-deleted', mailbox: state.id, account, name: parent, origin: work.origin });
  }
}

/** The mailbox is gone for everybody; its messages are freed later. */
export function dropRow(work: Work, mailbox: MailboxState): void {
  work.db.run('DELETE FROM mailbox WHERE id = ?', mailbox.id);
  retire(work, mailbox.account, mailbox.uid_validity);
  work.db.run("INSERT INTO doomed (kind, id, commit_number) VALUES ('mailbox', ?, ?)", mailbox.id, work.commit);
  work.doomed();
}

/** A name lost this UIDVALIDITY: one that takes the name later must have a higher one (RFC 3501 §2.3.1.1). */
function retire(work: Work, account: AccountId, uidValidity: number): void {
  work.db.run('UPDATE account SET retired_validity = max(retired_validity, ?) WHERE id = ?', uidValidity, account);
}

/** rename-mailbox: with what is below it; INBOX gives its messages away and stays (RFC 3501 §6.3.5). */
export function renameMailbox(work: Work, command: CommandOf<'rename-mailbox'>): void {
  const mailbox = mailboxState(work, command.mailbox);
  const name = validName(command.name);
  const { account } = mailbox;
  if (mailboxNamed(work, account, name) !== undefined) throw new StoreError('exists', 'There is such a mailbox');
  if (mailbox.name === 'INBOX') {
    const target = mailboxState(work, create(work, account, name, null));
    moveRows(work, mailbox, target, everyMessage(work, mailbox.id), { view: null });
    copyAnnotations(work, mailbox.id, target.id);
    const change = { mailbox: target.id, account, name, oldName: mailbox.name, origin: work.origin };
    work.publish({ kind: 'mailbox-renamed', ...change });
    return;
  }
  const { first, end } = below(mailbox.name);
  if (name.startsWith(first)) throw new StoreError('refused', 'A mailbox cannot go below itself');
  const children = work.db.all<MailboxState>(
    'SELECT id, account, name, uid_validity FROM mailbox WHERE account = ? AND name >= ? AND name < ? ORDER BY name',
    account,
    first,
    end,
  );
  createParents(work, account, name);
  for (const moved of [mailbox, ...children]) {
    const below = moved.name.slice(mailbox.name.length);
    giveName(work, moved, validName(name + below));
    const oldName = below === '' ? { oldName: mailbox.name } : {};
    const change = { mailbox: moved.id, account, name: name + below, ...oldName, origin: work.origin };
    work.publish({ kind: 'mailbox-renamed', ...change });
  }
  dropBareParents(work, account, mailbox.name);
}

function giveName(work: Work, mailbox: MailboxState, name: string): void {
  const { account } = mailbox;
  const retired = work.db.get<{ validity: number }>(
    'SELECT retired_validity AS validity FROM account WHERE id = ?',
    account,
  );
  // Another mailbox may have had this name with a higher UIDVALIDITY; equal is our own from an earlier name.
  const stale = (retired?.validity ?? 0) > mailbox.uid_validity;
  const uidValidity = stale ? work.numbers.next('uid_validity') : mailbox.uid_validity;
  work.db.run('UPDATE mailbox SET name = ?, uid_validity = ? WHERE id = ?', name, uidValidity, mailbox.id);
  retire(work, account, mailbox.uid_validity);
}

/** subscribe: names of which a mailbox may not exist (RFC 3501 §6.3.6). */
export function subscribe(work: Work, command: CommandOf<'subscribe'>): void {
  const { account } = command;
  const name = validName(command.name);
  if (command.subscribed) {
    const count = work.db.get<{ names: number }>(
      'SELECT count(*) AS names FROM subscription WHERE account = ?',
      account,
    );
    if ((count?.names ?? 0) >= Limit.subscriptions) throw new StoreError('limit', 'Too many names are subscribed');
  }
  const changed = command.subscribed
    ? work.db.run('INSERT OR IGNORE INTO subscription (account, name) VALUES (?, ?)', account, name)
    : work.db.run('DELETE FROM subscription WHERE account = ? AND name = ?', account, name);
  if (changed === 0) return;
  const mailbox = mailboxNamed(work, account, name)?.id ?? null;
  work.publish({ kind: 'subscription', mailbox, account, name, origin: work.origin });
}
