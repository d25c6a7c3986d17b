// A long run of octets seen through a window, so that a body of any size can be searched in bounded memory. The octets
// come from a function; nothing is written.

import { asBuffer } from './octets.ts';

const LF = 10;
/** Octets in memory at once. */
const WINDOW = 256 * 1024;

/** Gives octets `[offset, offset + length)`; fewer only at the end of all. */
export type OctetReader = (offset: number, length: number) => Uint8Array;

export class OctetWindow {
  readonly size: number;
  readonly #read: OctetReader;
  readonly #length: number;
  #start = 0;
  #window: Buffer = Buffer.alloc(0);

  /**
   * @param size octets in all; what the reader falls short of ends every search
   * @param length octets in memory at once
   */
  constructor(read: OctetReader, size: number, length: number = WINDOW) {
    this.#length = length;
    this.#read = read;
    this.size = size;
  }

  /** Over octets that are all in memory. */
  static of(bytes: Uint8Array): OctetWindow {
    const window = new OctetWindow((offset, length) => bytes.subarray(offset, offset + length), bytes.length);
    window.#window = asBuffer(bytes);
    return window;
  }

  /** The octet at a place, or -1 behind the end. */
  at(offset: number): number {
    if (!this.#holds(offset, 1)) this.#load(offset, 1);
    return this.#window[offset - this.#start] ?? -1;
  }

  /** Binary text of `[from, to)`, which is then in memory at once. */
  text(from: number, to: number): string {
    const length = Math.min(to, this.size) - from;
    if (!this.#holds(from, length)) this.#load(from, length);
    return this.#window.toString('latin1', from - this.#start, from - this.#start + length);
  }

  /** Where the line that `from` lies in ends: behind its LF, or `to`. */
  lineEnd(from: number, to: number): number {
    const found = this.#search(from, to, 1, (window, at) => window.indexOf(LF, at));
    return found < 0 ? to : found + 1;
  }

  /** The first place in `[from, to)` where `needle` begins and lies whole, or -1. */
  indexOf(needle: Uint8Array, from: number, to: number): number {
    return this.#search(from, to, needle.length, (window, at) => window.indexOf(needle, at));
  }

  /** LFs in `[from, to)`. */
  countLines(from: number, to: number): number {
    let lines = 0;
    let at = from;
    while (at < to) {
      if (!this.#holds(at, 1)) this.#load(at, 1);
      const window = this.#window;
      const end = Math.min(to - this.#start, window.length);
      if (at - this.#start >= end) break;
      for (let i = at - this.#start; i < end; i += 1) lines += window[i] === LF ? 1 : 0;
      at = this.#start + end;
    }
    return lines;
  }

  /** Window by window; what begins in one and ends in the next is found in the next, which overlaps. */
  #search(from: number, to: number, length: number, find: (window: Buffer, at: number) => number): number {
    let at = from;
    while (at + length <= to) {
      if (!this.#holds(at, length)) this.#load(at, length);
      const found = find(this.#window, at - this.#start);
      if (found >= 0) {
        const offset = this.#start + found;
        return offset + length <= to ? offset : -1;
      }
      const next = this.#start + this.#window.length - length + 1;
      if (next <= at) return -1;
      at = next;
    }
    return -1;
  }

  #holds(offset: number, length: number): boolean {
    return offset >= this.#start && offset + length <= this.#start + this.#window.length;
  }

  #load(offset: number, length: number): void {
    const wanted = Math.min(Math.max(length, this.#length), this.size - offset);
    if (wanted <= 0) return;
    this.#window = asBuffer(this.#read(offset, wanted));
    this.#start = offset;
  }
}
