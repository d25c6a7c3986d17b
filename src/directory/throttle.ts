// How failed logins slow down whoever causes them. A delay only ever follows a failure, so a right password is never
// late, and nobody can lock an owner out from elsewhere. All of it is bounded and forgotten with time.

import { makeRoom } from '../platform/bounded-memory.ts';
import type { Clock } from '../platform/clock.ts';

/** Sources, accounts and pairs that are remembered, each; the one that was quiet longest is forgotten first. */
const REMEMBERED = 10_000;
/** A count is half of what it was after this long, ms. */
const HALF_LIFE = 10 * 60_000;
/** Failures without a delay, then the first delay, which doubles up to the greatest; ms. */
const SOURCE = { free: 3, first: 500, greatest: 10_000 } as const;
/** Over all sources: spread over many machines, guesses at one account still cost. */
const ACCOUNT = { free: 10, first: 250, greatest: 4_000 } as const;
/** How long a success vouches for an account at its source, and how many failures in a row end that; ms, count. */
const TRUST = { lasts: 24 * 3_600_000, failures: 5 } as const;

interface Curve {
  readonly free: number;
  readonly first: number;
  readonly greatest: number;
}

export class Throttle {
  readonly #clock: Clock;
  readonly #sources: Fading;
  readonly #accounts: Fading;
  readonly #trusted = new Map<string, { until: number; failures: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sources = new Fading(clock);
    this.#accounts = new Fading(clock);
  }

  /** Is this source held to one attempt at a time? Not for an account that logged in from there lately. */
  isHeld(source: string, account: string): boolean {
    return delayAfter(this.#sources.count(source), SOURCE) > 0 && !this.#isTrusted(source, account);
  }

  /** Counts a failure. Returns how long its answer has to wait, ms. */
  failed(source: string, account: string): number {
    const pair = `${source} ${account}`;
    const trust = this.#trusted.get(pair);
    const trusted = this.#isTrusted(source, account);
    if (trust !== undefined && ++trust.failures >= TRUST.failures) this.#trusted.delete(pair);
    const bySource = delayAfter(this.#sources.add(source), SOURCE);
    const byAccount = delayAfter(this.#accounts.add(account), ACCOUNT);
    // An owner who mistypes where they always log in is not slowed by what others do to the account.
    return trusted ? 0 : Math.max(bySource, byAccount);
  }

  /** A success vouches for this account at this source. It forgives the source nothing: else an attacker with one
   * account of their own could guess at the others without delay. */
  succeeded(source: string, account: string): void {
    const pair = `${source} ${account}`;
    this.#trusted.delete(pair);
    makeRoom(this.#trusted, REMEMBERED);
    this.#trusted.set(pair, { until: this.#clock.now() + TRUST.lasts, failures: 0 });
  }

  #isTrusted(source: string, account: string): boolean {
    const trust = this.#trusted.get(`${source} ${account}`);
    return trust !== undefined && trust.until > this.#clock.now();
  }
}

/** Counts that halve with time. */
class Fading {
  readonly #clock: Clock;
  readonly #counts = new Map<string, { count: number; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  count(key: string): number {
    const entry = this.#counts.get(key);
    return entry === undefined ? 0 : entry.count * 0.5 ** ((this.#clock.now() - entry.at) / HALF_LIFE);
  }

  /** Adds one and returns the new count. */
  add(key: string): number {
    const count = this.count(key) + 1;
    this.#counts.delete(key);
    makeRoom(this.#counts, REMEMBERED);
    this.#counts.set(key, { count, at: this.#clock.now() });
    return count;
  }
}

function delayAfter(count: number, curve: Curve): number {
  // Rounded: a count that faded for a moment still stands for its number of failures.
  const beyond = Math.round(count) - curve.free;
  return beyond <= 0 ? 0 : Math.min(curve.greatest, curve.first * 2 ** (beyond - 1));
}
