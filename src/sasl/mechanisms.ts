// The SASL mechanisms that Postern offers, best first, and how an exchange is begun by name.

import { login } from './login.ts';
import type { Exchange, Mechanism } from './mechanism.ts';
import { plain } from './plain.ts';

export const mechanisms: readonly Mechanism[] = [plain, login];

/** Begins an exchange. Names match without regard to case (RFC 4422 §3.1 has them upper case; clients vary). Undefined
 * for a mechanism that is not offered. */
export function startMechanism(name: string): Exchange | undefined {
  const wanted = name.toUpperCase();
  return mechanisms.find((mechanism) => mechanism.name === wanted)?.start();
}
