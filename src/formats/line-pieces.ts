// Octets in pieces of any size, cut at the line ends: what looks for delimiters looks at the start of a line only.

import { asBuffer } from './octets.ts';

const LF = 10;
/** Octets of a line that are kept to see it whole: more than any delimiter has (RFC 2046 §5.1.1). */
const LINE = 64 * 1024;

/** A line with its end, or a part of one that is very long. */
export interface LinePiece {
  readonly octets: Buffer;
  /** The line begins here. */
  readonly begins: boolean;
}

export class LinePieces {
  #rest: Buffer = Buffer.alloc(0);
  #begins = true;

  /** The pieces that are whole by now. */
  *push(octets: Uint8Array): Generator<LinePiece> {
    const all = this.#rest.length === 0 ? asBuffer(octets) : Buffer.concat([this.#rest, octets]);
    let at = 0;
    for (let end = all.indexOf(LF); end >= 0; end = all.indexOf(LF, at)) {
      yield { octets: all.subarray(at, end + 1), begins: this.#begins };
      this.#begins = true;
      at = end + 1;
    }
    if (all.length - at > LINE) {
      // A CR at the end may be half a line end.
      yield { octets: all.subarray(at, all.length - 1), begins: this.#begins };
      this.#begins = false;
      at = all.length - 1;
    }
    this.#rest = Buffer.from(all.subarray(at));
  }

  /** What is left at the end. */
  *end(): Generator<LinePiece> {
    if (this.#rest.length > 0) yield { octets: this.#rest, begins: this.#begins };
    this.#rest = Buffer.alloc(0);
  }
}
