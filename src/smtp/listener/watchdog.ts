// Deadlines of one session: whatever it waits for from its peer ends by time. One timer a session, moved only when it
// has to be, since a deadline is set for each command.

import type { Clock } from '../../platform/clock.ts';

export class Watchdog {
  readonly #clock: Clock;
  readonly #expired: () => void;
  #deadline = Number.POSITIVE_INFINITY;
  #armedFor = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | null = null;

  /** @param expired called when a deadline has passed that was neither moved nor cleared */
  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /** @param deadline ms since the epoch; replaces the one before */
  until(deadline: number): void {
    this.#deadline = deadline;
    if (deadline < this.#armedFor) this.#arm();
  }

  /** Nothing is waited for now. */
  clear(): void {
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  stop(): void {
    this.clear();
    this.#disarm?.();
    this.#disarm = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    this.#disarm?.();
    this.#armedFor = this.#deadline;
    this.#disarm = this.#clock.after(Math.max(0, this.#deadline - this.#clock.now()), () => this.#fire());
  }

  #fire(): void {
    this.#disarm = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
    if (this.#deadline === Number.POSITIVE_INFINITY) return;
    if (this.#clock.now() < this.#deadline) {
      this.#arm();
    } else {
      this.clear();
      this.#expired();
    }
  }
}
