// CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 §6.3.3 to §6.3.7).

import type { MailboxRow } from '../../store/rows.ts';
import { no, ok } from '../completion.ts';
import { checkNewName, DELIMITER } from '../grammar/mailbox-name.ts';
import { command, LOGGED_IN, type Session } from './command.ts';
import { mailboxArgument } from './select.ts';

/** RFC 3501 §6.3.3: a delimiter at the end says that names below it will be created. */
function withoutTrailingDelimiter(name: string): string {
  return name.length > 1 && name.endsWith(DELIMITER) ? name.slice(0, -1) : name;
}

/** @throws ImapRefusal NO with this response code if there is no such mailbox */
export async function existing(session: Session, name: string, code = 'NONEXISTENT'): Promise<MailboxRow> {
  const row = await session.store.read.mailboxByName(session.account, name);
  if (!row) throw no('There is no such mailbox', code);
  return row;
}

/** create = "CREATE" SP mailbox */
export const create = command({
  name: 'CREATE',
  states: LOGGED_IN,
  grammar: mailboxArgument,
  async run(session, given) {
    const name = withoutTrailingDelimiter(given);
    checkNewName(name);
    const made = { kind: 'create-mailbox', account: session.account, name, specialUse: null } as const;
    const { objectId } = await session.store.execute(made);
    // RFC 8474 §4.1
    return ok('Created', `MAILBOXID (${objectId})`);
  },
});

/** delete = "DELETE" SP mailbox. What has children keeps its name, as \Noselect. */
export const remove = command({
  name: 'DELETE',
  states: LOGGED_IN,
  grammar: mailboxArgument,
  async run(session, name) {
    if (name === 'INBOX') throw no('INBOX cannot be deleted', 'CANNOT');
    const { id } = await existing(session, name);
    if (session.state === 'selected' && session.mailbox.id === id) await session.unselect();
    await session.store.execute({ kind: 'delete-mailbox', mailbox: id });
    return ok('Deleted');
  },
});

/** rename = "RENAME" SP mailbox SP mailbox. INBOX stays, and gives its messages away. */
export const rename = command({
  name: 'RENAME',
  states: LOGGED_IN,
  grammar: (scanner) => ({ from: mailboxArgument(scanner), to: mailboxArgument(scanner) }),
  async run(session, { from, to }) {
    const name = withoutTrailingDelimiter(to);
    checkNewName(name);
    if (name.startsWith(`${from}${DELIMITER}`) && from !== 'INBOX')
      throw no('A mailbox cannot be inside itself', 'CANNOT');
    const { id } = await existing(session, from);
    await session.store.execute({ kind: 'rename-mailbox', mailbox: id, name, now: session.clock.now() });
    return ok('Renamed');
  },
});

/** subscribe = "SUBSCRIBE" SP mailbox; it need not exist (RFC 3501 §6.3.6). */
export const subscribe = command({
  name: 'SUBSCRIBE',
  states: LOGGED_IN,
  grammar: mailboxArgument,
  async run(session, given) {
    const name = withoutTrailingDelimiter(given);
    checkNewName(name);
    await session.store.execute({ kind: 'subscribe', account: session.account, name, subscribed: true });
    return ok('Subscribed');
  },
});

/** unsubscribe = "UNSUBSCRIBE" SP mailbox */
export const unsubscribe = command({
  name: 'UNSUBSCRIBE',
  states: LOGGED_IN,
  grammar: mailboxArgument,
  async run(session, name) {
    await session.store.execute({ kind: 'subscribe', account: session.account, name, subscribed: false });
    return ok('Unsubscribed');
  },
});
