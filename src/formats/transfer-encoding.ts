// Content-Transfer-Encoding (RFC 2045 §6), decoded in chunks of any size. Junk is passed over, as RFC 2045 §6.7 and §6.8
// ask of a decoder; nothing here fails.

import { asBuffer } from './octets.ts';

/** Takes encoded octets as they come, gives decoded ones. */
export interface TransferDecoder {
  decode(octets: Uint8Array): Uint8Array;
  /** What is left at the end. */
  end(): Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** The decoder for an encoding by its name, in lower case; one that is not known changes nothing. */
export function transferDecoder(encoding: string): TransferDecoder {
  if (encoding === 'base64') return new Base64Decoder();
  if (encoding === 'quoted-printable') return new QuotedPrintableDecoder();
  return { decode: (octets) => octets, end: () => NOTHING };
}

/** RFC 2045 §6.8. Padding ends a group, not the data: some programs put encoded pieces behind each other. */
class Base64Decoder implements TransferDecoder {
  #rest = '';

  decode(octets: Uint8Array): Uint8Array {
    const text =
      this.#rest +
      asBuffer(octets)
        .toString('latin1')
        .replace(/[^A-Za-z0-9+/=]+/g, '');
    const padding = text.lastIndexOf('=') + 1;
    // Whole groups of four, counted from the last padding.
    const whole = padding + Math.floor((text.length - padding) / 4) * 4;
    this.#rest = text.slice(whole);
    return fromBase64(text.slice(0, whole));
  }

  end(): Uint8Array {
    return fromBase64(this.#rest);
  }
}

function fromBase64(text: string): Buffer {
  if (!text.includes('=')) return Buffer.from(text, 'base64');
  const pieces = text.split(/=+/).filter((piece) => piece !== '');
  return pieces.length === 1
    ? Buffer.from(pieces[0] ?? '', 'base64')
    : Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64')));
}

const EQUALS = 61;
const CR = 13;
const LF = 10;

/** White space that may yet turn out to end a line; a longer run is content. RFC 2045 §6.7 allows lines of 76. */
const PADDING = 1000;

/** RFC 2045 §6.7. White space that ends a line was put there by somebody on the way, and is dropped (rule 3). */
class QuotedPrintableDecoder implements TransferDecoder {
  #rest: Buffer = Buffer.alloc(0);

  decode(octets: Uint8Array): Uint8Array {
    const chunk = this.#rest.length === 0 ? asBuffer(octets) : Buffer.concat([this.#rest, octets]);
    const whole = undecided(chunk);
    this.#rest = Buffer.from(chunk.subarray(whole));
    return decodeQuotedPrintable(withoutPadding(chunk.subarray(0, whole)));
  }

  end(): Uint8Array {
    return decodeQuotedPrintable(withoutPadding(this.#rest, true));
  }
}

/** Where that begins which the next chunk decides: `=`, `=A`, white space, and a CR behind it. */
function undecided(chunk: Buffer): number {
  let at = chunk.length;
  if (chunk[at - 1] === CR) at -= 1;
  const end = at;
  while (at > 0 && isBlank(chunk[at - 1])) at -= 1;
  if (chunk.length - at > PADDING) at = end;
  if (chunk[at - 1] === EQUALS) return at - 1;
  return at === chunk.length && chunk[at - 2] === EQUALS ? at - 2 : at;
}

function isBlank(octet: number | undefined): boolean {
  return octet === 32 || octet === 9;
}

/** Without the white space before line ends. @param last the end is one, too */
function withoutPadding(encoded: Buffer, last = false): Buffer {
  let lineFeed = encoded.indexOf(LF);
  const kept: Buffer[] = [];
  let from = 0;
  const keep = (end: number) => {
    let to = end;
    while (to > from && isBlank(encoded[to - 1])) to -= 1;
    if (to === end) return;
    kept.push(encoded.subarray(from, to));
    from = end;
  };
  for (; lineFeed >= 0; lineFeed = encoded.indexOf(LF, lineFeed + 1)) {
    keep(encoded[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed);
  }
  if (last) keep(encoded.length);
  return kept.length === 0 ? encoded : Buffer.concat([...kept, encoded.subarray(from)]);
}

/** An `=` that begins neither an octet nor a soft line break stands for itself. */
function decodeQuotedPrintable(encoded: Buffer): Buffer {
  let equals = encoded.indexOf(EQUALS);
  if (equals < 0) return encoded;
  const out = Buffer.allocUnsafe(encoded.length);
  let length = 0;
  let at = 0;
  while (equals >= 0) {
    length += encoded.copy(out, length, at, equals);
    const high = hexDigit(encoded[equals + 1]);
    const low = hexDigit(encoded[equals + 2]);
    if (high >= 0 && low >= 0) {
      out[length] = high * 16 + low;
      length += 1;
      at = equals + 3;
    } else {
      at = softBreak(encoded, equals + 1);
      if (at < 0) {
        out[length] = EQUALS;
        length += 1;
        at = equals + 1;
      }
    }
    equals = encoded.indexOf(EQUALS, at);
  }
  length += encoded.copy(out, length, at);
  return out.subarray(0, length);
}

/** Behind CRLF or LF, or -1. */
function softBreak(encoded: Buffer, at: number): number {
  if (encoded[at] === 10) return at + 1;
  return encoded[at] === 13 && encoded[at + 1] === 10 ? at + 2 : -1;
}

function hexDigit(octet: number | undefined): number {
  if (octet === undefined) return -1;
  if (octet >= 48 && octet <= 57) return octet - 48;
  const letter = octet | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
