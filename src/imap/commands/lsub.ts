// LSUB (RFC 3501 §6.3.9) and NAMESPACE (RFC 2342).

import { bad, ok } from '../completion.ts';
import { DELIMITER, listPattern, namesAbove } from '../grammar/mailbox-name.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { OTHER_USERS } from '../namespace.ts';
import { listLine } from '../render/list-line.ts';
import { command, LOGGED_IN, nothing } from './command.ts';
import { matches, ROOT } from './list.ts';

/** SP mailbox SP list-mailbox. Null: an empty pattern, which asks for the delimiter only. */
function lsubArguments(scanner: Scanner): string | null {
  scanner.space();
  const reference = scanner.astring();
  scanner.space();
  const pattern = scanner.listMailbox();
  return pattern.length === 0 ? null : listPattern(reference, pattern, scanner.utf8);
}

/** lsub = "LSUB" SP mailbox SP list-mailbox */
export const lsub = command({
  name: 'LSUB',
  states: LOGGED_IN,
  admit({ enabled }) {
    // RFC 9051 §6.3.9: LIST (SUBSCRIBED) is in its place.
    if (enabled.rev2) throw bad('IMAP4rev2 has no LSUB: LIST (SUBSCRIBED) says the same');
  },
  grammar: lsubArguments,
  async run(session, pattern) {
    if (pattern === null) {
      session.writer.line(`* LSUB ${ROOT}`);
      return ok('Listed');
    }
    const subscribed = new Set(await session.store.read.subscriptions(session.account));
    const names = new Set(subscribed);
    // RFC 3501 §6.3.9: with "%" a name that is not subscribed, but has subscribed names below it, is \Noselect.
    if (pattern.endsWith('%')) for (const name of subscribed) for (const above of namesAbove(name)) names.add(above);
    for (const name of [...names].sort()) {
      if (!(await matches(session, name, pattern))) continue;
      session.writer.line(listLine('LSUB', subscribed.has(name) ? [] : ['\\Noselect'], name, session.enabled));
      await session.writer.ready();
    }
    return ok('Listed');
  },
});

/** namespace = "NAMESPACE": one personal namespace, and one of what others have shared. */
export const namespace = command({
  name: 'NAMESPACE',
  states: LOGGED_IN,
  grammar: nothing,
  run(session) {
    session.writer.line(`* NAMESPACE (("" "${DELIMITER}")) (("${OTHER_USERS}" "${DELIMITER}")) NIL`);
    return ok('That is all');
  },
});
