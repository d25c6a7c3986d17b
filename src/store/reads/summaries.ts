// derived.db on the reading thread: the search index, and summaries, computed where they are not kept. A body that is
// large is left to the upkeep thread, so that no session waits for another's 50 MB.

import { setImmediate as turn } from 'node:timers/promises';
import { Connection, isBusy, isDamaged } from '../engine.ts';
import { Limit } from '../limits.ts';
import type { BodyId } from '../rows.ts';
import type { TextQuery } from '../store.ts';
import { keptSummaries } from '../upkeep/derived.ts';
import { type Deriver, deriveBody, importDeriver } from '../upkeep/deriver.ts';
import { possibleMatches } from '../upkeep/text-index.ts';
import { bodySize } from './bodies.ts';
import { RecentSummaries } from './recent-summaries.ts';

/** What the summaries need of the upkeep thread. */
export interface Upkeeper {
  keep(summaries: readonly (readonly [BodyId, Uint8Array])[]): void;
  /** Derives a body over there; undefined: it cannot. */
  derive(body: BodyId): Promise<Uint8Array | undefined>;
  /** derived.db is not open here any more, and can be made anew. */
  released(): void;
}

/** ms of computing between two turns of the event loop. */
const SLICE = 5;
/** Summaries read at a time: each may be large. */
const BLOCK = 32;

const NONE: ReadonlyMap<BodyId, Uint8Array> = new Map();

export class Summaries {
  readonly #mail: Connection;
  readonly #path: string;
  readonly #url: string | null;
  readonly #upkeep: Upkeeper;
  #derived: Connection | undefined;
  /** Whether derived.db may be open here: it is not made anew meanwhile. */
  #held = false;
  #deriver: Promise<Deriver> | undefined;
  readonly #recent = new RecentSummaries();

  /** @param url the deriver's; null: there are no summaries */
  constructor(mail: Connection, path: string, url: string | null, upkeep: Upkeeper) {
    this.#mail = mail;
    this.#path = path;
    this.#url = url;
    this.#upkeep = upkeep;
  }

  /** derived.db is there, or was made anew. */
  open(): void {
    this.#held = true;
    try {
      this.#derived = new Connection(this.#path, { readOnly: true, wait: 100, cache: 4_096 });
    } catch {
      // Every summary is computed, then.
    }
  }

  /** derived.db cannot be read. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.close();
    this.#upkeep.released();
  }

  close(): void {
    this.#derived?.close();
    this.#derived = undefined;
  }

  /** In the order of `bodies`, until they come to Limit.summaryOctets. */
  async of(bodies: readonly BodyId[]): Promise<ReadonlyMap<BodyId, Uint8Array>> {
    const found = new Map<BodyId, Uint8Array>();
    if (this.#url === null) return found;
    const made: [BodyId, Uint8Array][] = [];
    let octets = 0;
    let since = performance.now();
    for (let at = 0; at < bodies.length && octets < Limit.summaryOctets; at += BLOCK) {
      const block = bodies.slice(at, at + BLOCK);
      const known = this.#known(block);
      for (const body of block) {
        if (octets >= Limit.summaryOctets) break;
        if (found.has(body)) continue;
        const kept = known.get(body);
        const summary = kept ?? (await this.#computed(this.#url, body, made));
        if (summary === undefined) continue;
        found.set(body, summary);
        octets += summary.length;
        if (kept === undefined && performance.now() - since > SLICE) {
          await turn();
          since = performance.now();
        }
      }
    }
    if (made.length > 0) this.#upkeep.keep(made);
    return found;
  }

  /** What the search index says. Where it cannot be read, any body may match. */
  possibleMatches(bodies: readonly BodyId[], query: TextQuery): ReadonlySet<BodyId> | null {
    if (this.#derived === undefined) return null;
    try {
      return possibleMatches(this.#derived, bodies, query);
    } catch (error) {
      // Anything else than damage is a question that the index does not understand.
      if (isDamaged(error)) this.release();
      return null;
    }
  }

  /** Those that are in memory or in derived.db. */
  #known(bodies: readonly BodyId[]): ReadonlyMap<BodyId, Uint8Array> {
    const found = new Map<BodyId, Uint8Array>();
    const missing: BodyId[] = [];
    for (const body of bodies) {
      const summary = this.#recent.get(body);
      if (summary === undefined) missing.push(body);
      else found.set(body, summary);
    }
    if (missing.length === 0) return found;
    for (const [body, summary] of this.#kept(missing)) {
      this.#recent.put(body, summary);
      found.set(body, summary);
    }
    return found;
  }

  #kept(bodies: readonly BodyId[]): ReadonlyMap<BodyId, Uint8Array> {
    if (this.#derived === undefined) return NONE;
    try {
      return keptSummaries(this.#derived, bodies);
    } catch (error) {
      if (!isBusy(error)) this.release();
      return NONE;
    }
  }

  /** @param made takes what was computed on this thread, and is to be kept */
  async #computed(url: string, body: BodyId, made: [BodyId, Uint8Array][]): Promise<Uint8Array | undefined> {
    const size = bodySize(this.#mail, body);
    if (size === undefined) return undefined;
    this.#deriver ??= importDeriver(url);
    const deriver = await this.#deriver;
    const elsewhere = size > Limit.derivedByCaller ? await this.#upkeep.derive(body) : undefined;
    if (elsewhere !== undefined) return elsewhere;
    const summary = deriveBody(deriver, this.#mail, body);
    if (summary !== undefined) made.push([body, summary]);
    return summary;
  }
}
