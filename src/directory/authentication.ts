// Checking a password against what is kept of it: in a fair line, off the main thread, with failures slowed
// (throttle.ts) and a success remembered for a minute. It knows names and records; whose they are is open.ts's business.

import { createHmac, randomBytes } from 'node:crypto';
import { type Clock, pause } from '../platform/clock.ts';
import { sourceOf } from '../platform/source.ts';
import type { PasswordRecord } from '../store/rows.ts';
import { AuthenticationFailure } from './directory.ts';
import { FairLine } from './fair-line.ts';
import { isUsablePassword, UNMATCHABLE, verifyPassword } from './password.ts';
import { Throttle } from './throttle.ts';

/** How long a success is remembered, ms, and how many. */
const SUCCESS_LASTS = 60_000;
const SUCCESSES = 10_000;

/** Each argon2id takes a thread of libuv's pool, and the store needs one too; who asks others only waits. */
const HASHES_AT_ONCE = 2;
const QUESTIONS_AT_ONCE = 16;

/** Whose password is checked. */
export interface Claimant {
  /** One key for each account, and for each name that is none. At most NAME_OCTETS_MAX octets. */
  readonly key: string;
  /** null: no such account, or it has no password. Costs the same. */
  readonly password: PasswordRecord | null;
}

export class Authenticator {
  readonly #clock: Clock;
  readonly #throttle: Throttle;
  readonly #line = new FairLine(HASHES_AT_ONCE);
  readonly #questions = new FairLine(QUESTIONS_AT_ONCE);
  /** Keys the MACs under which successes are remembered: it dies with the process. */
  readonly #secret = randomBytes(32);
  readonly #successes = new Map<string, number>();
  readonly #underWay = new Map<string, Promise<boolean>>();
  /** Attempts of a source that are not answered yet, their delays included. */
  readonly #pending = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#throttle = new Throttle(clock);
  }

  /**
   * Resolves if the password is this claimant's.
   * @param address the peer's IP address
   * @throws AuthenticationFailure: `rejected`, as late as the throttle wants it, or `busy`, at once
   */
  async check(claimant: Claimant, password: string, address: string): Promise<void> {
    // Refused, not cut: no store may see another text than we do. Tells nothing of the account.
    if (!isUsablePassword(password))
      throw new AuthenticationFailure('rejected', 'password empty, too long or with NUL');
    const right = await this.#attempt(claimant.key, address, (source) => this.#matches(claimant, password, source));
    if (!right) throw rejected(claimant);
  }

  /**
   * Counts an attempt of which somebody else has found whether it is right, as if a password had been checked.
   * @throws AuthenticationFailure as `check` does
   */
  async judge(claimant: Claimant, proven: boolean, address: string): Promise<void> {
    const right = await this.#attempt(claimant.key, address, async () => proven && claimant.password !== null);
    if (!right) throw rejected(claimant);
  }

  /**
   * Has somebody else say whether an attempt is right, in this source's turn. Resolves with what they said, a failure as late
   * as the throttle wants it.
   * @param key of the claimant
   * @throws AuthenticationFailure `busy`, at once; what `isRight` throws, which then counts as no attempt
   */
  async ask(key: string, address: string, isRight: () => Promise<boolean>): Promise<boolean> {
    return await this.#attempt(key, address, async (source) => {
      const asked = this.#questions.enter(source, isRight);
      if (asked === undefined) throw new AuthenticationFailure('busy', 'too many logins are waiting');
      return await asked;
    });
  }

  async #attempt(key: string, address: string, isRight: (source: string) => Promise<boolean>): Promise<boolean> {
    const source = sourceOf(address);
    const pending = this.#pending.get(source) ?? 0;
    // Before the memory of successes: else a source that is held could try guesses against it without a limit.
    if (pending > 0 && this.#throttle.isHeld(source, key)) {
      throw new AuthenticationFailure('busy', 'a source that failed often has an attempt under way');
    }
    this.#pending.set(source, pending + 1);
    try {
      if (await isRight(source)) {
        this.#throttle.succeeded(source, key);
        return true;
      }
      const delay = this.#throttle.failed(source, key);
      if (delay > 0) await pause(this.#clock, delay);
      return false;
    } finally {
      const left = (this.#pending.get(source) ?? 1) - 1;
      if (left > 0) this.#pending.set(source, left);
      else this.#pending.delete(source);
    }
  }

  async #matches({ key, password: kept }: Claimant, password: string, source: string): Promise<boolean> {
    // The kept hash is part of the MAC, so a new password (new salt, new hash) forgets every success with the old one.
    const mac = createHmac('sha256', this.#secret)
      .update(`${key}\0${kept?.argon2id ?? ''}\0${password}`)
      .digest('base64');
    if ((this.#successes.get(mac) ?? 0) > this.#clock.now()) return true;
    // A mail client opens several connections at once with one password: they share the work. Only of one source: no
    // other one waits in this source's line.
    const shared = `${mac} ${source}`;
    const underWay = this.#underWay.get(shared);
    if (underWay !== undefined) return underWay;
    const work = this.#line.enter(source, () => verifyPassword(kept ?? UNMATCHABLE, password));
    if (work === undefined) throw new AuthenticationFailure('busy', 'too many logins are waiting');
    this.#underWay.set(shared, work);
    try {
      const matches = await work;
      if (matches) this.#remember(mac);
      return matches;
    } finally {
      this.#underWay.delete(shared);
    }
  }

  #remember(mac: string): void {
    this.#successes.delete(mac);
    this.#successes.set(mac, this.#clock.now() + SUCCESS_LASTS);
    // The oldest first; those whose time is over go with it.
    for (const [oldest, until] of this.#successes) {
      if (until > this.#clock.now() && this.#successes.size <= SUCCESSES) break;
      this.#successes.delete(oldest);
    }
  }
}

function rejected({ password }: Claimant): AuthenticationFailure {
  return new AuthenticationFailure('rejected', password === null ? 'no such account' : 'wrong password');
}
