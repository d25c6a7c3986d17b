// Verdicts into the store: each settlement durable, with its report in the same transaction, so that nothing is lost and
// nothing told twice. What was acknowledged is never given up: a store that cannot take it now is asked again.

import { pause } from '../platform/clock.ts';
import type { Accept } from '../store/commands.ts';
import type { TransitId } from '../store/rows.ts';
import { type Store, StoreError } from '../store/store.ts';
import { acceptOf, logHops, type QueueTimes } from './accept.ts';
import { type BounceOptions, bounce } from './bounce.ts';
import type { StagedReport } from './composed.ts';
import { Notices } from './notices.ts';
import type { Verdict } from './settlement.ts';

export interface SettlerOptions extends BounceOptions {
  readonly store: Pick<Store, 'execute' | 'read' | 'stage'>;
  readonly queue: QueueTimes;
  /** The runner is ending: nothing is asked twice. */
  readonly closing: () => boolean;
}

/** ms until a store that failed is asked again. */
const PAUSE = 5_000;
/** Messages reported on in one transaction. */
const REPORTS = 20;

export interface Settler {
  /** Settles what is no notice. Resolves when all is durable. @throws StoreError when closing */
  readonly settle: (verdicts: readonly Verdict[]) => Promise<void>;
  readonly notices: Notices;
}

export function createSettler(options: SettlerOptions): Settler {
  const { store, clock, log } = options;

  /** One transaction. */
  async function write(verdicts: readonly Verdict[]): Promise<void> {
    const reports: StagedReport[] = [];
    const astray = verdicts.filter(isAstray);
    let doubles = astray.length;
    try {
      for (const group of byTransit(verdicts)) {
        const recipients = group.flatMap(({ report }) => (report === null ? [] : [report]));
        const [first] = group;
        if (first === undefined || recipients.length === 0) continue;
        // Removed by an operator while it was tried: nobody is told, and there is nothing left to send back.
        if ((await store.read.queue.transit(first.transit.id)) === undefined) continue;
        const { report, double } = await bounce(options, first.transit, recipients);
        if (report !== null) reports.push(report);
        if (double) doubles++;
      }
      const accepts: Accept[] = reports.map(({ arrival }) => acceptOf(arrival, options.queue));
      const settlements = verdicts.map(({ settlement }) => settlement);
      await store.execute<'settle'>({
        kind: 'settle',
        settlements,
        reports: accepts,
        ...(doubles === 0 ? {} : { doubleBounces: doubles }),
      });
    } catch (error) {
      for (const { staging } of reports) staging.discard();
      throw error;
    }
    for (const { arrival } of reports) logHops(log, arrival, []);
    for (const { transit } of astray) {
      log.warn({ message: transit.messageId }, 'a report cannot be delivered, and nobody is told: double bounce');
    }
  }

  const writeAll = async (verdicts: readonly Verdict[]): Promise<void> => {
    await Promise.all(
      batches(verdicts).map(async (batch) => {
        for (;;) {
          try {
            await write(batch);
            return;
          } catch (error) {
            if (options.closing() || (error instanceof StoreError && error.kind === 'closed')) throw error;
            log.error({ err: error, entries: batch.length }, 'what became of queue entries cannot be stored');
            await pause(clock, PAUSE);
          }
        }
      }),
    );
  };

  return { settle: writeAll, notices: new Notices({ clock, write: writeAll }) };
}

/** A report, or other mail from `<>`, that reached nobody. Dropped: it must not be reported on (RFC 5321 §6.1). */
function isAstray({ transit, settlement }: Verdict): boolean {
  return transit.reversePath === null && settlement.then.kind === 'failed';
}

/** What needs no report goes at once and together; the rest in transactions of a bounded size. */
function batches(verdicts: readonly Verdict[]): Verdict[][] {
  const plain = verdicts.filter(({ report }) => report === null);
  const groups = byTransit(verdicts.filter(({ report }) => report !== null));
  const out = plain.length > 0 ? [plain] : [];
  for (let at = 0; at < groups.length; at += REPORTS) out.push(groups.slice(at, at + REPORTS).flat());
  return out;
}

/** One report a message: recipients that fared alike are told of together (RFC 3464 §2.1). */
function byTransit(verdicts: readonly Verdict[]): Verdict[][] {
  const groups = new Map<TransitId, Verdict[]>();
  for (const verdict of verdicts) {
    const group = groups.get(verdict.transit.id);
    if (group === undefined) groups.set(verdict.transit.id, [verdict]);
    else group.push(verdict);
  }
  return [...groups.values()];
}
