// What passes everywhere as it is: 7bit data (RFC 2045 §2.7).

import { isAscii } from 'node:buffer';
import { asBuffer } from './octets.ts';

const LF = 10;
/** Octets of a line with its CRLF (RFC 5322 §2.1.1). Hops cut what is longer, and break what was signed. */
const LINE = 1000;

/** Is all of it below 128, in lines of at most 998 octets? A line that is cut off at either end counts as far as it is
 * there. */
export function isSevenBitData(octets: Uint8Array): boolean {
  if (!isAscii(octets)) return false;
  const buffer = asBuffer(octets);
  let at = 0;
  while (buffer.length - at > LINE) {
    const end = buffer.indexOf(LF, at);
    if (end < 0 || end - at >= LINE) return false;
    at = end + 1;
  }
  return true;
}
