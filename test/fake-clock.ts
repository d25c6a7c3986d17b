// A clock in hand: time stands until a test moves it, and timers fire in order as it passes them.

import type { Clock } from '../src/platform/clock.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();

  /** @param start ms since the epoch. The machine's own time by default, since certificates are judged by that. */
  constructor(start: number = Date.now()) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** When the next timer fires, ms since the epoch; null: none is set. */
  get next(): number | null {
    return this.#earliest()?.at ?? null;
  }

  /** Moves time on by `ms` and fires what falls due on the way, timers that timers set included. What they start in
   * the background is not waited for. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let timer = this.#earliest(); timer && timer.at <= end; timer = this.#earliest()) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.callback();
    }
    this.#now = end;
  }

  /** Moves time on in one step, as on a machine that slept: what falls due on the way fires once, at its end. */
  sleep(ms: number): void {
    this.#now += ms;
    this.advance(0);
  }

  #earliest(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) if (!first || timer.at < first.at) first = timer;
    return first;
  }
}
