// What nobody waits for: summaries of new bodies, the search index, and the checkpoints of mail.db. Everything here may
// fail, be late or be left out without anybody noticing more than time.

import type { Clock } from '../../platform/clock.ts';
import { Connection, isDamaged } from '../engine.ts';
import { Limit } from '../limits.ts';
import type { FromUpkeep, ToUpkeep, UpkeepData, UpkeepToWriter, WriterToUpkeep } from '../protocol.ts';
import type { BodyId } from '../rows.ts';
import {
  forgetBodies,
  keepSummaries,
  keptSummaries,
  keptSummary,
  makeDerived,
  openDerived,
  originOf,
} from './derived.ts';
import { type Deriver, deriveBody, deriveOctets, importDeriver, smallBodies } from './deriver.ts';
import { Indexing } from './indexing.ts';
import { Lull } from './lull.ts';

/** Of the bodies that may wait, so many wait for a lull; more are derived while mail keeps coming. */
const WAITING = Limit.deriverQueue / 2;
/** Bodies that are forgotten in one transaction. */
const FORGOTTEN = 500;
/** ms until derived.db is opened again where it could not be. */
const REST = 10_000;

/** Times that one checkpoint begins anew for what has come meanwhile, and pages that may be left to the writer. */
const CHECKPOINT_ROUNDS = 4;
const LEFT = 256;

type Summary = readonly [BodyId, Uint8Array];

export class Upkeep {
  readonly #data: UpkeepData;
  readonly #say: (message: FromUpkeep) => void;
  readonly #clock: Clock;
  readonly #lull: Lull;
  readonly #mail: Connection;
  #deriver: Deriver | undefined;
  #derived: Connection | undefined;
  #indexing: Indexing | undefined;
  /** Bodies to derive, oldest first; from `#at` on. */
  #queue: BodyId[] = [];
  #at = 0;
  /** Bodies that are gone, of which something may still be kept: freeing begins before derived.db is open. */
  #gone: BodyId[] = [];
  #waitingSince: number | null = null;
  #working = false;
  /** The front was told that derived.db can be read, and may have it open. */
  #shown = false;
  /** Ends the rest before derived.db is opened again. */
  #rest: (() => void) | undefined;
  #closed = false;

  constructor(data: UpkeepData, clock: Clock, say: (message: FromUpkeep) => void) {
    this.#data = data;
    this.#clock = clock;
    this.#lull = new Lull(clock);
    this.#say = say;
    this.#mail = new Connection(data.mail, { wait: 1_000 });
    this.#mail.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL');
  }

