// The body hash of a signature under the "relaxed" canonicalization (RFC 6376 §3.4.4), of a body that comes in pieces of
// any size. Nothing of the body is kept: what waits for its end is a count of empty lines and whether there was a space.

import { createHash, type Hash } from 'node:crypto';

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
/** Empty lines that are hashed at once. */
const EMPTY_LINES = Buffer.from('\r\n'.repeat(1024));

/** RFC 6376 §3.4.4: runs of white space become one space, those at the end of a line go, and so do empty lines at the
 * end of the body. */
export class RelaxedBody {
  readonly #hash: Hash = createHash('sha256');
  #out: Buffer = Buffer.allocUnsafe(0);
  /** Line ends that were read and are no part of the hash yet: they count only if something follows. */
  #lineEnds = 0;
  #space = false;
  /** The last octet read was a CR, which may be half a line end. */
  #carriage = false;
  #empty = true;
  /** Something was hashed, and nothing waits to be put in front of what follows. */
  #inWord = false;

  /** Takes the next octets; they are not kept. */
  update(octets: Uint8Array): void {
    const { length } = octets;
    // Each octet gives one at most; the space, the CR and the CRLF that may be waiting come on top.
    if (this.#out.length < length + 4) this.#out = Buffer.allocUnsafe(length + 4);
    const out = this.#out;
    let filled = 0;
    for (let at = 0; at < length; at += 1) {
      // Nothing waits inside a word: most octets are copied here.
      if (this.#inWord) {
        let copied = octets[at] ?? 0;
        while (copied > SPACE && at < length) {
          out[filled] = copied;
          filled += 1;
          at += 1;
          copied = octets[at] ?? 0;
        }
        if (at === length) break;
      }
      const octet = octets[at] ?? 0;
      if (this.#carriage) {
        this.#carriage = false;
        if (octet === LF) {
          this.#space = false;
          this.#lineEnds += 1;
          continue;
        }
        // RFC 5322 §2.3: a CR of its own is no line end, but an octet like any other.
        filled = this.#before(filled);
        out[filled] = CR;
        filled += 1;
      }
      if (octet === CR) {
        this.#carriage = true;
        this.#inWord = false;
      } else if (octet === SPACE || octet === TAB) {
        this.#space = true;
        this.#inWord = false;
      } else {
        filled = this.#before(filled);
        out[filled] = octet;
        filled += 1;
        this.#inWord = true;
      }
    }
    if (filled > 0) this.#hash.update(out.subarray(0, filled));
  }

  /** The hash of all of it. Nothing may come after. */
  digest(): Buffer {
    // A CR as the very last octet: content, which gets the line end that it lacks.
    if (this.#carriage) {
      const filled = this.#before(0);
      this.#hash.update(this.#out.subarray(0, filled)).update('\r');
    }
    // "If the body is non-empty but does not end with a CRLF, a CRLF is added"; one that is all empty lines is empty.
    if (!this.#empty) this.#hash.update('\r\n');
    return this.#hash.digest();
  }

  /** Puts what waits in front of an octet that counts. */
  #before(from: number): number {
    let filled = from;
    this.#empty = false;
    if (this.#lineEnds === 1) {
      this.#out[filled] = CR;
      this.#out[filled + 1] = LF;
      filled += 2;
    } else if (this.#lineEnds > 1) {
      if (filled > 0) this.#hash.update(this.#out.subarray(0, filled));
      filled = 0;
      for (let left = this.#lineEnds; left > 0; left -= 1024) {
        this.#hash.update(EMPTY_LINES.subarray(0, 2 * Math.min(left, 1024)));
      }
    }
    this.#lineEnds = 0;
    if (this.#space) {
      this.#out[filled] = SPACE;
      filled += 1;
      this.#space = false;
    }
    return filled;
  }
}
