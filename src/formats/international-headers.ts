// Is a message internationalised (RFC 6532 §3.7): is its header beyond ASCII, or that of one of its parts? In one pass, a
// header in memory. Messages within the message are content: their headers are their own.

import { isAscii } from 'node:buffer';
import { Boundaries } from './boundaries.ts';
import { HeaderBlock, parseHeader } from './header.ts';
import { LinePieces } from './line-pieces.ts';
import { mimeFacts } from './mime-facts.ts';

/** Multiparts inside each other, and octets of one header; what lies beyond them is not looked at. */
const LIMITS = { depth: 50, header: 256 * 1024 } as const;

export class InternationalHeaders {
  readonly #lines = new LinePieces();
  readonly #boundaries = new Boundaries();
  /** Null: lines are of a body. */
  #header: HeaderBlock | null = new HeaderBlock(LIMITS.header);
  #found = false;

  /** Takes the next octets. @returns whether one was found: then nothing more need come */
  push(octets: Uint8Array): boolean {
    for (const { octets: line, begins } of this.#lines.push(octets)) this.#take(line, begins);
    return this.#found;
  }

  /** @returns as `push`; nothing may come behind it */
  end(): boolean {
    for (const { octets: line, begins } of this.#lines.end()) this.#take(line, begins);
    return this.#found;
  }

  #take(line: Buffer, begins: boolean): void {
    const delimiter = begins ? this.#boundaries.startOf((place) => line[place] ?? -1) : null;
    if (delimiter !== null) {
      const { level, length: behind } = delimiter;
      const closes = line[behind] === 45 && line[behind + 1] === 45;
      this.#boundaries.leave(closes ? level : level + 1);
      this.#header = closes ? null : new HeaderBlock(LIMITS.header);
    } else if (this.#header !== null) {
      this.#headerLine(this.#header, line);
    }
  }

  #headerLine(block: HeaderBlock, line: Buffer): void {
    this.#found ||= !isAscii(line);
    const complete = block.push(line);
    if (!complete && !block.overflow) return;
    this.#header = null;
    if (block.overflow || this.#boundaries.length >= LIMITS.depth) return;
    const { boundary } = mimeFacts(parseHeader(block.bytes), 'text/plain');
    if (boundary !== null) this.#boundaries.push(boundary);
  }
}
