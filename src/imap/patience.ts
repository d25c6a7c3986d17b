// How long a session waits for its client: from the greeting to the login, and from one command to the next
// (RFC 3501 §5.4). One timer a session, which looks again when it has to and is not set anew at each command.

import type { Clock } from '../platform/clock.ts';
import { LIMIT } from './limits.ts';

export class Patience {
  readonly #clock: Clock;
  readonly #expire: (text: string) => void;
  readonly #startedAt: number;
  #loggedIn = false;
  /** null: it is us whom the client waits for. */
  #waitingSince: number | null = null;
  #stop: () => void = () => undefined;

  /** @param expire called once, with what the client is told */
  constructor(clock: Clock, expire: (text: string) => void) {
    this.#clock = clock;
    this.#expire = expire;
    this.#startedAt = clock.now();
    this.#check();
  }

  loggedIn(): void {
    this.#loggedIn = true;
  }

  waiting(now: boolean): void {
    this.#waitingSince = now ? this.#clock.now() : null;
  }

  end(): void {
    this.#stop();
  }

  #check(): void {
    const now = this.#clock.now();
    const end = this.#loggedIn ? (this.#waitingSince ?? now) + LIMIT.idleTime : this.#startedAt + LIMIT.loginTime;
    if (end <= now) this.#expire(this.#loggedIn ? 'Nothing was said for too long' : 'Nobody logged in in time');
    else this.#stop = this.#clock.after(end - now, () => this.#check());
  }
}
