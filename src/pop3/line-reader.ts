// Octets in, lines out: the client's commands, each bounded, however they come in pieces. A line that is too long is
// dropped to its end and reported once.

import { Gathered, OctetQueue } from '../formats/octet-queue.ts';
import type { OctetReader } from '../platform/socket-input.ts';
import { LIMIT } from './limits.ts';

const CR = 0x0d;
const LF = 0x0a;

/** `line`: without its end, good until the next call. `lost`: too much was sent that is no line. */
type Step = { readonly kind: 'line'; readonly octets: Buffer } | { readonly kind: 'more' | 'too long' | 'lost' };

export class LineReader implements OctetReader {
  readonly #queue = new OctetQueue();
  readonly #line = new Gathered();
  /** The line was given out, and is dropped at the next call. */
  #given = false;
  #skipping = false;
  #skipped = 0;

  push(octets: Buffer): void {
    this.#queue.push(octets);
  }

  get unread(): number {
    return this.#queue.length;
  }

  discard(): void {
    this.#queue.clear();
    this.#line.clear();
    this.#given = false;
    this.#skipping = false;
  }

  next(): Step {
    if (this.#given) this.#line.clear();
    this.#given = false;
    for (;;) {
      const room = this.#skipping ? LIMIT.line : LIMIT.line - this.#line.length;
      const part = this.#queue.takeLinePart(room);
      if (part.length === 0) return { kind: 'more' };
      const ended = part[part.length - 1] === LF;
      if (this.#skipping) {
        this.#skipped += part.length;
        if (this.#skipped > LIMIT.skipped) return { kind: 'lost' };
        if (!ended) continue;
        this.#skipping = false;
        return { kind: 'too long' };
      }
      this.#line.add(part);
      if (ended) {
        this.#given = true;
        return { kind: 'line', octets: withoutEnd(this.#line.octets) };
      }
      if (this.#line.length >= LIMIT.line) {
        this.#line.clear();
        this.#skipping = true;
      }
    }
  }
}

/** RFC 1939 §3 ends commands by CRLF. Wider: LF alone does, too, for people at a terminal. */
function withoutEnd(line: Buffer): Buffer {
  return line.subarray(0, line.length - (line[line.length - 2] === CR ? 2 : 1));
}
