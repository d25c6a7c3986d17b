// AUTH (RFC 4954): the SASL exchange as SMTP carries it, in base64. The mechanisms are sasl's, the passwords are the
// Receiver's; nothing that the client sends here reaches a log.

import { decodeBase64 } from '../../../formats/base64.ts';
import { Refusal } from '../../../formats/refusal.ts';
import type { Claim, Exchange } from '../../../sasl/mechanism.ts';
import { startMechanism } from '../../../sasl/mechanisms.ts';
import { LIMITS, TIMES } from '../limits.ts';
import type { Session } from '../session.ts';
import { whereToSubmit } from '../wrong-door.ts';
import { badArgument, badSequence, type Command } from './command.ts';

export const auth: Command = {
  verb: 'AUTH',
  beforeTls: false,
  idle: true,
  async run(session, argument) {
    const { options, facts } = session;
    if (options.role === 'transfer' || options.receiver.authentication === undefined) {
      session.log.info({ session: session.facts.id, hop: session.hop, door: 'AUTH on a transfer port' }, 'wrong door');
      throw badSequence(`No AUTH on this port: it takes mail from servers. ${whereToSubmit(options.submissionPorts)}`);
    }
    if (facts.hello === null) throw badSequence('Send EHLO first');
    if (facts.identity !== null) throw badSequence('Already authenticated');
    if (session.open !== null) throw badSequence('No AUTH during a mail transaction');
    if (argument === '') throw badArgument('Syntax: AUTH mechanism');
    const [name = '', initial, extra] = argument.split(' ');
    const exchange = startMechanism(name, session.sasl);
    if (exchange === undefined) throw new Refusal(504, '5.5.4', 'Mechanism not offered');
    if (extra !== undefined) throw badArgument('Syntax: AUTH mechanism initial-response');
    // RFC 4954 §4: "=" is the empty initial response.
    let response = initial === undefined ? null : initial === '=' ? Buffer.alloc(0) : responseOf(initial);
    for (;;) {
      const step = await answer(session, exchange, response);
      if (step.kind === 'challenge') {
        // RFC 4954 §4: the code and its space stand even before an empty challenge.
        session.say({ code: 334, text: step.challenge.toString('base64') });
        const line = await session.line();
        if (line === null) return null;
        // RFC 4954 §4: cancelled.
        if (line.text === '*') throw new Refusal(501, '5.7.0', 'Authentication cancelled');
        if (line.octets > LIMITS.authLine) throw new Refusal(500, '5.5.6', 'Authentication line too long');
        response = responseOf(line.text);
      } else if (step.kind === 'refused') {
        throw failed(session, new Refusal(535, '5.7.8', 'Authentication credentials invalid', step.reason));
      } else {
        return authenticate(session, step.claim);
      }
    }
  },
};

async function authenticate(session: Session, claim: Claim) {
  try {
    const identity = await session.options.receiver.authentication?.authenticate(claim, session.facts);
    if (identity === undefined) throw new Error('the receiver cannot authenticate');
    session.facts.identity = identity;
    return { code: 235, status: '2.7.0', text: 'Authentication succeeded' } as const;
  } catch (error) {
    return await counted(session, error);
  }
}

async function answer(session: Session, exchange: Exchange, response: Uint8Array | null) {
  try {
    return await exchange.step(response);
  } catch (error) {
    return await counted(session, error);
  }
}

/** Counts what the Receiver refuses, and throws it. */
async function counted(session: Session, error: unknown): Promise<never> {
  if (!(error instanceof Refusal)) throw error;
  if (error.reply.code >= 500) throw failed(session, error);
  // 454 says that nothing was checked, so it is no failure of the client's; but asking at once again helps nobody.
  if (++session.tally.authDeferrals > 1) await session.pause(TIMES.tarpit);
  throw error;
}

/** RFC 4954 §4 lets a server end the connection after some of these (LIMITS.authFailures). */
function failed(session: Session, refusal: Refusal): Refusal {
  session.tally.authFailures++;
  return refusal;
}

/** @throws Refusal */
function responseOf(text: string): Buffer {
  const octets = decodeBase64(text);
  if (octets === undefined) throw new Refusal(501, '5.5.2', 'Not base64');
  return octets;
}
