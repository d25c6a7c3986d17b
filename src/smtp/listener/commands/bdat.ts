// BDAT (RFC 3030 §2): a chunk of the message, counted in octets, right behind the command. A chunk that is refused is read
// all the same, and ends the transaction: a part must never be taken for the whole.

import { Refusal, type Reply } from '../../../formats/refusal.ts';
import { Chunks, swallow } from '../chunks.ts';
import { LIMITS } from '../limits.ts';
import type { Session } from '../session.ts';
import { tooLarge } from '../unfit.ts';
import { badSequence, type Command } from './command.ts';

interface Chunk {
  readonly size: number;
  readonly last: boolean;
}

export const bdat: Command = {
  verb: 'BDAT',
  // Refused here, with its octets, where TLS is demanded: what is behind it must not be read as commands.
  beforeTls: true,
  idle: false,
  async run(session, argument) {
    const chunk = chunkOf(argument);
    if (chunk === null) {
      // Nobody can tell where the commands go on.
      session.finish('BDAT', { code: 501, status: '5.5.4', text: 'Syntax: BDAT octets, and LAST with the last' });
      return null;
    }
    const { size, last } = chunk;
    const max = session.options.limits.messageSize;
    if (size > 2 * max + LIMITS.contentLine) {
      session.finish('endless content', tooLarge(max).reply);
      return null;
    }
    const refusal = obstacle(session, chunk);
    if (refusal !== null) {
      await session.abandon();
      if (!(await swallow(session, size))) return null;
      throw refusal;
    }
    // Brings the message no nearer.
    if (size === 0 && !last) session.tally.idleCommands++;
    return take(session, chunk);
  },
};

async function take(session: Session, { size, last }: Chunk): Promise<Reply | null> {
  const { open } = session;
  // `obstacle` has seen to it that there is one.
  if (open === null) throw badSequence('Send MAIL first');
  open.chunks ??= new Chunks(session, open.binary, (content) => open.transaction.message(content));
  const { chunks } = open;
  let accepted = false;
  try {
    if (!(await chunks.take(size))) return null;
    if (!last) {
      accepted = true;
      return { code: 250, status: '2.0.0', text: `${size} octets received` };
    }
    // From here on it is for the Receiver to end it.
    session.open = null;
    const reply = await chunks.finish();
    accepted = reply.code < 400;
    if (accepted) session.tally.accepted();
    return reply;
  } finally {
    if (!accepted) {
      session.open = null;
      await chunks.giveUp();
      open.transaction.abandon();
    }
  }
}

/** Why a chunk is not taken; null: it is. */
function obstacle({ open, options, facts }: Session, { size }: Chunk): Refusal | null {
  // RFC 3207 §4.
  if (options.tls === 'required' && facts.tls === null) {
    return new Refusal(530, '5.7.0', 'Must issue a STARTTLS command first');
  }
  // Also behind the last chunk, and behind one that was refused (RFC 3030 §2).
  if (open === null) return badSequence('Send MAIL first');
  // RFC 5321 §3.3: MAIL stands, but nobody is to have the message.
  if (open.recipients === 0) return new Refusal(554, '5.5.1', 'No valid recipients');
  const { messageSize } = options.limits;
  return (open.chunks?.received ?? 0) + size > messageSize ? tooLarge(messageSize) : null;
}

/** bdat-cmd ::= "BDAT" SP chunk-size [ SP end-marker ] CR LF; chunk-size ::= 1*DIGIT; end-marker ::= "LAST" */
function chunkOf(argument: string): Chunk | null {
  const match = /^(\d{1,20})(?: +(LAST))?$/i.exec(argument.trimStart());
  return match === null ? null : { size: Number(match[1]), last: match[2] !== undefined };
}
