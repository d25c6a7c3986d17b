// REPLACE and UID REPLACE (RFC 8508): a message comes and another one goes, both or neither. What comes is brought as to
// APPEND; what goes is reported as news like any other's.

import type { MessageRow } from '../../store/rows.ts';
import { StoreError } from '../../store/store.ts';
import { completionLine, no, ok } from '../completion.ts';
import { appendStretch } from '../grammar/append-stretch.ts';
import type { SetRange } from '../search/keys.ts';
import { appendUid, receive, target } from './append.ts';
import { command, SELECTED, type Session } from './command.ts';
import { highestModSeq } from './expunge.ts';
import { mailboxArgument } from './select.ts';

/** replace = "REPLACE" SP seq-number SP mailbox append-message; uid-replace = "UID" SP replace */
export const replace = command({
  name: 'REPLACE',
  states: SELECTED,
  uid: 'allowed',
  grammar(scanner) {
    scanner.space();
    const number = scanner.accept('*') ? '*' : scanner.nzNumber();
    return {
      number: { first: number, last: number } as const,
      name: mailboxArgument(scanner),
      stretch: appendStretch(scanner, null, 'one'),
    };
  },
  async run(session, { number, name, stretch }, byUid) {
    const { mailbox, writer } = session;
    // RFC 8508 §4.1: as EXPUNGE and APPEND would.
    mailbox.rights.require('move away');
    const replaces = await messageNamed(session, number, byUid);
    const to = await target(session, name);
    try {
      const code = appendUid(to, await receive(session, stretch, { to, replaces }));
      // RFC 8508 §4.3: before the EXPUNGE, so that the client knows what came instead.
      if (code) writer.line(completionLine('*', ok('Replaced', code)));
    } catch (error) {
      const gone =
        error instanceof StoreError && error.kind === 'missing' && mailbox.view.hasGone(Uint32Array.of(replaces.uid));
      throw gone ? expungedElsewhere() : error;
    }
    return ok('Replaced', highestModSeq(session));
  },
});

/** @throws ImapRefusal NO if there is no such message, or not any more */
async function messageNamed({ mailbox, store }: Session, number: SetRange, byUid: boolean): Promise<MessageRow> {
  const { id, view } = mailbox;
  const uids = byUid ? view.resolveUids([number]) : view.resolveSequences([number]);
  if (view.hasGone(uids)) throw expungedElsewhere();
  const [row] = (await store.read.messages(id, uids)).rows;
  if (!row) throw no('There is no such message');
  return row;
}

function expungedElsewhere() {
  return no('The message is gone', 'EXPUNGEISSUED');
}
