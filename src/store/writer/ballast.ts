// A file that holds room on the disk for the day on which others have filled it to the last page. Given up, it lets the
// log be copied to mail.db, so that the log has room for what deletes mail.

import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';

const PIECE = 1_048_576;

export class Ballast {
  readonly #path: string;
  readonly #size: number;
  readonly #warn: (text: string) => void;

  /** @param size octets: what the log may hold that is not in mail.db */
  constructor(path: string, size: number, warn: (text: string) => void) {
    this.#path = path;
    this.#size = size;
    this.#warn = warn;
  }

  /** Takes it in, unless it is there or the disk has not so much to spare. Never throws. @param spare octets */
  keep(spare: number): void {
    try {
      if (spare < this.#size || statSync(this.#path, { throwIfNoEntry: false })?.size === this.#size) return;
      const file = openSync(this.#path, 'w', 0o600);
      try {
        // What a file system could compress would hold no room.
        const piece = randomFillSync(Buffer.allocUnsafe(PIECE));
        for (let at = 0; at < this.#size; at += PIECE) writeSync(file, piece, 0, Math.min(PIECE, this.#size - at), at);
      } finally {
        closeSync(file);
      }
    } catch {
      this.#remove();
    }
  }

  /** Gives it up. @returns whether there was any: there is more room now */
  drop(): boolean {
    if (!this.#remove()) return false;
    this.#warn(`The disk is full: ${this.#path} is given up, so that mail can be deleted`);
    return true;
  }

  #remove(): boolean {
    try {
      rmSync(this.#path);
      return true;
    } catch {
      return false;
    }
  }
}
