// A message's content as the client takes it: octets that can be read again, and the questions whose answers decide
// whether a server without an extension can have it. Nothing is ever recoded (RFC 5321 §3.6.3).

import { isAscii } from 'node:buffer';
import { InternationalHeaders } from '../../formats/international-headers.ts';

/** The store's octets: prefix and body. `open` may be called more than once; sizes in octets. */
export interface Content {
  readonly size: number;
  open(): AsyncIterable<Uint8Array>;
}

/** True if any octet is above 127: such content needs 8BITMIME (RFC 6152 §3). Reads all of it at worst. */
export async function hasEightBit(content: Content): Promise<boolean> {
  for await (const chunk of content.open()) if (!isAscii(chunk)) return true;
  return false;
}

/** What a content of any octets really needs: lines of text with CRLF, as DATA carries them, need no BINARYMIME
 * (RFC 3030 §3, RFC 2045 §2.7 to §2.9). Reads all of it. */
export async function needsOf(content: Content): Promise<'7BIT' | '8BITMIME' | 'BINARYMIME'> {
  let ascii = true;
  let line = 0;
  let afterCr = false;
  for await (const piece of content.open()) {
    ascii &&= isAscii(piece);
    for (const octet of piece) {
      if (afterCr !== (octet === LF) || octet === 0) return 'BINARYMIME';
      afterCr = octet === CR;
      line = octet === LF ? 0 : line + 1;
      // The CR is counted.
      if (line > LINE + 1) return 'BINARYMIME';
    }
  }
  if (afterCr || line > 0) return 'BINARYMIME';
  return ascii ? '7BIT' : '8BITMIME';
}

const CR = 13;
const LF = 10;
/** Octets of a line of text without its CRLF (RFC 5321 §4.5.3.1.6). */
const LINE = 998;

/** True if a header of it is internationalised: such content needs SMTPUTF8 (RFC 6532 §3.7). Reads all of it at worst. */
export async function hasUtf8Header(content: Content): Promise<boolean> {
  const headers = new InternationalHeaders();
  for await (const chunk of content.open()) if (headers.push(chunk)) return true;
  return headers.end();
}
