// CREATE (also with a special use: RFC 6154 §3), DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 §6.3.3 to §6.3.7).

import type { SpecialUse } from '../../store/rows.ts';
import { mailboxFor, placeFor } from '../access.ts';
import { bad, no, ok } from '../completion.ts';
import { checkNewName, DELIMITER } from '../grammar/mailbox-name.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { command, LOGGED_IN, type Session } from './command.ts';
import { mailboxArgument } from './select.ts';
import { tellName, tellNormalised, type WrittenName, writtenArgument } from './written-name.ts';

/** RFC 3501 §6.3.3: a delimiter at the end says that names below it will be created. */
function withoutTrailingDelimiter(name: string): string {
  return name.length > 1 && name.endsWith(DELIMITER) ? name.slice(0, -1) : name;
}

/** RFC 6154 §2. \All and \Flagged would be mailboxes that nobody puts messages into: there are none here. */
const USES: ReadonlyMap<string, SpecialUse> = new Map(
  (['Archive', 'Drafts', 'Junk', 'Sent', 'Trash'] as const).map((use) => [use.toUpperCase(), use]),
);

/** create-param = "USE" SP "(" [use-attr *(SP use-attr)] ")"; use-attr = "\" atom. @returns the attributes, upper case
 * and without their backslashes */
function createParameters(scanner: Scanner): readonly string[] {
  const uses = new Set<string>();
  const parameters = scanner.list(() => {
    if (scanner.word('a parameter of CREATE') !== 'USE') throw bad('CREATE has a parameter that is not known');
    scanner.space();
    for (const use of scanner.list(() => useAttribute(scanner))) uses.add(use);
  });
  if (parameters.length === 0) throw scanner.problem('a parameter of CREATE');
  return [...uses];
}

function useAttribute(scanner: Scanner): string {
  scanner.expect('\\');
  return scanner.atom('a special use').toUpperCase();
}

/** The one special use that a mailbox has. @param uses as they were given, in upper case, without their backslashes
 * @throws ImapRefusal NO [USEATTR] (RFC 6154 §3): it is not known here, or they are several */
export function specialUseNamed(uses: readonly string[]): SpecialUse | null {
  const [first] = uses;
  if (first === undefined) return null;
  const use = USES.get(first);
  if (!use || uses.length > 1) throw no('A mailbox cannot have such a special use', 'USEATTR');
  return use;
}

/** The special use that a new mailbox can be given. @throws ImapRefusal NO [USEATTR], also if another mailbox has it */
async function assignable(session: Session, uses: readonly string[], own: boolean): Promise<SpecialUse | null> {
  const use = specialUseNamed(uses);
  if (use === null) return null;
  if (!own) throw no("The special uses of mailboxes are their owners'", 'USEATTR');
  const holder = (await session.store.read.mailboxes(session.account)).find(({ specialUse }) => specialUse === use);
  if (holder) throw no('Another mailbox has this special use', 'USEATTR');
  return use;
}

/** As withoutTrailingDelimiter, also in what the client has written. */
function bare({ name, written }: WrittenName): WrittenName {
  return { name: withoutTrailingDelimiter(name), written: withoutTrailingDelimiter(written) };
}

/** create = "CREATE" SP mailbox [SP "(" create-param *(SP create-param) ")"] */
export const create = command({
  name: 'CREATE',
  states: LOGGED_IN,
  grammar: (scanner) => ({
    given: writtenArgument(scanner),
    uses: scanner.accept(' ') ? createParameters(scanner) : [],
  }),
  async run(session, { given, uses }) {
    const named = bare(given);
    const { name } = named;
    checkNewName(name);
    const place = await placeFor(session, name);
    const specialUse = await assignable(session, uses, place.account === session.account);
    const { objectId } = await session.store.execute({
      kind: 'create-mailbox',
      ...place,
      specialUse,
      origin: session.id,
    });
    await tellNormalised(session, named);
    // RFC 8474 §4.1
    return ok('Created', `MAILBOXID (${objectId})`);
  },
});

/** delete = "DELETE" SP mailbox. What has children keeps its name, as \Noselect. */
export const remove = command({
  name: 'DELETE',
  states: LOGGED_IN,
  grammar: writtenArgument,
  async run(session, named) {
    const { name } = named;
    if (name === 'INBOX') throw no('INBOX cannot be deleted', 'CANNOT');
    const { id, selectable } = await mailboxFor(session, name, 'delete');
    if (!selectable) throw no('There are mailboxes below this name', 'HASCHILDREN');
    if (session.state === 'selected' && session.mailbox.id === id) {
      // RFC 9051 §3: what is said from here on is of no mailbox.
      session.writer.line('* OK [CLOSED] The mailbox that goes is closed');
      session.unselect();
    }
    await session.store.execute({ kind: 'delete-mailbox', mailbox: id, origin: session.id });
    await tellNormalised(session, named);
    return ok('Deleted');
  },
});

/** rename = "RENAME" SP mailbox SP mailbox. INBOX stays, and gives its messages away. */
export const rename = command({
  name: 'RENAME',
  states: LOGGED_IN,
  grammar: (scanner) => ({ old: writtenArgument(scanner), to: mailboxArgument(scanner) }),
  async run(session, { old, to }) {
    const from = old.name;
    const name = withoutTrailingDelimiter(to);
    checkNewName(name);
    if (name.startsWith(`${from}${DELIMITER}`) && from !== 'INBOX')
      throw no('A mailbox cannot be inside itself', 'CANNOT');
    const mailbox = await mailboxFor(session, from, 'delete');
    const place = await placeFor(session, name);
    if (place.account !== mailbox.account) throw no('A mailbox stays with its owner', 'CANNOT');
    if (!mailbox.own && mailbox.name.endsWith(`${DELIMITER}INBOX`)) throw no("INBOX is its owner's", 'CANNOT');
    await session.store.execute({
      kind: 'rename-mailbox',
      mailbox: mailbox.id,
      name: place.name,
      now: session.clock.now(),
      origin: session.id,
    });
    // RFC 9051 §6.3.6
    if (from !== 'INBOX') await tellName(session, { name, written: old.written });
    return ok('Renamed');
  },
});

async function setSubscribed({ store, account, id }: Session, name: string, subscribed: boolean): Promise<void> {
  await store.execute({ kind: 'subscribe', account, name, subscribed, origin: id });
}

/** subscribe = "SUBSCRIBE" SP mailbox; it need not exist (RFC 3501 §6.3.6). */
export const subscribe = command({
  name: 'SUBSCRIBE',
  states: LOGGED_IN,
  grammar: mailboxArgument,
  async run(session, given) {
    const name = withoutTrailingDelimiter(given);
    checkNewName(name);
    await setSubscribed(session, name, true);
    return ok('Subscribed');
  },
});

/** unsubscribe = "UNSUBSCRIBE" SP mailbox */
export const unsubscribe = command({
  name: 'UNSUBSCRIBE',
  states: LOGGED_IN,
  grammar: mailboxArgument,
  async run(session, given) {
    await setSubscribed(session, withoutTrailingDelimiter(given), false);
    return ok('Unsubscribed');
  },
});
