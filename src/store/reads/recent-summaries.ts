// Summaries that were read lately, in memory: a mail program asks for those of a mailbox again and again, and many at once
// ask for the same. Bodies never change and their numbers never come again, so nothing in here is ever wrong.

import { Limit } from '../limits.ts';
import type { BodyId } from '../rows.ts';

export class RecentSummaries {
  /** What is asked for comes into the younger half; once that is full, the older is forgotten and it takes its place. */
  #young = new Map<BodyId, Uint8Array>();
  #old = new Map<BodyId, Uint8Array>();
  #octets = 0;

  get(body: BodyId): Uint8Array | undefined {
    const young = this.#young.get(body);
    if (young !== undefined) return young;
    const old = this.#old.get(body);
    if (old !== undefined) this.put(body, old);
    return old;
  }

  /** @param summary in memory of its own */
  put(body: BodyId, summary: Uint8Array): void {
    if (this.#young.has(body)) return;
    this.#octets += summary.length + ENTRY;
    if (this.#octets > Limit.recentSummaryOctets / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#octets = summary.length + ENTRY;
    }
    this.#young.set(body, summary);
  }
}

/** Octets that an entry takes beside its summary, about. */
const ENTRY = 300;
