// Identifiers of sessions and messages in the log: 12 letters and digits, 60 bits, no order and no meaning.

import { randomFillSync } from 'node:crypto';

/** Crockford's alphabet in lower case: nothing to confuse when read aloud. 32 letters, so that five bits are one. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const LENGTH = 12;

/** A fresh identifier. `random` fills the bytes it is given. */
export function newIdentifier(random: (bytes: Uint8Array) => void = randomFillSync): string {
  const bytes = new Uint8Array(LENGTH);
  random(bytes);
  let text = '';
  for (const byte of bytes) text += ALPHABET[byte & 31];
  return text;
}
