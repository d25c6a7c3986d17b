// SELECT, EXAMINE, CHECK, CLOSE (RFC 3501 §6.3.1, §6.3.2, §6.4.1, §6.4.2) and UNSELECT (RFC 3691), with the parameters
// and the HIGHESTMODSEQ of RFC 7162.

import { bad, type Completion, ok, uidRequired } from '../completion.ts';
import { mailbox, writtenName } from '../grammar/mailbox-name.ts';
import { selectParameters } from '../grammar/resynchronisation.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { allows, changesShared } from '../rights.ts';
import { command, LOGGED_IN, nothing, SELECTED, type Session } from './command.ts';
import { resynchronise } from './resynchronise.ts';
import { tellName } from './written-name.ts';

/** SP mailbox */
export function mailboxArgument(scanner: Scanner): string {
  scanner.space();
  return mailbox(scanner);
}

/** SP mailbox [select-params]. RFC 9051 §6.3.2: also a name that none can have ends the selection before. */
function selectArguments(scanner: Scanner) {
  scanner.space();
  const octets = scanner.astring();
  const name = writtenName(octets, scanner.utf8);
  return { name, written: octets.toString(), parameters: scanner.accept(' ') ? selectParameters(scanner) : null };
}

type Arguments = ReturnType<typeof selectArguments>;

async function open(
  session: Session,
  { name, written, parameters }: Arguments,
  readOnly: boolean,
): Promise<Completion> {
  const { enabled } = session;
  const memory = parameters?.qresync ?? null;
  // RFC 7162 §3.2.5
  if (memory && !enabled.qresync) throw bad('QRESYNC has to be enabled first');
  if (memory?.match && enabled.uidOnly) throw uidRequired();
  if (parameters?.condstore) enabled.condstore = true;
  const selected = await session.select(name, readOnly);
  const { row, view, firstUnseen } = selected;
  const { writer } = session;
  selected.describeFlags(row.keywords);
  selected.describeSize();
  const sequence = firstUnseen === null ? 0 : view.sequenceOf(firstUnseen);
  // RFC 9586 §3: it is a sequence number.
  if (sequence > 0 && !enabled.uidOnly && !enabled.rev2) writer.line(`* OK [UNSEEN ${sequence}] First unseen message`);
  writer.line(`* OK [UIDVALIDITY ${row.uidValidity}] UIDs are valid`);
  writer.line(`* OK [UIDNEXT ${row.uidNext}] Next UID`);
  // RFC 9051 §6.3.2
  if (name !== null) await tellName(session, { name, written });
  selected.describeModSeq();
  // RFC 8474 §4.2
  writer.line(`* OK [MAILBOXID (${row.objectId})] Its name may change, this does not`);
  selected.describeUrls();
  if (memory) await resynchronise(session, selected, memory);
  return ok('Selected', readOnly || !changesShared(selected.rights.held) ? 'READ-ONLY' : 'READ-WRITE');
}

/** select = "SELECT" SP mailbox [select-params] */
export const select = command({
  name: 'SELECT',
  states: LOGGED_IN,
  expunge: 'told afterwards',
  grammar: selectArguments,
  run: (session, args) => open(session, args, false),
});

/** examine = "EXAMINE" SP mailbox [select-params] */
export const examine = command({
  name: 'EXAMINE',
  states: LOGGED_IN,
  expunge: 'told afterwards',
  grammar: selectArguments,
  run: (session, args) => open(session, args, true),
});

/** "CHECK": every change is on disk before it is answered, so there is nothing to do. */
export const check = command({
  name: 'CHECK',
  states: SELECTED,
  grammar: nothing,
  run: () => ok('Everything is on disk'),
});

/** "CLOSE": expunges, says nothing of it, and leaves the mailbox. RFC 7162 §3.2.8: no HIGHESTMODSEQ, which would promise
 * that the client knows what others have done since it was last told. */
export const close = command({
  name: 'CLOSE',
  states: SELECTED,
  grammar: nothing,
  async run(session) {
    const { id, view, rights } = session.mailbox;
    // RFC 4314 §4: without the right, nothing is expunged, and nothing refused.
    if (!view.readOnly && allows(rights.held, 'expunge')) {
      await session.store.execute({ kind: 'expunge', mailbox: id, uids: null, force: false, view: view.id });
    }
    session.unselect();
    return ok('Closed');
  },
});

/** "UNSELECT" (RFC 3691 §2): CLOSE that expunges nothing. */
export const unselect = command({
  name: 'UNSELECT',
  states: SELECTED,
  grammar: nothing,
  run(session) {
    session.unselect();
    return ok('Closed, and nothing expunged');
  },
});
