// The SASL mechanisms that Postern offers, best first, and how an exchange is begun by name.

import { oauthbearer, xoauth2 } from './bearer.ts';
import { external } from './external.ts';
import { login } from './login.ts';
import type { Exchange, Mechanism, Surroundings } from './mechanism.ts';
import { plain } from './plain.ts';
import { scram } from './scram.ts';

const MECHANISMS: readonly Mechanism[] = [
  external,
  scram('sha256', { binds: true }),
  scram('sha1', { binds: true }),
  scram('sha256', { binds: false }),
  scram('sha1', { binds: false }),
  oauthbearer,
  xoauth2,
  plain,
  login,
];

/** Names of those that can be had on a connection. */
export function offeredMechanisms(surroundings: Surroundings): readonly string[] {
  return MECHANISMS.filter((mechanism) => mechanism.offered(surroundings)).map(({ name }) => name);
}

/** Begins an exchange. Names match without regard to case (RFC 4422 §3.1 has them upper case; clients vary). Undefined
 * for a mechanism that is not offered. */
export function startMechanism(name: string, surroundings: Surroundings): Exchange | undefined {
  const wanted = name.toUpperCase();
  const found = MECHANISMS.find((mechanism) => mechanism.name === wanted && mechanism.offered(surroundings));
  return found?.start(surroundings);
}
