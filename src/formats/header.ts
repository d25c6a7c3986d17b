// The header of a message or MIME part (RFC 5322 §2.2, RFC 6532 §3.2) as a list of fields with their octets, and the
// collector that finds a header's end in a stream. Reads what is there, however malformed; judges nothing.

import { type Address, toAddress } from './address.ts';
import { parseAddressList } from './address-list.ts';
import { asBuffer, textOfOctets, trimSpace } from './octets.ts';

export { asBuffer } from './octets.ts';

const LF = 10;
const CR = 13;
const COLON = 58;

/** One field. Octets stand in the binary text that it was read from: one character for each octet. */
export class HeaderField {
  /** As written, without white space before the colon. */
  readonly name: string;
  /** Where the field begins, in octets from the start of what was read. */
  readonly offset: number;
  /** Octets of the whole field with its line ends. */
  readonly length: number;
  readonly #text: string;
  readonly #valueAt: number;

  constructor(text: string, name: string, offset: number, length: number, valueAt: number) {
    this.name = name;
    this.offset = offset;
    this.length = length;
    this.#text = text;
    this.#valueAt = valueAt;
  }

  /** The unfolded body (RFC 5322 §2.2.3) without white space around it, one character for each octet. */
  get octets(): string {
    return unfold(this.#text.slice(this.#valueAt, this.offset + this.length));
  }

  /** The unfolded body as text: UTF-8 (RFC 6532 §3.2), or ISO 8859-1 where it is no UTF-8. */
  get value(): string {
    return textOfOctets(this.octets);
  }

  /** Has the field this name? Case does not matter (RFC 5322 §1.2.2). `name` must be in lower case. */
  is(name: string): boolean {
    return this.name.length === name.length && this.name.toLowerCase() === name;
  }
}

/** Removes line ends and what surrounds the value (RFC 5322 §2.2.3). NUL and stray CR are dropped. */
function unfold(raw: string): string {
  const trimmed = trimSpace(raw);
  return /[\r\n\0]/.test(trimmed) ? trimmed.replace(/[\r\n\0]+/g, '') : trimmed;
}

/**
 * The fields of a header, up to its empty line or the end of what is given. Lines that are neither field nor
 * continuation are passed over; a bare LF ends a line, too.
 */
export function parseHeader(bytes: Uint8Array): HeaderField[] {
  return parseHeaderText(asBuffer(bytes).toString('latin1')).fields;
}

/** As parseHeader, of binary text; `end` is where the body begins. */
export function parseHeaderText(text: string, from = 0): { readonly fields: HeaderField[]; readonly end: number } {
  const fields: HeaderField[] = [];
  let at = from;
  while (at < text.length) {
    const first = text.charCodeAt(at);
    if (first === LF) return { fields, end: at + 1 };
    if (first === CR && text.charCodeAt(at + 1) === LF) return { fields, end: at + 2 };
    const end = fieldEnd(text, at);
    const colon = nameEnd(text, at, end);
    if (colon > at) fields.push(new HeaderField(text, trimSpace(text.slice(at, colon)), at, end - at, colon + 1));
    at = end;
  }
  return { fields, end: text.length };
}

/** Behind the line end that no white space follows. */
function fieldEnd(text: string, from: number): number {
  let at = from;
  for (;;) {
    const lineFeed = text.indexOf('\n', at);
    if (lineFeed < 0) return text.length;
    at = lineFeed + 1;
    const next = text.charCodeAt(at);
    if (next !== 32 && next !== 9) return at;
  }
}

/** field-name = 1*ftext, %d33-57 / %d59-126 (RFC 5322 §2.2), with obsolete white space before the colon (§4.5) and
 * the octets of UTF-8, which no name has but junk does. Returns the colon's place, or -1. */
function nameEnd(text: string, from: number, end: number): number {
  let space = false;
  for (let at = from; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COLON) return at;
    if (code === 32 || code === 9) {
      if (at === from) return -1;
      space = true;
    } else if (space || code < 33 || code === 127) return -1;
  }
  return -1;
}

/** The first field of a name (in lower case), if there is one. */
export function firstField(fields: readonly HeaderField[], name: string): HeaderField | undefined {
  return fields.find((field) => field.is(name));
}

/** Finds the end of a header in chunks as they come, keeping at most `limit` octets. */
export class HeaderBlock {
  /** More than the limit came before the header's end: nothing more is kept. */
  overflow = false;
  /** The header's end was seen. */
  complete = false;
  /** What the last chunk pushed had behind the header's end. */
  rest: Uint8Array = new Uint8Array(0);
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;
  /** How much of an end is behind us: 1 a line has just begun, 2 a line has begun with CR. */
  #state: 0 | 1 | 2 = 1;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Octets of the header so far; with the empty line once it is complete. */
  get size(): number {
    return this.#size;
  }

  /** The octets themselves. */
  get bytes(): Uint8Array {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const whole = Buffer.concat(this.#chunks, this.#size);
    this.#chunks = [whole];
    return whole;
  }

  /**
   * Takes the next chunk; it is kept by reference. Do not push again after true.
   * @returns true when the header's end has been seen
   */
  push(chunk: Uint8Array): boolean {
    const buffer = asBuffer(chunk);
    const end = this.#end(buffer);
    const kept = end < 0 ? buffer : buffer.subarray(0, end);
    if (this.#size + kept.length > this.#limit) {
      this.overflow = true;
      return false;
    }
    if (kept.length > 0) this.#chunks.push(kept);
    this.#size += kept.length;
    if (end < 0) return false;
    this.complete = true;
    this.rest = buffer.subarray(end);
    return true;
  }

  /** Behind the empty line, or -1. An empty line is CRLF or LF at the start of a line. */
  #end(buffer: Buffer): number {
    let at = 0;
    while (at < buffer.length) {
      if (this.#state === 0) {
        const lineFeed = buffer.indexOf(LF, at);
        if (lineFeed < 0) return -1;
        at = lineFeed + 1;
        this.#state = 1;
        continue;
      }
      const octet = buffer[at];
      at += 1;
      if (octet === LF) return at;
      this.#state = octet === CR && this.#state === 1 ? 2 : 0;
    }
    return -1;
  }
}

/** One mailbox of a From, Sender, To … field. */
export interface HeaderAddress {
  /** Display name, quotes removed, encoded words as they stand; '' for none. */
  readonly name: string;
  /** null: no mailbox of RFC 5321 can be made of it. */
  readonly address: Address | null;
  /** The text it was read from. */
  readonly raw: string;
}

/** Mailboxes of an address list (RFC 5322 §3.4), those inside groups included. Group names and empty groups give
 * none. What lies beyond the limit on addresses comes as one that is null, so that a check of all fails. */
export function headerAddresses(value: string): HeaderAddress[] {
  const mailboxes: HeaderAddress[] = [];
  for (const entry of parseAddressList(value)) {
    if (entry.kind !== 'mailbox') continue;
    const address = toAddress(entry.localPart, entry.domain);
    mailboxes.push({ name: entry.name, address, raw: entry.raw });
  }
  return mailboxes;
}
