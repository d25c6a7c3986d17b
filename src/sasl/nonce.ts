// What makes one exchange differ from every other (RFC 5802 §5.1, `s-nonce`).

import { randomBytes } from 'node:crypto';

const OCTETS = 18;

/** Printable ASCII without a comma; never the same twice. */
export function nonce(): string {
  return randomBytes(OCTETS).toString('base64');
}
