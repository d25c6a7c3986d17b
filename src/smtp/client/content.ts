// A message's content as the client takes it: octets that can be read again, and the two questions whose answers decide
// whether a server without an extension can have it. Nothing is ever recoded (RFC 5321 §3.6.3).

import { isAscii } from 'node:buffer';

/** The store's octets: prefix and body. `open` may be called more than once; sizes in octets. */
export interface Content {
  readonly size: number;
  /** Of the header, with the empty line. */
  readonly headerSize: number;
  open(): AsyncIterable<Uint8Array>;
}

/** True if any octet is above 127: such content needs 8BITMIME (RFC 6152 §3). Reads all of it at worst. */
export async function hasEightBit(content: Content): Promise<boolean> {
  for await (const chunk of content.open()) if (!isAscii(chunk)) return true;
  return false;
}

/** True if the header is internationalised: such content needs SMTPUTF8 (RFC 6532 §3). */
export async function hasUtf8Header(content: Content): Promise<boolean> {
  let left = content.headerSize;
  if (left === 0) return false;
  for await (const chunk of content.open()) {
    if (!isAscii(chunk.subarray(0, left))) return true;
    left -= chunk.length;
    if (left <= 0) return false;
  }
  return false;
}
