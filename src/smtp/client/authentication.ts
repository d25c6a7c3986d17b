// AUTH as a client (RFC 4954): PLAIN (RFC 4616), else LOGIN. What is said here never reaches a log or an error text.

import { type Channel, ConnectionFailure } from './channel.ts';
import { TIME_LIMITS } from './time-limits.ts';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/**
 * @param offered mechanisms of the EHLO reply, upper case
 * @throws ConnectionFailure `refused`, with the server's reply if it gave one
 */
export async function authenticate(
  channel: Channel,
  offered: readonly string[],
  credentials: Credentials,
): Promise<void> {
  const { user, password } = credentials;
  let lines: readonly string[];
  if (offered.includes('PLAIN')) lines = [`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`];
  else if (offered.includes('LOGIN')) lines = ['AUTH LOGIN', base64(user), base64(password)];
  else throw new ConnectionFailure('refused', 'the server offers no AUTH mechanism that is known here');
  for (const line of lines) {
    channel.write(`${line}\r\n`);
    const reply = await channel.answer(TIME_LIMITS.authenticate);
    if (reply.code === 235) return;
    if (reply.code !== 334) {
      // Its text is not kept: a server may repeat there what it was told.
      throw new ConnectionFailure('refused', `AUTH: ${reply.code}`, { ...reply, text: 'AUTH was refused' });
    }
  }
  // RFC 4954 §4: `*` cancels an exchange that asks for more than the mechanism has.
  channel.write('*\r\n');
  await channel.answer(TIME_LIMITS.authenticate);
  throw new ConnectionFailure('refused', 'the server did not finish AUTH');
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
