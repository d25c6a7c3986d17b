// When to do what nobody waits for: while nothing is delivered, and where mail keeps coming, all the same after a while.

import type { Clock } from '../../platform/clock.ts';

/** ms without a delivery that make it quiet. */
const QUIET = 500;
/** ms that work waits for that at the longest. */
const PATIENCE = 60_000;

export class Lull {
  readonly quietAfter = QUIET;
  readonly #clock: Clock;
  #delivered = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  delivered(): void {
    this.#delivered = this.#clock.now();
  }

  /** Has nothing been delivered for a moment? */
  get quiet(): boolean {
    return this.#clock.now() - this.#delivered >= QUIET;
  }

  /** Has work waited for long enough? @param since ms since the epoch */
  late(since: number): boolean {
    return this.#clock.now() - since >= PATIENCE;
  }
}
