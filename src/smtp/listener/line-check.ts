// What may not be in a content that came by BDAT, octet by octet: text has lines that end with CRLF, whatever carried it
// (RFC 5321 §2.3.8). With BODY=BINARYMIME that is so for the header only (RFC 3030 §3). Any cut into pieces is the same.

import type { Fault } from './unfit.ts';

const CR = 0x0d;
const LF = 0x0a;

export class LineCheck {
  readonly #lineMax: number;
  readonly #binary: boolean;
  /** Octets of the line under way. */
  #line = 0;
  #afterCr = false;
  /** Behind the header of a binary message: nothing is wrong there. */
  #free = false;
  /** The first fault seen. */
  fault: Fault | null = null;

  /** @param lineMax octets a line may have without its CRLF */
  constructor(lineMax: number, binary: boolean) {
    this.#lineMax = lineMax;
    this.#binary = binary;
  }

  read(piece: Uint8Array): void {
    if (this.#free || this.fault !== null) return;
    let line = this.#line;
    let afterCr = this.#afterCr;
    for (let at = 0; at < piece.length; at++) {
      const octet = piece[at] as number; // below piece.length
      if (afterCr) {
        if (octet !== LF) {
          this.fault = 'bare CR';
          return;
        }
        if (line === 0 && this.#binary) {
          this.#free = true;
          this.#afterCr = false;
          return;
        }
        afterCr = false;
        line = 0;
      } else if (octet > CR) {
        line++;
      } else if (octet === CR) {
        if (line > this.#lineMax) break;
        afterCr = true;
      } else if (octet === LF || octet === 0) {
        this.fault = octet === LF ? 'bare LF' : 'NUL';
        return;
      } else {
        line++;
      }
    }
    // Also a line that never ends.
    if (line > this.#lineMax) this.fault = 'line too long';
    this.#line = line;
    this.#afterCr = afterCr;
  }

  /** No octet follows. */
  end(): void {
    if (this.#afterCr) this.fault ??= 'bare CR';
  }
}
