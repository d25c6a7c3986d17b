// A body on its way into the store. Up to Limit.tailOctets stay here and travel with the command; of a larger one the
// chunks go ahead, with back-pressure, so that no body is in memory whole.

import { LineEnds } from '../../formats/line-ends.ts';
import type { StagedBody } from '../commands.ts';
import { joined } from '../joined.ts';
import { Limit } from '../limits.ts';
import { type Staging, StoreError } from '../store.ts';

/** What all bodies under way share. */
export class StagingBudget {
  readonly perSession: number;
  readonly total: number;
  /** Octets staged in all, and those of them that are in this thread's memory. */
  staged = 0;
  memory = 0;
  /** Stages are numbered from 1. */
  lastStage = 0;

  constructor(perSession: number, total: number) {
    this.perSession = perSession;
    this.total = total;
  }
}

/** The way to the writer. */
export interface StageSender {
  /** Resolves when the chunk is stored. */
  chunk(stage: number, place: number, octets: Uint8Array<ArrayBuffer>): Promise<void>;
  discard(stage: number): void;
  /** A body is ready: it counts until its command is done. */
  finished(body: StagedBody, staging: BodyStaging): void;
}

export class BodyStaging implements Staging {
  size = 0;
  readonly #budget: StagingBudget;
  readonly #sender: StageSender;
  readonly #lineEnds = new LineEnds();
  #parts: Uint8Array[] = [];
  #held = 0;
  #stage: number | null = null;
  #place = 0;
  readonly #underWay: Promise<void>[] = [];
  #error: unknown;
  #state: 'open' | 'finished' | 'over' = 'open';

  constructor(budget: StagingBudget, sender: StageSender) {
    this.#budget = budget;
    this.#sender = sender;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#state !== 'open') throw new StoreError('refused', 'This body is finished');
    if (this.#error !== undefined) throw this.#error;
    if (this.size + chunk.length > this.#budget.perSession) throw new StoreError('full', 'This body is too large');
    if (this.#budget.staged + chunk.length > this.#budget.total) throw new StoreError('busy', 'Too much is staged');
    this.size += chunk.length;
    this.#lineEnds.push(chunk);
    this.#budget.staged += chunk.length;
    this.#hold(chunk);
    if (this.#stage === null && this.#held <= this.#threshold()) return;
    while (this.#held >= Limit.chunkOctets) {
      this.#send(this.#take(Limit.chunkOctets));
      while (this.#underWay.length >= Limit.stagingWindow) await this.#underWay[0];
      // A chunk that failed, or the session that gave up meanwhile.
      if (this.#error !== undefined) throw this.#error;
      if (this.#stage === null) return;
    }
  }

  async rest(): Promise<void> {
    if (this.#budget.memory <= Limit.stagingMemory) return;
    while (this.#held > 0 && this.#state === 'open') {
      this.#send(this.#take(Math.min(this.#held, Limit.chunkOctets)));
      while (this.#underWay.length >= Limit.stagingWindow) await this.#underWay[0];
    }
    while (this.#underWay.length > 0) await this.#underWay[0];
    if (this.#error !== undefined) throw this.#error;
  }

  finish(): StagedBody {
    if (this.#state !== 'open') throw new StoreError('refused', 'This body is finished');
    this.#state = 'finished';
    const body = { stage: this.#stage, tail: this.#take(this.#held), size: this.size, lacking: this.#lineEnds.lacking };
    this.#sender.finished(body, this);
    return body;
  }

  discard(): void {
    if (this.#state === 'over') return;
    const stage = this.#stage;
    this.over();
    if (stage !== null) this.#sender.discard(stage);
  }

  /** The body is the store's, or nobody's: it counts no more. */
  over(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#budget.staged -= this.size;
    this.#budget.memory -= this.#held;
    this.#parts = [];
    this.#held = 0;
    this.#stage = null;
  }

  /** How much may be held before chunks go ahead: less where all sessions together hold much. */
  #threshold(): number {
    return this.#budget.memory > Limit.stagingMemory ? Limit.chunkOctets - 1 : Limit.tailOctets;
  }

  #hold(chunk: Uint8Array): void {
    // A sender of single octets is not to hold a hundred times what is counted.
    if (this.#parts.length >= Limit.stagingPieces) this.#parts = [joined(this.#parts, this.#held)];
    this.#parts.push(chunk);
    this.#held += chunk.length;
    this.#budget.memory += chunk.length;
  }

  /** The first octets held, in memory of their own: a view would take the whole of its memory along. */
  #take(length: number): Uint8Array<ArrayBuffer> {
    const taken = Buffer.allocUnsafeSlow(length);
    let at = 0;
    let used = 0;
    while (at < length) {
      const part = this.#parts[used] ?? new Uint8Array(0);
      const fits = Math.min(part.length, length - at);
      taken.set(fits === part.length ? part : part.subarray(0, fits), at);
      at += fits;
      if (fits < part.length) this.#parts[used] = part.subarray(fits);
      else used += 1;
    }
    this.#parts.splice(0, used);
    this.#held -= length;
    this.#budget.memory -= length;
    return taken;
  }

  #send(octets: Uint8Array<ArrayBuffer>): void {
    if (this.#stage === null) {
      this.#budget.lastStage += 1;
      this.#stage = this.#budget.lastStage;
    }
    const sent = this.#sender
      .chunk(this.#stage, this.#place, octets)
      .catch((error: unknown) => {
        this.#error ??= error;
      })
      .then(() => {
        this.#underWay.splice(this.#underWay.indexOf(sent), 1);
      });
    this.#underWay.push(sent);
    this.#place += 1;
  }
}
