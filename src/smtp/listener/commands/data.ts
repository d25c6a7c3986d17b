// DATA (RFC 5321 §4.1.1.4): the content goes to the Receiver's transaction, and its word is the reply, unless the
// content itself was unfit.

import { Refusal } from '../../../formats/refusal.ts';
import { Content } from '../content.ts';
import { badArgument, badSequence, type Command } from './command.ts';

export const data: Command = {
  verb: 'DATA',
  beforeTls: false,
  idle: false,
  async run(session, argument) {
    const { open } = session;
    if (open === null) throw badSequence('Send MAIL first');
    if (argument !== '') throw badArgument('Syntax: DATA');
    // RFC 3030 §2, §3.
    if (open.chunks !== null) throw badSequence('The message is under way: send the last BDAT, or RSET');
    if (open.binary) throw badSequence('BODY=BINARYMIME goes by BDAT');
    // RFC 5321 §3.3: MAIL stands, but nobody is to have the message.
    if (open.recipients === 0) throw new Refusal(554, '5.5.1', 'No valid recipients');
    session.say({ code: 354, text: 'End data with <CR><LF>.<CR><LF>' });
    const content = new Content(session);
    // Whatever comes of it, the transaction ends here.
    session.open = null;
    let accepted = false;
    try {
      const reply = await receive(content, () => open.transaction.message(content));
      if (content.lost || reply === null) return null;
      accepted = reply.code < 400;
      if (accepted) session.tally.accepted();
      return reply;
    } finally {
      if (!accepted) open.transaction.abandon();
    }
  },
};

/** Runs the Receiver and reads what it left, so that the next octet is a command again. The fault of a content counts
 * for more than what the Receiver made of it. */
async function receive<T>(content: Content, message: () => Promise<T>): Promise<T | null> {
  let settled: { value: T } | { error: unknown };
  try {
    settled = { value: await message() };
  } catch (error) {
    settled = { error };
  }
  await content.drain();
  if (content.lost) return null;
  if (content.refusal !== null) throw content.refusal;
  if ('error' in settled) throw settled.error;
  return settled.value;
}
