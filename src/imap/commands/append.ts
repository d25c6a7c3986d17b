// APPEND (RFC 3501 §6.3.11) of one or more messages (RFC 3502), brought by the client or put together of what is here
// already (RFC 4469), with APPENDUID (RFC 4315 §3). Messages stream into the store: none is ever in memory whole.

import { SevenBitConversion } from '../../formats/seven-bit.ts';
import type { MessageRow } from '../../store/rows.ts';
import { mailboxFor, type SeenMailbox } from '../access.ts';
import { ArrivingMessages } from '../arriving-messages.ts';
import { no, ok } from '../completion.ts';
import { type AppendStep, type AppendStretch, appendStretch } from '../grammar/append-stretch.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { uidSet } from '../grammar/sequence-set.ts';
import { LIMIT } from '../limits.ts';
import { badUrl, octetsAt } from '../message-url.ts';
import { allows, flagScope } from '../rights.ts';
import { command, LOGGED_IN, ownView, type Session } from './command.ts';
import { tellNormalised, writtenArgument } from './written-name.ts';

/** append = "APPEND" SP mailbox 1*append-message; here up to the first literal */
function appendArguments(scanner: Scanner) {
  return { named: writtenArgument(scanner), stretch: appendStretch(scanner, null) };
}

export const append = command({
  name: 'APPEND',
  states: LOGGED_IN,
  grammar: appendArguments,
  async run(session, { named, stretch }) {
    const to = await target(session, named.name);
    await tellNormalised(session, named);
    return ok('Appended', appendUid(to, await receive(session, stretch, { to })));
  },
});

/** APPENDUID tells of the mailbox: nobody who may not select it (RFC 4315 §3, RFC 9051 §6.3.12). */
export function appendUid(
  to: SeenMailbox,
  { uidValidity, uids }: { readonly uidValidity: number; readonly uids: ArrayLike<number> },
): string | null {
  return allows(to.rights, 'read') ? `APPENDUID ${uidValidity} ${uidSet(uids)}` : null;
}

/** A mailbox that takes messages. @throws ImapRefusal NO */
export async function target(session: Session, name: string): Promise<SeenMailbox> {
  const mailbox = await mailboxFor(session, name, 'insert', 'TRYCREATE');
  // A name that is there for what is below it can be made a mailbox.
  if (!mailbox.selectable) throw no('There is no such mailbox', 'TRYCREATE');
  return mailbox;
}

interface Errand {
  readonly to: SeenMailbox;
  /** The one message that comes takes the place of this one, of the selected mailbox. */
  readonly replaces?: MessageRow;
}

/** Takes all that the command brings into the store, and there into its mailbox, in one go. What can be refused before
 * the client is asked for the octets, is. @param first what has been read of the command
 * @throws ImapRefusal, StoreError; then nothing has changed */
export async function receive(session: Session, first: AppendStretch, { to, replaces }: Errand) {
  const { store, clock, limits } = session;
  const account = await store.read.account(to.account);
  const freed = replaces && session.mailbox.row.account === to.account ? replaces.size : 0;
  const room =
    account && account.quota !== null ? account.quota - account.usedOctets + freed : Number.POSITIVE_INFINITY;
  const arriving = new ArrivingMessages(store, limits, room, flagScope(to.rights));
  try {
    await readOn(session, first, arriving, replaces ? 'one' : 'any');
    const now = clock.now();
    const messages = arriving.take(now);
    const seenTo = to.own ? null : session.account;
    const view = ownView(session);
    const command = { kind: 'append', mailbox: to.id, now, messages, seenTo, view, origin: session.id } as const;
    if (!replaces) return await store.execute(command);
    return await store.execute({ ...command, replaces: { mailbox: session.mailbox.id, uid: replaces.uid } });
  } catch (error) {
    arriving.discard();
    throw error;
  }
}

async function readOn(session: Session, first: AppendStretch, arriving: ArrivingMessages, most: 'one' | 'any') {
  let parts = 0;
  for (let stretch = first; ; ) {
    for (const step of stretch.steps) {
      if (step.step === 'url' && ++parts > LIMIT.catenatedParts) throw no('These are too many parts', 'LIMIT');
      await take(session, step, arriving);
    }
    const { behind } = stretch;
    if (behind === null) return;
    stretch = await session.message.next((scanner) => appendStretch(scanner, behind, most));
  }
}

async function take(session: Session, step: AppendStep, arriving: ArrivingMessages): Promise<void> {
  switch (step.step) {
    case 'begin':
      return arriving.begin(step);
    case 'octets':
      if (step.of === 'message' && session.message.octets === 0) throw no('The message is empty', 'CANNOT');
      return await takeLiteral(session, arriving, step.of);
    case 'url':
      return await takeNamed(session, step.url, arriving);
    case 'complete':
      return await arriving.complete();
  }
}

/** Takes the octets that a URL names (RFC 4469 §3). @throws ImapRefusal NO */
async function takeNamed(session: Session, url: string, arriving: ArrivingMessages): Promise<void> {
  const named = await octetsAt(session, url);
  arriving.admit(named.size);
  let left = named.size;
  for await (const piece of named.pieces()) {
    await arriving.write(piece);
    left -= piece.length;
  }
  // Its message was expunged, and freed, meanwhile.
  if (left > 0) throw badUrl(url);
}

/** Takes the octets of a literal. @throws ImapRefusal NO */
async function takeLiteral({ message }: Session, arriving: ArrivingMessages, of: 'message' | 'part'): Promise<void> {
  arriving.admit(message.octets);
  const write = async (octets: Uint8Array): Promise<void> => {
    // RFC 3501 §9: literal = … *CHAR8, which has no NUL. What holds one could not be fetched again as it is.
    if (octets.includes(0)) throw no('The message holds a NUL octet', message.literal8 ? 'UNKNOWN-CTE' : 'CANNOT');
    await arriving.write(octets);
  };
  // RFC 3516 §4.4 and §6: what has NUL is encoded, so that BODY[…] can show it; BINARY[…] gives it back as it was.
  const conversion =
    message.literal8 && of === 'message'
      ? new SevenBitConversion({ onlyNul: true, charset: 'unknown-8bit', relabel: false })
      : null;
  for (let part = await message.read(); part; part = await message.read()) {
    await write(conversion ? conversion.push(part) : part);
  }
  if (conversion) await write(conversion.end());
}
