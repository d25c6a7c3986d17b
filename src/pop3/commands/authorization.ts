// STLS (RFC 2595 §4), UTF8 (RFC 6856 §2.1), USER and PASS (RFC 1939 §7), AUTH (RFC 5034 §4). Before TLS is on, where it is
// demanded, no password is asked for, read, tried or logged (RFC 2595 §2.3).

import { AuthenticationFailure } from '../../directory/directory.ts';
import { decodeBase64 } from '../../formats/base64.ts';
import { hasProhibited, saslprep } from '../../formats/saslprep.ts';
import { type Claim, decodeText, type Step } from '../../sasl/mechanism.ts';
import { startMechanism } from '../../sasl/mechanisms.ts';
import { misspoken, ok, type Reply, refusal } from '../reply.ts';
import { AUTHORIZATION, command, nothing, type Session, words } from './command.ts';

/** "STLS" */
export const stls = command({
  name: 'STLS',
  states: AUTHORIZATION,
  grammar: nothing,
  run(session) {
    if (!session.standing.mayStartTls) {
      session.log.warn({ session: session.id }, 'pop3: STLS where TLS is on already, or is not to be had');
      throw misspoken('STLS is not to be had here');
    }
    session.afterwards('stls');
    return ok('Begin TLS now');
  },
});

/** "UTF8" */
export const utf8 = command({
  name: 'UTF8',
  states: AUTHORIZATION,
  grammar: nothing,
  run(session) {
    session.utf8 = true;
    return ok('UTF-8 is welcome');
  },
});

function requirePrivacy(session: Session): void {
  if (!session.standing.mayLogIn) throw refusal('Use STLS first', null, 'login before TLS');
}

/** The whole rest of the line, spaces included: RFC 1939 §7 lets a password have them. */
const verbatim = (rest: Buffer | null): Buffer => Buffer.from(rest ?? '');

/** A name or a password; undefined for what is none. RFC 6856 §2.2 has what SASLprep prohibits refused. */
function textOf(octets: Buffer): string | undefined {
  const text = decodeText(octets);
  return text === undefined || hasProhibited(saslprep(text)) ? undefined : text;
}

/** "USER" SP name. Every name is welcome: which ones exist is nobody's business (RFC 1939 §13). */
export const user = command({
  name: 'USER',
  states: AUTHORIZATION,
  admit: requirePrivacy,
  grammar(rest) {
    const name = textOf(verbatim(rest));
    if (name === undefined) throw misspoken('That is no name');
    return name;
  },
  run(session, name) {
    session.user = name;
    return ok('And the password?');
  },
});

/** "PASS" SP string, right behind USER */
export const pass = command({
  name: 'PASS',
  states: AUTHORIZATION,
  admit(session) {
    requirePrivacy(session);
    if (session.user === null) throw misspoken('PASS follows USER');
  },
  grammar: verbatim,
  async run(session, octets) {
    const name = session.user;
    const password = textOf(octets);
    session.user = null;
    if (name === null || password === undefined) return failed(session, 'name or password unusable');
    return await check(session, { kind: 'password', mechanism: 'USER and PASS', username: name, password });
  },
});

/** "AUTH" SP mechanism [SP initial-response] *(CRLF [base64]); initial-response = base64 / "=" */
export const auth = command({
  name: 'AUTH',
  states: AUTHORIZATION,
  admit: requirePrivacy,
  grammar(rest) {
    const [mechanism, initial = null, more] = words(rest);
    if (mechanism === undefined || more !== undefined) throw misspoken('AUTH takes a mechanism and a response');
    if (initial === null) return { mechanism, initial };
    return { mechanism, initial: initial === '=' ? Buffer.alloc(0) : responseOf(initial) };
  },
  async run(session, { mechanism, initial }) {
    const exchange = startMechanism(mechanism, session.sasl);
    if (!exchange) throw refusal('That mechanism is not offered');
    const answer = (response: Buffer | null) => settled(session, async () => exchange.step(response));
    let step: Step = await answer(initial);
    while (step.kind === 'challenge') {
      const response = (await session.ask(step.challenge.toString('base64'))).toString('latin1');
      if (response === '*') throw refusal('Authentication was cancelled');
      step = await answer(responseOf(response));
    }
    if (step.kind === 'refused') return failed(session, step.reason);
    return await check(session, step.claim);
  },
});

/** @throws Pop3Refusal */
function responseOf(text: string): Buffer {
  const octets = decodeBase64(text);
  if (octets === undefined) throw misspoken('A response is not in base64');
  return octets;
}

async function check(session: Session, claim: Claim): Promise<Reply> {
  const { directory, remoteAddress } = session;
  const account = await settled(session, () => directory.admit(claim, remoteAddress));
  return await session.logIn(account, claim.mechanism);
}

/** What the directory answers. @throws Pop3Refusal where it refuses */
async function settled<T>(session: Session, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof AuthenticationFailure)) throw error;
    if (error.kind === 'busy')
      throw refusal('Logging in is not possible at the moment, try again', 'SYS/TEMP', error.message);
    return failed(session, error.message);
  }
}

/** RFC 3206 §5: AUTH says that it is the name or the password. */
function failed(session: Session, reason: string): never {
  session.loginFailed(reason);
  throw refusal('The name or the password is wrong', 'AUTH', reason);
}
