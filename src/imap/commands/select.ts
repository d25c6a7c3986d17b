// SELECT, EXAMINE, CHECK, CLOSE (RFC 3501 §6.3.1, §6.3.2, §6.4.1, §6.4.2) and UNSELECT (RFC 3691).

import { type Completion, ok } from '../completion.ts';
import { mailbox } from '../grammar/mailbox-name.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { command, LOGGED_IN, nothing, SELECTED, type Session } from './command.ts';

/** SP mailbox */
export function mailboxArgument(scanner: Scanner): string {
  scanner.space();
  return mailbox(scanner);
}

async function open(session: Session, name: string, readOnly: boolean): Promise<Completion> {
  const selected = await session.select(name, readOnly);
  const { row, view } = selected;
  const unseen = await session.store.read.firstUnseen(row.id);
  const { writer } = session;
  selected.describeFlags(row.keywords);
  selected.describeSize();
  const sequence = unseen === null ? 0 : view.sequenceOf(unseen);
  if (sequence > 0) writer.line(`* OK [UNSEEN ${sequence}] First unseen message`);
  writer.line(`* OK [UIDVALIDITY ${row.uidValidity}] UIDs are valid`);
  writer.line(`* OK [UIDNEXT ${row.uidNext}] Next UID`);
  return ok('Selected', readOnly ? 'READ-ONLY' : 'READ-WRITE');
}

/** select = "SELECT" SP mailbox */
export const select = command({
  name: 'SELECT',
  states: LOGGED_IN,
  grammar: mailboxArgument,
  run: (session, name) => open(session, name, false),
});

/** examine = "EXAMINE" SP mailbox */
export const examine = command({
  name: 'EXAMINE',
  states: LOGGED_IN,
  grammar: mailboxArgument,
  run: (session, name) => open(session, name, true),
});

/** "CHECK": every change is on disk before it is answered, so there is nothing to do. */
export const check = command({
  name: 'CHECK',
  states: SELECTED,
  grammar: nothing,
  run: () => ok('Everything is on disk'),
});

/** "CLOSE": expunges, says nothing of it, and leaves the mailbox. */
export const close = command({
  name: 'CLOSE',
  states: SELECTED,
  grammar: nothing,
  async run(session) {
    const { id, view } = session.mailbox;
    if (!view.readOnly) {
      await session.store.execute({ kind: 'expunge', mailbox: id, uids: null, force: false, view: view.id });
    }
    await session.unselect();
    return ok('Closed');
  },
});

/** "UNSELECT" (RFC 3691 §2): CLOSE that expunges nothing. */
export const unselect = command({
  name: 'UNSELECT',
  states: SELECTED,
  grammar: nothing,
  async run(session) {
    await session.unselect();
    return ok('Closed, and nothing expunged');
  },
});
