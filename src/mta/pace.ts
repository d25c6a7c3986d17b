// How many connections a destination bears, learnt from how it takes mail: one more with each success until it refuses
// one, then carefully. What was learnt outlives the lane, and is forgotten after a while without mail.

import { makeRoom } from '../platform/bounded-memory.ts';
import type { Clock } from '../platform/clock.ts';

/** Destinations that are remembered, and ms for which, up to a half more by chance. */
const MEMORY = { destinations: 5_000, age: 1_800_000, jitter: 0.5 } as const;

export class Pace {
  readonly #most: number;
  #limit = 1;
  /** It has refused or failed: from now on growth is one connection for as many successes as there are connections. */
  #careful = false;

  /** @param most connections, whatever it takes */
  constructor(most: number) {
    this.#most = most;
  }

  /** Connections that it is given now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  succeeded(): void {
    this.#limit = Math.min(this.#most, this.#limit + (this.#careful ? 1 / this.#limit : 1));
  }

  /** One more connection was refused. @param standing how many it bears all the same */
  refused(standing: number): void {
    this.#careful = true;
    this.#limit = Math.max(1, Math.min(this.#limit, standing));
  }

  /** It closed a connection that it had, or is not there. */
  failed(): void {
    this.#careful = true;
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
  }
}

export class Paces {
  readonly #most: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #known = new Map<string, { readonly pace: Pace; readonly until: number }>();

  /** @param most connections to one destination @param random in [0, 1) */
  constructor(most: number, clock: Clock, random: () => number) {
    this.#most = most;
    this.#clock = clock;
    this.#random = random;
  }

  of(destination: string): Pace {
    const now = this.#clock.now();
    const known = this.#known.get(destination);
    const pace = known !== undefined && known.until > now ? known.pace : new Pace(this.#most);
    // What was not asked for longest goes first.
    this.#known.delete(destination);
    makeRoom(this.#known, MEMORY.destinations);
    this.#known.set(destination, { pace, until: now + MEMORY.age * (1 + MEMORY.jitter * this.#random()) });
    return pace;
  }
}
