// The encodings that make 7-bit text of any octets (RFC 2045 §6.7, §6.8), in pieces of any size. What comes out has lines
// of at most 76 characters and ends where the content ends: no line end is added.

import { base64Lines } from './base64.ts';
import { asBuffer } from './octets.ts';

/** Takes octets as they come, gives encoded ones. */
export interface TransferEncoder {
  encode(octets: Uint8Array): Uint8Array;
  /** What is left at the end. */
  end(): Uint8Array;
}

export type SevenBitEncoding = 'quoted-printable' | 'base64';

export function transferEncoder(encoding: SevenBitEncoding): TransferEncoder {
  return encoding === 'base64' ? new Base64Encoder() : new QuotedPrintableEncoder();
}

/** Octets of a line of 76 characters. */
const GROUP = 57;

/** RFC 2045 §6.8. */
class Base64Encoder implements TransferEncoder {
  #rest: Buffer = Buffer.alloc(0);
  #begun = false;

  encode(octets: Uint8Array): Uint8Array {
    const all = this.#rest.length === 0 ? asBuffer(octets) : Buffer.concat([this.#rest, octets]);
    const whole = all.length - (all.length % GROUP);
    this.#rest = Buffer.from(all.subarray(whole));
    return this.#write(all.subarray(0, whole));
  }

  end(): Uint8Array {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return this.#write(rest);
  }

  /** Lines are parted, not ended: the last one's end is not ours. */
  #write(octets: Buffer): Buffer {
    if (octets.length === 0) return Buffer.alloc(0);
    const text = `${this.#begun ? '\r\n' : ''}${base64Lines(octets).join('\r\n')}`;
    this.#begun = true;
    return Buffer.from(text, 'latin1');
  }
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const EQUALS = 61;
/** A line may have so many characters before its soft line break (RFC 2045 §6.7 rule 5). */
const LINE = 75;
const HEX = Buffer.from('0123456789ABCDEF');

/**
 * RFC 2045 §6.7. White space is written as it is, but for the last one of a line; a CR or LF that is no line end is an
 * octet like any other.
 */
class QuotedPrintableEncoder implements TransferEncoder {
  /** White space or a CR, of which the next octet tells what it is; -1: none. */
  #held = -1;
  #column = 0;
  #out: Buffer = Buffer.alloc(0);
  #length = 0;

  encode(octets: Uint8Array): Uint8Array {
    // An octet takes three characters, and a soft line break for each 25 of them.
    this.#out = Buffer.allocUnsafe(octets.length * 4 + 64);
    this.#length = 0;
    for (const octet of octets) this.#take(octet);
    return this.#out.subarray(0, this.#length);
  }

  end(): Uint8Array {
    this.#out = Buffer.allocUnsafe(8);
    this.#length = 0;
    // RFC 2045 §6.7 rule 3: the end of the content is the end of a line.
    if (this.#held >= 0) this.#quote(this.#held);
    this.#held = -1;
    return this.#out.subarray(0, this.#length);
  }

  #take(octet: number): void {
    const held = this.#held;
    this.#held = -1;
    if (held === CR) {
      if (octet === LF) {
        this.#put(CR);
        this.#put(LF);
        this.#column = 0;
        return;
      }
      this.#quote(CR);
    } else if (held >= 0) {
      if (octet === CR) this.#quote(held);
      else this.#plain(held);
    }
    if (octet === CR || octet === SPACE || octet === TAB) this.#held = octet;
    else if (octet < SPACE || octet > 126 || octet === EQUALS) this.#quote(octet);
    else this.#plain(octet);
  }

  #plain(octet: number): void {
    this.#room(1);
    this.#put(octet);
  }

  #quote(octet: number): void {
    this.#room(3);
    this.#put(EQUALS);
    this.#put(HEX[octet >> 4] ?? 0);
    this.#put(HEX[octet & 15] ?? 0);
  }

  #room(characters: number): void {
    if (this.#column + characters > LINE) {
      this.#put(EQUALS);
      this.#put(CR);
      this.#put(LF);
      this.#column = 0;
    }
    this.#column += characters;
  }

  #put(octet: number): void {
    this.#out[this.#length] = octet;
    this.#length += 1;
  }
}
