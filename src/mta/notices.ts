// Notices of what did not arrive, one a message: a failure or a delay waits a moment for the recipients of the same message
// that are in hand for other destinations, so that its sender is told of all of them at once. Nothing that a host has
// taken waits here; and what waits is settled only then, so that whoever is killed meanwhile tries it again.

import type { Clock } from '../platform/clock.ts';
import type { TransitId } from '../store/rows.ts';
import type { Verdict } from './settlement.ts';

/** ms that a notice waits at most, and messages that have one waiting: of more, the first is told at once. */
const PATIENCE = 3_000;
const MOST = 1_000;

interface Gathering {
  readonly verdicts: Verdict[];
  readonly written: PromiseWithResolvers<void>;
  readonly cancel: () => void;
}

export interface NoticesOptions {
  readonly clock: Clock;
  /** Settles verdicts of any messages. */
  readonly write: (verdicts: readonly Verdict[]) => Promise<void>;
}

export class Notices {
  readonly #options: NoticesOptions;
  /** Entries of each message that somebody has in hand, those that wait here among them. */
  readonly #inHand = new Map<TransitId, number>();
  readonly #gatherings = new Map<TransitId, Gathering>();
  #complete: Gathering[] = [];
  #hurried = false;

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  /** An entry of this message is taken in hand. */
  take(transit: TransitId): void {
    this.#inHand.set(transit, (this.#inHand.get(transit) ?? 0) + 1);
  }

  /** It is in nobody's hand any more. */
  letGo(transit: TransitId): void {
    const left = (this.#inHand.get(transit) ?? 0) - 1;
    if (left > 0) this.#inHand.set(transit, left);
    else this.#inHand.delete(transit);
    this.#look(transit);
  }

  /** Settles verdicts with a notice of each message. Resolves when that is durable. @throws whatever `write` throws */
  async settle(verdicts: readonly Verdict[]): Promise<void> {
    const written = new Set<Promise<void>>();
    for (const verdict of verdicts) {
      const { id } = verdict.transit;
      const gathering = this.#gatherings.get(id) ?? this.#begin(id);
      gathering.verdicts.push(verdict);
      written.add(gathering.written.promise);
      // Not yet: destinations that fell due together take theirs in hand in this turn.
      setImmediate(() => this.#look(id));
    }
    await Promise.all(written);
  }

  /** Nobody waits any more. */
  hurry(): void {
    this.#hurried = true;
    for (const transit of [...this.#gatherings.keys()]) this.#look(transit);
  }

  #begin(transit: TransitId): Gathering {
    const gathering: Gathering = {
      verdicts: [],
      written: Promise.withResolvers(),
      cancel: this.#options.clock.after(PATIENCE, () => this.#end(transit)),
    };
    this.#gatherings.set(transit, gathering);
    if (this.#gatherings.size > MOST) {
      // A Map keeps the order of insertion: who waits longest goes.
      for (const oldest of this.#gatherings.keys()) {
        this.#end(oldest);
        break;
      }
    }
    return gathering;
  }

  #look(transit: TransitId): void {
    const waiting = this.#gatherings.get(transit)?.verdicts.length ?? 0;
    if (this.#hurried || (this.#inHand.get(transit) ?? 0) <= waiting) this.#end(transit);
  }

  #end(transit: TransitId): void {
    const gathering = this.#gatherings.get(transit);
    if (gathering === undefined) return;
    this.#gatherings.delete(transit);
    gathering.cancel();
    this.#complete.push(gathering);
    // Those that are complete in one turn share transactions.
    if (this.#complete.length === 1) setImmediate(() => this.#write());
  }

  #write(): void {
    const complete = this.#complete;
    this.#complete = [];
    this.#options.write(complete.flatMap(({ verdicts }) => verdicts)).then(
      () => {
        for (const { written } of complete) written.resolve();
      },
      (error: unknown) => {
        for (const { written } of complete) written.reject(error);
      },
    );
  }
}

/** Is this what a notice tells of, and did no host take anything? */
export function isNotice({ report }: Verdict): boolean {
  return report !== null && (report.action === 'failed' || report.action === 'delayed');
}
