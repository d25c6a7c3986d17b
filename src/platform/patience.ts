// How long a session waits for its client: from the greeting to the login, and from one command to the next
// (RFC 3501 §5.4, RFC 1939 §3). One timer a session, which looks again when it has to and is not set anew at each command.

import type { Clock } from './clock.ts';

/** ms. */
export interface PatienceLimits {
  /** From the greeting, or from the end of a login, to a successful login. */
  readonly loginTime: number;
  /** From one command to the next. */
  readonly idleTime: number;
}

export class Patience {
  readonly #clock: Clock;
  readonly #limits: PatienceLimits;
  readonly #expire: (loggedIn: boolean) => void;
  #startedAt: number;
  #loggedIn = false;
  /** null: it is us whom the client waits for. */
  #waitingSince: number | null = null;
  #stop: () => void = () => undefined;

  /** @param expire called once, with whether it was the silence after a login that lasted too long */
  constructor(clock: Clock, limits: PatienceLimits, expire: (loggedIn: boolean) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#expire = expire;
    this.#startedAt = clock.now();
    this.#check();
  }

  loggedIn(): void {
    this.#loggedIn = true;
  }

  /** The client has to log in again, in as much time (UNAUTHENTICATE). */
  loggedOut(): void {
    this.#loggedIn = false;
    this.#startedAt = this.#clock.now();
    this.#stop();
    this.#check();
  }

  waiting(now: boolean): void {
    this.#waitingSince = now ? this.#clock.now() : null;
  }

  end(): void {
    this.#stop();
  }

  #check(): void {
    const now = this.#clock.now();
    const { idleTime, loginTime } = this.#limits;
    const end = this.#loggedIn ? (this.#waitingSince ?? now) + idleTime : this.#startedAt + loginTime;
    if (end <= now) this.#expire(this.#loggedIn);
    else this.#stop = this.#clock.after(end - now, () => this.#check());
  }
}
