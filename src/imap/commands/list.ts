// LIST and LSUB (RFC 3501 §6.3.8, §6.3.9) with the attributes of CHILDREN (RFC 3348) and SPECIAL-USE (RFC 6154),
// and NAMESPACE (RFC 2342).

import type { MailboxRow } from '../../store/rows.ts';
import { ok } from '../completion.ts';
import { DELIMITER, listPattern, matchesPattern, nameText } from '../grammar/mailbox-name.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { command, LOGGED_IN, type Session } from './command.ts';

/** SP mailbox SP list-mailbox. Null: an empty pattern, which asks for the delimiter only. */
function listArguments(scanner: Scanner): string | null {
  scanner.space();
  const reference = scanner.astring();
  scanner.space();
  const pattern = scanner.listMailbox();
  return pattern.length === 0 ? null : listPattern(reference, pattern);
}

/** mailbox-list = "(" [mbx-list-flags] ")" SP DQUOTE QUOTED-CHAR DQUOTE SP mailbox */
function listLine(response: string, attributes: readonly string[], name: string): string {
  return `* ${response} (${attributes.join(' ')}) "${DELIMITER}" ${nameText(name)}`;
}

/** The response to an empty pattern: the delimiter, and the root, which is nameless. */
const ROOT = `(\\Noselect) "${DELIMITER}" ""`;

/** Names above these that are not among them: "foo" where there is only "foo/bar". */
function missingParents(names: ReadonlySet<string>): Set<string> {
  const missing = new Set<string>();
  for (const name of names) {
    for (let at = name.lastIndexOf(DELIMITER); at > 0; at = name.lastIndexOf(DELIMITER, at - 1)) {
      const parent = name.slice(0, at);
      if (names.has(parent) || missing.has(parent)) break;
      missing.add(parent);
    }
  }
  return missing;
}

/** A pattern can be made to cost the product of both lengths, for each of thousands of names. */
async function matches(session: Session, name: string, pattern: string): Promise<boolean> {
  session.turn.spend(name.length * pattern.length);
  if (session.turn.over) await session.turn.pass();
  return matchesPattern(name, pattern);
}

/** list = "LIST" SP mailbox SP list-mailbox */
export const list = command({
  name: 'LIST',
  states: LOGGED_IN,
  grammar: listArguments,
  async run(session, pattern) {
    if (pattern === null) {
      session.writer.line(`* LIST ${ROOT}`);
      return ok('Listed');
    }
    const rows = new Map((await session.store.read.mailboxes(session.account)).map((row) => [row.name, row]));
    const names = new Set(rows.keys());
    for (const parent of missingParents(names)) names.add(parent);
    const parents = new Set([...names].map((name) => name.slice(0, Math.max(0, name.lastIndexOf(DELIMITER)))));
    for (const name of [...names].sort()) {
      if (!(await matches(session, name, pattern))) continue;
      session.writer.line(listLine('LIST', attributes(rows.get(name), parents.has(name)), name));
      await session.writer.ready();
    }
    return ok('Listed');
  },
});

function attributes(row: MailboxRow | undefined, hasChildren: boolean): string[] {
  const found = [hasChildren ? '\\HasChildren' : '\\HasNoChildren'];
  if (!row?.selectable) found.unshift('\\Noselect');
  if (row?.specialUse) found.push(`\\${row.specialUse}`);
  return found;
}

/** lsub = "LSUB" SP mailbox SP list-mailbox */
export const lsub = command({
  name: 'LSUB',
  states: LOGGED_IN,
  grammar: listArguments,
  async run(session, pattern) {
    if (pattern === null) {
      session.writer.line(`* LSUB ${ROOT}`);
      return ok('Listed');
    }
    const names = new Set(await session.store.read.subscriptions(session.account));
    // RFC 3501 §6.3.9: with "%" a name that is not subscribed, but has subscribed names below it, is \Noselect.
    const parents = pattern.endsWith('%') ? missingParents(names) : new Set<string>();
    for (const name of [...names, ...parents].sort()) {
      if (!(await matches(session, name, pattern))) continue;
      session.writer.line(listLine('LSUB', names.has(name) ? [] : ['\\Noselect'], name));
      await session.writer.ready();
    }
    return ok('Listed');
  },
});

/** namespace = "NAMESPACE": one personal namespace, nobody else's, nothing shared. */
export const namespace = command({
  name: 'NAMESPACE',
  states: LOGGED_IN,
  grammar: () => null,
  run(session) {
    session.writer.line(`* NAMESPACE (("" "${DELIMITER}")) NIL NIL`);
    return ok('That is all');
  },
});
