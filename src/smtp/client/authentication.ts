// AUTH as a client (RFC 4954): the best mechanism that both sides know, one after another only where the server does not
// know what it has offered. What is said here never reaches a log or an error text.

import { randomBytes } from 'node:crypto';
import { decodeBase64 } from '../../formats/base64.ts';
import type { Reply } from '../../formats/refusal.ts';
import { type ClientMechanism, ExchangeFailure, type Secret } from '../../sasl/client/mechanism.ts';
import { fittingMechanisms } from '../../sasl/client/mechanisms.ts';
import { type Channel, ConnectionFailure } from './channel.ts';
import { TIME_LIMITS } from './time-limits.ts';

/** How to log in. */
export interface Credentials {
  readonly user: string;
  /** The only mechanism that may be used, upper case; null: the best. */
  readonly mechanism: string | null;
  /** Asked for at each login, since a token does not live long. @throws Error with a text that holds no secret */
  secret(): Promise<Secret>;
}

/** RFC 4954 §4: an initial response goes with the command only where the line stays this short. Octets. */
const MAX_LINE = 512;
/** Challenges of one exchange: no mechanism has more than two. */
const MAX_CHALLENGES = 4;

/**
 * @param offered mechanisms of the EHLO reply, upper case
 * @throws ConnectionFailure `login` where user, password or mechanism do not fit; `refused` where the server cannot tell
 */
export async function authenticate(
  channel: Channel,
  offered: readonly string[],
  credentials: Credentials,
): Promise<void> {
  const { user, mechanism: only } = credentials;
  const secret = await credentials.secret().catch((error: unknown) => {
    throw new ConnectionFailure(
      'login',
      `no login as ${user}: ${error instanceof Error ? error.message : 'no secret'}`,
    );
  });
  const { binding } = channel;
  const fitting = fittingMechanisms(offered, secret.kind, only, binding !== null);
  const surroundings = { binding, bindingOffered: offered.some((name) => name.endsWith('-PLUS')) };
  let unknown: Reply | null = null;
  for (const mechanism of fitting) {
    const nonce = randomBytes(18).toString('base64');
    const reply = await exchange(channel, mechanism, { user, secret }, { ...surroundings, nonce });
    if (reply.code === 235) return;
    // RFC 4954 §4: it does not know the mechanism after all.
    if (reply.code !== 504) throw refusal(mechanism.name, reply);
    unknown = reply;
  }
  if (unknown !== null) throw refusal('', unknown);
  throw new ConnectionFailure(
    'login',
    `AUTH: the server offers no mechanism for ${only ?? `a ${secret.kind}`} that is known here (${shown(offered)})`,
  );
}

/** One exchange. Resolves with the reply that ended it, 235 only where the mechanism agrees. @throws ConnectionFailure */
async function exchange(
  channel: Channel,
  mechanism: ClientMechanism,
  login: Parameters<ClientMechanism['start']>[0],
  surroundings: Parameters<ClientMechanism['start']>[1],
): Promise<Reply> {
  const { name } = mechanism;
  const client = mechanism.start(login, surroundings);
  let initial = client.initial;
  let line = `AUTH ${name}`;
  if (initial !== null && line.length + 3 + base64(initial).length <= MAX_LINE) {
    line += ` ${base64(initial)}`;
    initial = null;
  }
  for (let challenges = 0; ; challenges++) {
    channel.write(`${line}\r\n`);
    const reply = await channel.answer(TIME_LIMITS.authenticate);
    if (reply.code !== 334) {
      // RFC 5802 §5: a server that did not prove itself may be anybody.
      if (reply.code !== 235 || client.complete) return reply;
      throw new ConnectionFailure('login', `AUTH ${name}: the server did not prove that it knows the password`);
    }
    try {
      if (challenges === MAX_CHALLENGES) throw new ExchangeFailure('the server asks on and on');
      const challenge = decodeBase64(reply.text);
      if (challenge === undefined) throw new ExchangeFailure('the server asks in something that is no base64');
      line = base64(initial ?? (await client.respond(challenge)));
      initial = null;
    } catch (error) {
      if (!(error instanceof ExchangeFailure)) throw error;
      // RFC 4954 §4: `*` cancels an exchange.
      channel.write('*\r\n');
      await channel.answer(TIME_LIMITS.authenticate);
      throw new ConnectionFailure('login', `AUTH ${name}: ${error.message}`);
    }
  }
}

/** A 5yz is about the login, which somebody must put right; anything else may pass. */
function refusal(mechanism: string, reply: Reply): ConnectionFailure {
  const { code, status } = reply;
  // Its text is not kept: a server may repeat there what it was told.
  const kept = { ...reply, text: 'AUTH was refused' };
  const text = `AUTH${mechanism === '' ? '' : ` ${mechanism}`}: ${code}${status === undefined ? '' : ` ${status}`}`;
  return new ConnectionFailure(code >= 500 ? 'login' : 'refused', text, kept);
}

/** What of a foreign list may stand in a text. */
function shown(offered: readonly string[]): string {
  return offered.length === 0 ? 'no AUTH at all' : offered.slice(0, 12).join(' ').slice(0, 200);
}

function base64(octets: Buffer): string {
  return octets.toString('base64');
}
