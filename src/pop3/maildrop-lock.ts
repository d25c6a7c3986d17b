// Who has which maildrop open: one POP3 session each (RFC 1939 §4), on whichever listener, and not sooner after the last
// one than the operator wants (LOGIN-DELAY, RFC 2449 §6.5). IMAP is not concerned. Memory of the process: what ends a
// session, however it does, frees its maildrop, and kill -9 frees all.

import type { Clock } from '../platform/clock.ts';
import type { AccountId } from '../store/rows.ts';

export class MaildropLocks {
  readonly #clock: Clock;
  readonly #delay: number;
  readonly #held = new Set<AccountId>();
  /** When each account logged in last, the longest ago first; empty without a delay. */
  readonly #logins = new Map<AccountId, number>();

  /** @param delay ms from one login of an account to the next; 0: none */
  constructor(clock: Clock, delay: number) {
    this.#clock = clock;
    this.#delay = delay;
  }

  /** ms from one login of an account to the next. */
  get delay(): number {
    return this.#delay;
  }

  /** Takes a maildrop. @returns what frees it, harmless to call twice; or why it cannot be had */
  enter(account: AccountId): (() => void) | 'in use' | 'too soon' {
    if (this.#held.has(account)) return 'in use';
    if (this.#isSoon(account)) return 'too soon';
    this.#held.add(account);
    let held = true;
    return () => {
      if (held) this.#held.delete(account);
      held = false;
    };
  }

  /** RFC 2449 §6.5: the delay begins with the positive answer. */
  loggedIn(account: AccountId): void {
    if (this.#delay === 0) return;
    this.#logins.delete(account);
    this.#logins.set(account, this.#clock.now());
  }

  #isSoon(account: AccountId): boolean {
    const since = this.#clock.now() - this.#delay;
    for (const [oldest, at] of this.#logins) {
      if (at > since) break;
      this.#logins.delete(oldest);
    }
    return this.#logins.has(account);
  }
}
