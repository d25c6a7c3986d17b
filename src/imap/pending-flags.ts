// Flags that have changed and of which a client has not been told: the last of each message, and how low that holds
// HIGHESTMODSEQ (RFC 7162 §3.1.2.1). Bounded: from too many on it keeps only since when all flags are to be read anew.

import type { ModSeq, Uid } from '../store/rows.ts';
import type { Change } from '../store/store.ts';
import { LIMIT } from './limits.ts';

/** Flags of one message, as of `modSeq`. */
export interface FlagState {
  readonly flags: number;
  readonly keywords: readonly string[];
  readonly modSeq: ModSeq;
}

export class PendingFlags {
  #states = new Map<number, FlagState>();
  #reread: ModSeq | null = null;

  /** Nothing waits. */
  get empty(): boolean {
    return this.#states.size === 0 && this.#reread === null;
  }

  /** @param own told by the command that made it, but where an older one waits it has become part of that */
  note(change: Extract<Change, { kind: 'added' | 'flags' }>, own: boolean): void {
    if (own && this.#states.size === 0) return;
    for (let i = 0; i < change.uids.length; i++) {
      const uid = change.uids[i] ?? 0;
      if (own && !this.#states.has(uid)) continue;
      if (this.#states.size >= LIMIT.pendingFlags && !this.#states.has(uid)) {
        this.#overflow(change.modSeq);
        return;
      }
      this.#states.set(uid, {
        flags: change.flags[i] ?? 0,
        keywords: change.keywords?.[i] ?? [],
        modSeq: change.modSeq,
      });
    }
  }

  /** The client has just been told flags of this message, which are no news any more unless they are newer. */
  told(uid: Uid, modSeq: ModSeq): void {
    const pending = this.#states.get(uid);
    if (pending && pending.modSeq <= modSeq) this.#states.delete(uid);
  }

  /** The message is gone. */
  forget(uid: number): void {
    this.#states.delete(uid);
  }

  /** All that waits, by UID, which waits no more. `reread`: flags of every message with a higher MODSEQ are to be told,
   * too; null: none. */
  take(): { readonly states: ReadonlyMap<number, FlagState>; readonly reread: ModSeq | null } {
    const states = this.#states;
    const reread = this.#reread;
    if (states.size > 0) this.#states = new Map();
    this.#reread = null;
    return { states, reread };
  }

  /** The highest up to `most` that is below all that wait. */
  below(most: ModSeq): ModSeq {
    let below: number = Math.min(most, this.#reread ?? most);
    for (const { modSeq } of this.#states.values()) below = Math.min(below, modSeq - 1);
    return below as ModSeq; // one of them, or one below one
  }

  #overflow(modSeq: ModSeq): void {
    this.#reread = this.below((modSeq - 1) as ModSeq); // one below a ModSeq, so that "higher than" includes it
    this.#states = new Map();
  }
}
