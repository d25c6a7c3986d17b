// How the search index is filled: behind everything else, when nothing has been delivered for a moment, and where mail
// keeps coming, in small steps all the same. What is not in it yet is searched without it.

import type { Clock } from '../../platform/clock.ts';
import type { Connection } from '../engine.ts';
import { Limit } from '../limits.ts';
import { bodySize, readBody } from '../reads/bodies.ts';
import type { BodyId } from '../rows.ts';
import { inTransaction } from './derived.ts';
import type { Deriver } from './deriver.ts';
import type { Lull } from './lull.ts';
import { type IndexedText, markDone, nextDone, putTexts } from './text-index.ts';

/** ms until it is tried again where derived.db could not be used. */
const REST = 60_000;
/** Texts that are put in at a time while it is quiet, and while it is not. */
const BATCH = 32;
const SMALL_BATCH = 4;
/** ms between small batches. */
const SMALL_PAUSE = 40;

export interface IndexingParts {
  readonly mail: Connection;
  readonly clock: Clock;
  readonly lull: Lull;
  readonly deriver: Deriver;
  /** Uses derived.db. @returns false: that failed, or it cannot be used */
  readonly use: (action: (derived: Connection) => void) => boolean;
  readonly warn: (what: string, error: unknown) => void;
}

export class Indexing {
  readonly #parts: IndexingParts;
  readonly #texts: NonNullable<Deriver['texts']>;
  /** Bodies that were delivered, and are to be put in. */
  #queue: BodyId[] = [];
  /** Bodies may be missing that nobody has named: those behind `#at` up to `#last` are looked through. */
  #missing = false;
  #at = 0;
  #last = 0;
  /** Bodies that only pass through. */
  #passing: ReadonlySet<number> = new Set();
  #waitingSince: number | null = null;
  #restUntil = 0;
  #stop: (() => void) | null = null;
  #working = false;
  #closed = false;

  constructor(parts: IndexingParts, texts: NonNullable<Deriver['texts']>) {
    this.#parts = parts;
    this.#texts = texts;
  }

  /** Looks for all that is missing. */
  begin(): void {
    this.#missing = true;
    this.#at = 0;
    this.#queue = [];
    this.#wake();
  }

  delivered(bodies: readonly BodyId[]): void {
    if (this.#queue.length > Limit.deriverQueue) {
      this.#queue = [];
      this.#missing = true;
      this.#at = 0;
    } else this.#queue.push(...bodies);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#stop?.();
  }

  #wake(): void {
    if (this.#stop || this.#working || this.#closed || (this.#queue.length === 0 && !this.#missing)) return;
    const { clock, lull } = this.#parts;
    const now = clock.now();
    this.#waitingSince ??= now;
    const late = lull.late(this.#waitingSince);
    const pause = lull.quiet ? 0 : late ? SMALL_PAUSE : lull.quietAfter;
    this.#stop = clock.after(Math.max(pause, this.#restUntil - now), () => {
      this.#stop = null;
      const idle = lull.quiet;
      if (!idle && !late) {
        this.#wake();
        return;
      }
      if (idle) this.#waitingSince = null;
      this.#working = true;
      this.#step(idle ? BATCH : SMALL_BATCH)
        .catch((error: unknown) => {
          this.#parts.warn('The search index could not be filled', error);
          this.#missing = false;
        })
        .finally(() => {
          this.#working = false;
          this.#wake();
        });
    });
  }

  async #step(most: number): Promise<void> {
    const bodies = this.#queue.length > 0 ? this.#queue.splice(0, most) : this.#nextMissing(most);
    const texts: IndexedText[] = [];
    for (const body of bodies) {
      const text = await this.#textOf(body);
      // Messages to this thread come in between.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#closed) return;
      if (text) texts.push(text);
    }
    // What was freed meanwhile has been told already, and would stay for ever.
    const there = texts.filter(({ body }) => bodySize(this.#parts.mail, body) !== undefined);
    if (there.length > 0) this.#use((derived) => inTransaction(derived, () => putTexts(derived, there)));
  }

  #use(action: (derived: Connection) => void): void {
    const { clock, use } = this.#parts;
    if (!use(action)) this.#restUntil = clock.now() + REST;
  }

  async #textOf(body: BodyId): Promise<IndexedText | null> {
    const { mail } = this.#parts;
    try {
      const size = bodySize(mail, body);
      if (size === undefined) return null;
      const read = (offset: number, length: number) => readBody(mail, body, offset, Math.min(length, Limit.readOctets));
      const texts = await this.#texts(read, size, Limit.indexedText);
      return texts && { body, ...texts };
    } catch (error) {
      if (!this.#closed) this.#parts.warn(`The text of body ${body} failed`, error);
      return null;
    }
  }

  /** The next bodies that are in no run of the index. Runs with nothing left between them become one. */
  #nextMissing(most: number): BodyId[] {
    const { mail } = this.#parts;
    if (this.#at === 0) {
      // What comes from here on is named when it is delivered.
      this.#last = mail.get<{ last: number | null }>('SELECT max(id) AS last FROM body')?.last ?? 0;
      this.#passing = new Set(mail.all<{ body: number }>('SELECT body FROM transit').map(({ body }) => body));
    }
    let found: BodyId[] = [];
    this.#use((derived) => {
      const next = nextDone(derived, this.#at);
      const end = Math.min(next?.first ?? Number.MAX_SAFE_INTEGER, this.#last + 1);
      const rows = mail.all<{ id: BodyId; refs: number }>(
        'SELECT id, refs FROM body WHERE id > ? AND id < ? ORDER BY id LIMIT 0 + ?',
        this.#at,
        end,
        most,
      );
      found = rows.filter(({ id, refs }) => refs > (this.#passing.has(id) ? 1 : 0)).map(({ id }) => id);
      const last = rows.at(-1)?.id;
      if (last !== undefined) this.#at = last;
      else if (next && next.first <= this.#last) {
        if (this.#at > 0 && next.first > this.#at + 1) {
          inTransaction(derived, () => markDone(derived, this.#at + 1, next.first - 1));
        }
        this.#at = next.last;
      } else this.#missing = false;
    });
    return found;
  }
}
