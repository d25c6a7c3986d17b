// What goes to other hosts is made 7-bit before it is signed, so that no hop on the way has to recode it and break the
// signature (RFC 6152 §3, RFC 6376 §5.3). The first octets are looked at: a message that is 7-bit passes untouched.

import { isAscii, isUtf8 } from 'node:buffer';
import type { MailParameters } from '../formats/envelope.ts';
import { HeaderBlock, parseHeader } from '../formats/header.ts';
import { SevenBitConversion } from '../formats/seven-bit.ts';
import { isSevenBitData } from '../formats/seven-bit-data.ts';
import { type ContentLimits, tooLarge } from '../mta/content.ts';

/** Octets of the body that are looked at before the header is let go. A text comes before what is attached to it. */
const LOOK = 256 * 1024;
/** Octets of a header that may be waited for; a longer one is refused behind us, or its message left as it is. */
const HEADER = 1024 * 1024;

/** Quoted-printable makes three octets of one at worst, and ends lines of its own. */
const GROWTH = 4;

/** RFC 1847 §2.1: what was signed must not be changed, and what is encrypted is 7-bit already. */
const LEFT_ALONE = /multipart\/(?:signed|encrypted)/i;

export class SevenBitContent implements AsyncIterable<Uint8Array> {
  readonly #content: AsyncIterable<Uint8Array>;
  readonly #said: MailParameters;
  readonly #limits: ContentLimits;
  #eightBit = false;

  /** @param said by MAIL @param limits of what was submitted: more is refused */
  constructor(content: AsyncIterable<Uint8Array>, said: MailParameters, limits: ContentLimits) {
    this.#content = within(content, limits.messageSize);
    this.#said = said;
    this.#limits = limits;
  }

  /** Those of what is let through: a message that may be submitted is not refused for what we make of it (RFC 1870 §6). */
  get limits(): ContentLimits {
    return { ...this.#limits, messageSize: this.#limits.messageSize * GROWTH };
  }

  /** MAIL's parameters with the BODY that fits what was let through: after the end. */
  get parameters(): MailParameters {
    const { body, ...others } = this.#said;
    if (body === 'BINARYMIME') return this.#said;
    return this.#eightBit ? { ...others, body: '8BITMIME' } : others;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const octets of this.#said.body === 'BINARYMIME' ? this.#content : this.#converted()) {
      if (octets.length === 0) continue;
      if (!this.#eightBit && !isAscii(octets)) this.#eightBit = true;
      yield octets;
    }
  }

  async *#converted(): AsyncGenerator<Uint8Array> {
    const header = new HeaderBlock(HEADER);
    let first: Uint8Array[] = [];
    let size = 0;
    let looking = true;
    let conversion: SevenBitConversion | null = null;
    const look = (): Uint8Array => {
      looking = false;
      const seen = Buffer.concat(first, size);
      first = [];
      conversion = conversionOf(header.complete ? seen.subarray(0, header.size) : null, seen.subarray(header.size));
      return conversion === null ? seen : conversion.push(seen);
    };
    for await (const chunk of this.#content) {
      if (looking) {
        first.push(chunk);
        size += chunk.length;
        if (!header.complete && !header.overflow) header.push(chunk);
        if (size - header.size >= LOOK || header.overflow) yield look();
      } else {
        yield conversionStep(conversion, chunk);
      }
    }
    if (looking) yield look();
    const last = conversionEnd(conversion);
    if (last !== null) yield last;
  }
}

async function* within(content: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const octets of content) {
    size += octets.length;
    if (size > limit) throw tooLarge(limit);
    yield octets;
  }
}

/** How a message is converted, by its header and the first octets of its body; null: not at all. */
function conversionOf(header: Buffer | null, body: Buffer): SevenBitConversion | null {
  if (header === null || isSevenBitData(body) || isOdd(header)) return null;
  // An incomplete character at the end of what is looked at is no fault of the text.
  const whole = body.length < LOOK ? body : body.subarray(0, body.lastIndexOf(10) + 1);
  return new SevenBitConversion({
    charset: isUtf8(whole) ? 'utf-8' : 'unknown-8bit',
    relabel: !LEFT_ALONE.test(header.toString('latin1')) && !LEFT_ALONE.test(body.toString('latin1')),
  });
}

/** A line that is no field ends such a header for us and not for others (completion.ts): nobody can tell its parts. */
function isOdd(header: Buffer): boolean {
  let end = 0;
  for (const { offset, length } of parseHeader(header)) {
    if (offset !== end) return true;
    end += length;
  }
  return header.length - end > 2;
}

// The compiler takes the variable for the null that it began as.
function conversionStep(conversion: SevenBitConversion | null, chunk: Uint8Array): Uint8Array {
  return conversion === null ? chunk : conversion.push(chunk);
}

function conversionEnd(conversion: SevenBitConversion | null): Uint8Array | null {
  return conversion === null ? null : conversion.end();
}
