// COPY (RFC 3501 §6.4.7) and MOVE (RFC 6851), with COPYUID (RFC 4315 §3), and their UID forms.

import type { CopyResult } from '../../store/commands.ts';
import type { Uid } from '../../store/rows.ts';
import type { SeenMailbox } from '../access.ts';
import { completionLine, no, ok } from '../completion.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { messageSet, uidSet } from '../grammar/sequence-set.ts';
import { allows, flagScope } from '../rights.ts';
import type { MessageSet } from '../search/keys.ts';
import { target } from './append.ts';
import { command, SELECTED, type Session } from './command.ts';
import { highestModSeq } from './expunge.ts';
import { mailboxArgument } from './select.ts';

interface Arguments {
  readonly set: MessageSet;
  readonly name: string;
}

/** SP sequence-set SP mailbox */
function transferArguments(scanner: Scanner): Arguments {
  scanner.space();
  return { set: messageSet(scanner), name: mailboxArgument(scanner) };
}

interface Transferred {
  /** COPYUID; null: nothing was to be done, or it is not to be told. */
  readonly code: string | null;
  readonly messages: number;
}

/** Copies or moves all, or none. UIDs that are gone are passed over (RFC 3501 §6.4.8), but a sequence number names a
 * message that the client believes to be there (RFC 2180 §4.4). */
async function transfer(
  session: Session,
  kind: 'copy' | 'move',
  { set, name }: Arguments,
  byUid: boolean,
): Promise<Transferred> {
  const { id, view } = session.mailbox;
  const uids = byUid ? view.resolveUids(set) : view.resolveSequences(set);
  if (!byUid && view.hasGone(uids)) throw no('Some of the messages are gone', 'EXPUNGEISSUED');
  const to = await target(session, name);
  if (uids.length === 0) return { code: null, messages: 0 };
  const result = await session.store.execute({
    kind,
    from: id,
    uids: Array.from(uids) as Uid[], // the view holds nothing else
    to: to.id,
    now: session.clock.now(),
    view: view.id,
    // RFC 4314 §4: what the user has no right to set is left out.
    keep: flagScope(to.rights),
    seenTo: to.own ? null : session.account,
  });
  return { code: copyUid(to, result), messages: result.from.length };
}

/** As APPENDUID, it is for nobody who may not select the mailbox (RFC 4315 §3, RFC 9051 §6.4.7). */
function copyUid({ rights }: SeenMailbox, { uidValidity, from, to }: CopyResult): string | null {
  if (from.length === 0 || !allows(rights, 'read')) return null;
  return `COPYUID ${uidValidity} ${uidSet(from)} ${uidSet(to)}`;
}

/** copy = "COPY" SP sequence-set SP mailbox */
export const copy = command({
  name: 'COPY',
  states: SELECTED,
  uid: 'allowed',
  grammar: transferArguments,
  run: async (session, args, byUid) => ok('Copied', (await transfer(session, 'copy', args, byUid)).code),
});

/** move = "MOVE" SP sequence-set SP mailbox. RFC 6851 §4.3: COPYUID comes in an untagged OK, before the EXPUNGEs. */
export const move = command({
  name: 'MOVE',
  states: SELECTED,
  uid: 'allowed',
  grammar: transferArguments,
  async run(session, args, byUid) {
    session.mailbox.rights.require('move away');
    const { code, messages } = await transfer(session, 'move', args, byUid);
    if (code) session.writer.line(completionLine('*', ok('Moved', code)));
    return ok('Moved', messages > 0 ? highestModSeq(session) : null);
  },
});
