// The content of DATA, octet by octet: finds its end, takes the transparency dots out, and sees what may not be in it
// (RFC 5321 §4.5.2, §2.3.8). Incremental: any cut of the octets into pieces gives the same content.

import type { Fault } from './unfit.ts';

const TEXT = 0;
const AFTER_CR = 1;
const LINE_START = 2;
const AFTER_DOT = 3;
const AFTER_DOT_CR = 4;

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;

const NOTHING = Buffer.alloc(0);

export class DotUnstuffing {
  readonly #lineMax: number;
  #state = LINE_START;
  /** Octets of the line under way that came in earlier pieces, its CRLF not counted. */
  #line = 0;
  /** The first fault seen. The search for the end goes on after it, so that the session stays in sync. */
  fault: Fault | null = null;
  /** True once CRLF "." CRLF has been read. */
  ended = false;
  /** The content of the last piece, without transparency dots; a view on it. */
  content: Buffer = NOTHING;

  /** @param lineMax octets a line may have without its CRLF */
  constructor(lineMax: number) {
    this.#lineMax = lineMax;
  }

  /**
   * Reads a piece. Moves octets inside it where dots are taken out.
   * @returns how many octets belonged to the content; the rest comes after the end of data
   */
  read(piece: Buffer): number {
    const length = piece.length;
    let state = this.#state;
    let at = 0;
    // Where the line under way would have begun, had it begun in this piece.
    let lineStart = -this.#line;
    // piece[base, write) is content already in place, piece[from, at) content yet to be moved there.
    let base = 0;
    let write = 0;
    let from = 0;
    while (at < length) {
      if (state === TEXT) {
        while (at < length && (piece[at] as number) > CR) at++; // below length: it is there
        if (at === length) break;
        const octet = piece[at++];
        if (octet === CR) state = AFTER_CR;
        else if (octet === LF) this.fault ??= 'bare LF';
        else if (octet === 0) this.fault ??= 'NUL';
        continue;
      }
      const octet = piece[at];
      if (state === LINE_START) {
        state = TEXT;
        if (octet !== DOT) continue;
        // "If the first character is a period and there are other characters on the line, the first character is
        // deleted": whatever the second is, so the dot goes now.
        state = AFTER_DOT;
        const span = at - from;
        if (write === base && span === 0) base = write = at + 1;
        else write = move(piece, write, from, at);
        at++;
        from = at;
        lineStart = at;
      } else if (state === AFTER_CR) {
        if (octet === LF) {
          state = LINE_START;
          if (at - 1 - lineStart > this.#lineMax) this.fault ??= 'line too long';
          at++;
          lineStart = at;
        } else {
          this.fault ??= 'bare CR';
          state = TEXT;
        }
      } else if (state === AFTER_DOT) {
        state = TEXT;
        if (octet !== CR) continue;
        // Not content, if LF follows; otherwise a bare CR, and nothing of the content is wanted.
        state = AFTER_DOT_CR;
        at++;
        from = at;
      } else {
        if (octet === LF) {
          at++;
          from = at;
          this.ended = true;
          break;
        }
        this.fault ??= 'bare CR';
        state = TEXT;
      }
    }
    this.#state = state;
    this.#line = at - lineStart - (state === AFTER_CR ? 1 : 0);
    // Also a line that never ends.
    if (this.#line > this.#lineMax) this.fault ??= 'line too long';
    write = write === from ? at : move(piece, write, from, at);
    this.content = write === base ? NOTHING : piece.subarray(base, write);
    return at;
  }
}

/** Below this many octets a loop is faster than a call into the engine. */
const SHORT = 48;

/** Moves piece[from, to) down to `write`; returns where the next octet goes. */
function move(piece: Buffer, write: number, from: number, to: number): number {
  if (write === from) return to;
  if (to - from > SHORT) {
    piece.copyWithin(write, from, to);
    return write + to - from;
  }
  let target = write;
  for (let source = from; source < to; source++) piece[target++] = piece[source] as number; // below piece.length
  return target;
}
