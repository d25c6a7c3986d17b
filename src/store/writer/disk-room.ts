// Room on the disk that mail may not take. On a disk that is full to the last page nothing can be deleted either: the log
// and the checkpoints need room first. So what brings octets is refused earlier, and an EXPUNGE still works.

import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** On a small disk the reserve is this part of it; and this part of the reserve must be on the disk itself, for the log,
 * however much room there is inside mail.db. */
const PART = 4;

export class DiskRoom {
  readonly #folder: string;
  readonly #reserve: number;
  readonly #inside: () => number;
  readonly #look: typeof statfsSync;
  readonly #warn: (text: string) => void;
  #low = false;

  /** @param reserve octets that are kept free of mail @param inside octets of mail.db that hold nothing any more */
  constructor(path: string, reserve: number, inside: () => number, warn: (text: string) => void, look = statfsSync) {
    this.#folder = dirname(path);
    this.#reserve = reserve;
    this.#inside = inside;
    this.#look = look;
    this.#warn = warn;
  }

  /** Is mail to be refused? Costs a few microseconds. */
  low(): boolean {
    const low = this.#isLow();
    if (low && !this.#low) this.#warn('The disk is nearly full: no more mail is taken until there is room');
    this.#low = low;
    return low;
  }

  /** Octets on the disk beyond the reserve; below 0, what the reserve lacks. */
  spare(): number {
    const { outside, reserve } = this.#state();
    return outside - reserve;
  }

  #isLow(): boolean {
    const { outside, reserve } = this.#state();
    return outside < reserve && (outside < reserve / PART || outside + this.#inside() < reserve);
  }

  #state(): { readonly outside: number; readonly reserve: number } {
    try {
      const { bavail, blocks, bsize } = this.#look(this.#folder);
      return { outside: bavail * bsize, reserve: Math.min(this.#reserve, (blocks * bsize) / PART) };
    } catch {
      // Whoever writes will see what is wrong.
      return { outside: 0, reserve: 0 };
    }
  }
}
