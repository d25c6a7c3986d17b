// EHLO and HELO (RFC 5321 §4.1.1.1): who the client says it is, and what it may ask for here.

import type { Reply } from '../../../formats/refusal.ts';
import { offeredMechanisms } from '../../../sasl/mechanisms.ts';
import { LIMITS } from '../limits.ts';
import type { Session } from '../session.ts';
import { badArgument, type Command } from './command.ts';

export const ehlo: Command = {
  verb: 'EHLO',
  beforeTls: true,
  idle: true,
  async run(session, argument) {
    await greet(session, 'EHLO', argument);
    return { code: 250, text: [session.options.hostname, ...keywords(session)].join('\n') };
  },
};

export const helo: Command = {
  verb: 'HELO',
  beforeTls: false,
  idle: true,
  async run(session, argument): Promise<Reply> {
    await greet(session, 'HELO', argument);
    return { code: 250, text: session.options.hostname };
  },
};

/** Wider than RFC 5321 §4.1.1.1: any one printable word is taken for a name, since real clients say anything; a computer
 * in Zürich may call itself so, in whatever encoding. */
async function greet(session: Session, verb: 'EHLO' | 'HELO', name: string): Promise<void> {
  if (!/^[^\0- \x7f-\x9f]+$/.test(name) || name.length > LIMITS.helloName)
    throw badArgument(`Syntax: ${verb} hostname`);
  // RFC 5321 §4.1.4: as if by RSET.
  await session.abandon();
  session.facts.hello = { verb, name };
}

/** The service extensions that are there for this session at this moment, as EHLO keywords. */
export function keywords(session: Session): string[] {
  const { options, facts } = session;
  const { messageSize, recipients } = options.limits;
  const startTls = facts.tls === null && (options.tls === 'offered' || options.tls === 'required');
  // Before TLS nothing else would be answered, so nothing else is offered.
  if (startTls && options.tls === 'required') return ['STARTTLS'];
  const list = ['PIPELINING', `SIZE ${messageSize}`, '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', 'DSN'];
  // RFC 3030 §3: BINARYMIME needs CHUNKING.
  list.push('CHUNKING', 'BINARYMIME');
  if (options.role === 'submission') {
    if (options.maxHold > 0) list.push(futureRelease(options));
    list.push('DELIVERBY', 'MT-PRIORITY');
  }
  if (startTls) list.push('STARTTLS');
  // RFC 8689 §2: only a session that is protected itself can promise it.
  if (facts.tls !== null) list.push('REQUIRETLS');
  // RFC 5321 §4.1.1.1: all commands that not every server has are told; the others have brought theirs.
  list.push('HELP');
  const auth = authMechanisms(session);
  if (auth.length > 0) list.push(`AUTH ${auth.join(' ')}`);
  list.push(`LIMITS MAILMAX=${LIMITS.messages} RCPTMAX=${recipients}`);
  return list;
}

/** The longest time in seconds, and when that would be (RFC 4865 §3). */
function futureRelease({ clock, maxHold }: Session['options']): string {
  const last = new Date(clock.now() + maxHold).toISOString();
  return `FUTURERELEASE ${Math.floor(maxHold / 1_000)} ${last.replace(/\.\d+/, '')}`;
}

/** The SASL mechanisms of this port; where TLS is demanded, nothing is offered or run before it. A submission listener
 * whose TLS is `none` or `offered` was configured to take passwords in clear (loopback, or `cleartext = true`). */
function authMechanisms(session: Session): readonly string[] {
  const { options } = session;
  if (options.role === 'transfer' || options.receiver.authentication === undefined) return [];
  return offeredMechanisms(session.sasl);
}
