// How fast a client must bring content (RFC 5321 §4.5.3.2.5): a slow one is waited for, one that trickles is not. The same
// for DATA and for the chunks of BDAT, between which time does not count: there the client says commands.

import type { Clock } from '../../platform/clock.ts';
import { CONTENT_RATE, TIMES } from './limits.ts';

export class Pace {
  readonly #clock: Clock;
  #began: number;
  /** ms that content took before `#began`. */
  #spent = 0;
  /** Octets so far, as they came. */
  received = 0;

  /** Content begins to come now. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.now();
  }

  pause(): void {
    this.#spent += this.#clock.now() - this.#began;
  }

  resume(): void {
    this.#began = this.#clock.now();
  }

  /** By when the next octet must be here, ms since the epoch: on average CONTENT_RATE after a time of grace. */
  get deadline(): number {
    const earned = this.#began - this.#spent + TIMES.contentGrace + (this.received / CONTENT_RATE) * 1_000;
    return Math.min(this.#clock.now() + TIMES.contentPiece, earned);
  }
}