  /** Gets the deriver and its file ready. */
  async start(): Promise<void> {
    if (this.#data.deriver === null) return;
    const deriver = await importDeriver(this.#data.deriver);
    if (this.#closed) return;
    this.#deriver = deriver;
    if (deriver.texts) {
      const parts = {
        mail: this.#mail,
        clock: this.#clock,
        lull: this.#lull,
        deriver,
        use: (action: (derived: Connection) => void) => this.#guard(action),
        warn: (what: string, error: unknown) => this.#warn(what, error),
      };
      this.#indexing = new Indexing(parts, deriver.texts);
    }
    this.#open(openDerived);
    this.#forget();
    this.#wake();
  }

  fromWriter(message: WriterToUpkeep): void {
    if (this.#closed) return;
    switch (message.kind) {
      case 'checkpoint':
        this.#checkpoint();
        break;
      case 'stored':
        this.#lull.delivered();
        this.#indexing?.delivered(message.bodies);
        if (this.#data.deriver === null || this.#queue.length - this.#at > Limit.deriverQueue) break;
        for (const body of message.bodies) this.#queue.push(body);
        this.#wake();
        break;
      case 'freed':
        if (this.#data.deriver === null || this.#gone.length > Limit.deriverQueue) break;
        for (const body of message.bodies) this.#gone.push(body);
        this.#forget();
        break;
    }
  }

  fromFront(message: Exclude<ToUpkeep, { kind: 'close' }>): void {
    if (this.#closed) return;
    if (message.kind === 'keep') this.#keep(message.summaries);
    else if (message.kind === 'derive') this.#answer(message.id, message.body);
    else {
      this.#shown = false;
      this.#open(makeDerived);
    }
  }

  close(): void {
    this.#closed = true;
    this.#rest?.();
    this.#indexing?.close();
    this.#derived?.close();
    this.#mail.close();
  }

  /** Copies from the log what can be copied while others go on, and again what has come meanwhile: each time it is less. */
  #checkpoint(): void {
    const run = (mode: 'PASSIVE' | 'NOOP') =>
      this.#mail.get<{ log: number; checkpointed: number }>(`PRAGMA wal_checkpoint(${mode})`);
    try {
      for (let round = 0; round < CHECKPOINT_ROUNDS; round++) {
        run('PASSIVE');
        // What that tells of is what there was when it began.
        const now = run('NOOP');
        if (!now || now.log - now.checkpointed <= LEFT) break;
      }
    } catch (error) {
      this.#warn('A checkpoint failed', error);
    }
    const done: UpkeepToWriter = { kind: 'checkpointed' };
    this.#data.writer.postMessage(done);
  }

  /** Derives a batch, then lets messages through, until the queue is empty. All of it waits for a lull: whoever reads such
   * a body sooner derives it. */
  #wake(): void {
    if (this.#working || this.#deriver === undefined || this.#at >= this.#queue.length) return;
    this.#working = true;
    this.#waitingSince ??= this.#clock.now();
    const due = this.#lull.quiet || this.#lull.late(this.#waitingSince) || this.#queue.length - this.#at > WAITING;
    this.#clock.after(due ? 0 : this.#lull.quietAfter, () => {
      this.#working = false;
      if (this.#closed) return;
      if (due) this.#deriveNext();
      this.#wake();
    });
  }

  #deriveNext(): void {
    const bodies = this.#queue.slice(this.#at, this.#at + Limit.deriverBatch);
    this.#at += bodies.length;
    if (this.#at >= Limit.deriverQueue || this.#at >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#at);
      this.#at = 0;
      if (this.#queue.length === 0) this.#waitingSince = null;
    }
    this.#keep(this.#derive(this.#unkept(bodies)));
  }

  /** Those that nobody has derived meanwhile. */
  #unkept(bodies: readonly BodyId[]): readonly BodyId[] {
    let kept: ReadonlyMap<BodyId, Uint8Array> = new Map();
    this.#guard((derived) => {
      kept = keptSummaries(derived, bodies);
    });
    return bodies.filter((body) => !kept.has(body));
  }

  #derive(bodies: readonly BodyId[]): readonly Summary[] {
    const deriver = this.#deriver;
    if (deriver === undefined) return [];
    const summaries: Summary[] = [];
    let octets = 0;
    const small = this.#small(bodies);
    for (const body of bodies) {
      try {
        const whole = small.get(body);
        const summary = whole ? deriveOctets(deriver, whole) : deriveBody(deriver, this.#mail, body);
        if (summary === undefined) continue;
        summaries.push([body, summary]);
        octets += summary.length;
        if (octets < Limit.summaryOctets) continue;
        this.#keep(summaries.splice(0));
        octets = 0;
      } catch (error) {
        this.#warn(`The summary of body ${body} failed`, error);
      }
    }
    return summaries;
  }

  /** Where they cannot be read together, each is tried by itself. */
  #small(bodies: readonly BodyId[]): ReadonlyMap<BodyId, Uint8Array> {
    try {
      return smallBodies(this.#mail, bodies);
    } catch (error) {
      this.#warn('Bodies could not be read', error);
      return new Map();
    }
  }

  /** A body that is too large for the front's thread. */
  #answer(id: number, body: BodyId): void {
    try {
      let kept: Uint8Array | undefined;
      this.#guard((derived) => {
        kept = keptSummary(derived, body);
      });
      const deriver = this.#deriver;
      const summary = kept ?? (deriver === undefined ? undefined : deriveBody(deriver, this.#mail, body));
      if (kept === undefined && summary !== undefined) this.#keep([[body, summary]]);
      this.#say({ kind: 'derived', id, summary: summary ?? null, error: null });
    } catch (error) {
      this.#say({ kind: 'derived', id, summary: null, error: error instanceof Error ? error.message : String(error) });
    }
  }

  #keep(summaries: readonly Summary[]): void {
    if (summaries.length === 0) return;
    this.#guard((derived) => keepSummaries(derived, originOf(this.#mail).commit, summaries));
  }

  /** What cannot be forgotten now waits for the next bodies that are gone. */
  #forget(): void {
    while (this.#gone.length > 0) {
      const bodies = this.#gone.slice(0, FORGOTTEN);
      if (!this.#guard((derived) => forgetBodies(derived, bodies))) return;
      this.#gone = this.#gone.slice(bodies.length);
    }
  }

  /** Uses derived.db, which is opened again if that fails. @returns whether it did not fail */
  #guard(action: (derived: Connection) => void): boolean {
    if (this.#derived === undefined) return false;
    try {
      action(this.#derived);
      return true;
    } catch (error) {
      this.#warn('derived.db is opened again', error);
      this.#open(isDamaged(error) ? undefined : openDerived);
      return false;
    }
  }

  /** Opens derived.db, or makes it anew, for which the front lets go of it. @param open undefined: it cannot be opened */
  #open(open: typeof openDerived | undefined): void {
    this.#rest?.();
    this.#rest = undefined;
    this.#derived?.close();
    this.#derived = undefined;
    if (this.#deriver === undefined) return;
    try {
      const about = [this.#data.derived, originOf(this.#mail), this.#deriver.version] as const;
      this.#derived = open?.(...about);
      if (this.#derived === undefined && this.#shown) {
        this.#say({ kind: 'unfit' });
        return;
      }
      this.#derived ??= makeDerived(...about);
    } catch (error) {
      this.#warn('derived.db cannot be opened; summaries are computed each time', error);
      this.#rest = this.#clock.after(REST, () => this.#open(openDerived));
      return;
    }
    if (!this.#shown) this.#say({ kind: 'open' });
    this.#shown = true;
    this.#indexing?.begin();
  }

  #warn(what: string, error: unknown): void {
    this.#say({ kind: 'warning', text: `${what}: ${error instanceof Error ? error.message : String(error)}` });
  }
}
