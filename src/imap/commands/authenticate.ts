// STARTTLS, AUTHENTICATE and LOGIN (RFC 3501 §6.2), and UNAUTHENTICATE (RFC 8437). Before TLS is on, where it is
// demanded, no password is asked for, read, tried or logged (RFC 2595 §3.2).

import { AuthenticationFailure } from '../../directory/directory.ts';
import { decodeBase64 } from '../../formats/base64.ts';
import { type Claim, decodeText, type Step } from '../../sasl/mechanism.ts';
import { startMechanism } from '../../sasl/mechanisms.ts';
import { capabilityData } from '../capabilities.ts';
import { bad, type Completion, no, ok } from '../completion.ts';
import { LIMIT } from '../limits.ts';
import { command, LOGGED_IN, nothing, type Session, type State } from './command.ts';

const NOT_LOGGED_IN: readonly State[] = ['not authenticated'];

/** starttls = "STARTTLS" */
export const starttls = command({
  name: 'STARTTLS',
  states: NOT_LOGGED_IN,
  grammar: nothing,
  run(session) {
    if (!session.standing.mayStartTls) {
      session.log.warn({ session: session.id }, 'imap: STARTTLS where TLS is on already, or is not to be had');
      throw bad('STARTTLS is not to be had here');
    }
    session.afterwards('starttls');
    return ok('Begin TLS now');
  },
});

/** RFC 5530 §3: PRIVACYREQUIRED. */
function requirePrivacy(session: Session): void {
  if (!session.standing.mayLogIn) throw no('Use STARTTLS first', 'PRIVACYREQUIRED', 'login before TLS');
}

/** login = "LOGIN" SP userid SP password; both are astring */
export const login = command({
  name: 'LOGIN',
  states: NOT_LOGGED_IN,
  admit: requirePrivacy,
  grammar(scanner) {
    scanner.space();
    const username = scanner.astring();
    scanner.space();
    return { username, password: scanner.astring() };
  },
  async run(session, args) {
    const username = decodeText(args.username);
    const password = decodeText(args.password);
    if (username === undefined || password === undefined) return failed(session, 'name or password unusable');
    return await check(session, { kind: 'password', mechanism: 'LOGIN command', username, password });
  },
});

/** authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp] *(CRLF base64)
 * initial-resp = base64 / "=" (RFC 4959 §6) */
export const authenticate = command({
  name: 'AUTHENTICATE',
  states: NOT_LOGGED_IN,
  admit: requirePrivacy,
  grammar(scanner) {
    scanner.space();
    const mechanism = scanner.atom('a mechanism');
    return { mechanism, initial: scanner.accept(' ') ? scanner.atom('base64') : null };
  },
  async run(session, { mechanism, initial }) {
    const exchange = startMechanism(mechanism, session.sasl);
    if (!exchange) throw no('That mechanism is not offered', 'CANNOT');
    const answer = (response: Buffer | null) => settled(session, async () => exchange.step(response));
    let step: Step = await answer(initial === null ? null : initial === '=' ? Buffer.alloc(0) : responseOf(initial));
    while (step.kind === 'challenge') {
      session.writer.line(`+ ${step.challenge.toString('base64')}`);
      const response = await session.readLine(LIMIT.saslLine);
      if (response === '*') throw bad('Authentication was cancelled');
      step = await answer(responseOf(response));
    }
    if (step.kind === 'refused') return failed(session, step.reason);
    return await check(session, step.claim);
  },
});

/** command-auth =/ "UNAUTHENTICATE": the connection is as it was after the greeting, for another user. TLS stays. */
export const unauthenticate = command({
  name: 'UNAUTHENTICATE',
  states: LOGGED_IN,
  admit({ standing }) {
    // RFC 8437 §3: no other answer is allowed.
    if (!standing.mayLogOut) throw bad('UNAUTHENTICATE is switched off here');
  },
  grammar: nothing,
  run(session) {
    // RFC 8437 §4.1: the dictionary of who was logged in would tell the next one of him.
    if (session.standing.compressed) session.afterwards('inflate');
    // RFC 8437 §3: as CLOSE would not, this expunges nothing.
    session.unselect();
    session.loggedOut();
    return ok('Nobody is logged in any more', capabilityData(session.standing));
  },
});

/** @throws ImapRefusal BAD */
function responseOf(text: string): Buffer {
  const octets = decodeBase64(text);
  if (octets === undefined) throw bad('A response is not in base64');
  return octets;
}

async function check(session: Session, claim: Claim): Promise<Completion> {
  const { directory, remoteAddress } = session;
  const account = await settled(session, () => directory.admit(claim, remoteAddress));
  session.loggedIn(account, claim.mechanism);
  return ok('Logged in', capabilityData(session.standing));
}

/** What the directory answers. @throws ImapRefusal where it refuses */
async function settled<T>(session: Session, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof AuthenticationFailure)) throw error;
    if (error.kind === 'busy')
      throw no('Logging in is not possible at the moment, try again', 'UNAVAILABLE', error.message);
    return failed(session, error.message);
  }
}

function failed(session: Session, reason: string): never {
  session.loginFailed(reason);
  throw no('The name or the password is wrong', 'AUTHENTICATIONFAILED', reason);
}
