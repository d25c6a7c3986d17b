// What a result means for its queue entry and for the sender: gone, tried again when, reported how (RFC 5321 §4.5.4.1,
// RFC 3461 §5.2). Decisions only, from values to values.

import type { QueueConfig } from '../config/config.ts';
import type { Notify } from '../formats/envelope.ts';
import type { EnhancedStatus, Reply } from '../formats/refusal.ts';
import type { ReportAction, ReportedRecipient } from '../formats/report-facts.ts';
import type { Settlement } from '../store/commands.ts';
import type { Attempt, EntryRow, TransitRow } from '../store/rows.ts';
import type { Result, Task } from './relay.ts';

/** A settlement, and what the sender is told of it, if anything. */
export interface Verdict {
  readonly transit: TransitRow;
  readonly settlement: Settlement;
  readonly report: ReportedRecipient | null;
}

/** Each wait is up to this part longer than the table says, so that what failed together is not tried together. */
const JITTER = 0.1;

export interface Schedule {
  readonly queue: QueueConfig;
  /** In [0, 1). */
  readonly random: () => number;
}

/** What becomes of an entry that was tried. @param now ms since the epoch */
export function verdictOf(result: Result, schedule: Schedule, now: number): Verdict {
  const { task, entry, outcome, attempt } = result;
  const { transit } = task;
  const { reply } = outcome;
  const reported = (action: ReportAction, status: EnhancedStatus, text = sentence(reply, outcome.text)) =>
    reportedAs(action, transit, entry, status, attempt, text);
  const settled = (then: Settlement['then'], report: ReportedRecipient | null): Verdict => ({
    transit,
    // What is over takes its tries with it.
    settlement: { entry: entry.id, attempt: then.kind === 'retry' ? attempt : null, then },
    report,
  });

  switch (outcome.kind) {
    case 'delivered':
      return settled({ kind: 'done' }, relayReport(result, now));
    case 'failed':
      return settled({ kind: 'failed' }, reported('failed', outcome.status));
    case 'deferred': {
      if (now >= entry.expiresAt) {
        const { deliverBy } = transit.parameters;
        if (deliverBy?.mode === 'R' && now >= deliverBy.at) {
          // RFC 2852 §4.1.3: the sender wanted it back now.
          const text = `It could not be there by the time that was asked for. ${sentence(reply, outcome.text)}`;
          return settled({ kind: 'failed' }, reported('failed', '5.4.7', text));
        }
        const text = `It was tried for ${span(entry.expiresAt - entry.createdAt)}. ${sentence(reply, outcome.text)}`;
        return settled({ kind: 'failed' }, reported('failed', atLast(transit, outcome), text));
      }
      const nextAt = nextTry(entry, schedule, now);
      if (entry.warnAt === null || entry.warnAt > now) {
        return settled({ kind: 'retry', nextAt, warnAt: entry.warnAt }, null);
      }
      const late = isLate(transit, now);
      const text = `${late ? LATE : ''}${sentence(reply, outcome.text)}`;
      const report = reported('delayed', late ? '4.4.7' : outcome.status, text);
      return settled({ kind: 'retry', nextAt, warnAt: nextWarning(transit, now) }, report);
    }
  }
}

/** What becomes of an entry whose warning has fallen due between two tries. @param now ms since the epoch */
export function warning({ transit }: Task, entry: EntryRow, now: number): Verdict {
  const { last } = entry;
  const late = isLate(transit, now);
  const text = `${late ? LATE : ''}${last === null ? 'It has not been tried yet.' : sentence(last.reply, last.text)}`;
  const status = late ? '4.4.7' : (last?.reply?.status ?? '4.4.1');
  const report = reportedAs('delayed', transit, entry, status, last, text);
  const then = { kind: 'retry', nextAt: null, warnAt: nextWarning(transit, now) } as const;
  return { transit, settlement: { entry: entry.id, attempt: null, then }, report };
}

/** RFC 3463 §3.5, X.4.7: what was wrong at the last try, if that is known, says more than that the time is over. RFC 8689
 * §4.2.1 has codes for good for what was not protected as its sender asked. */
function atLast({ parameters: { requiretls } }: TransitRow, { status, reply }: Result['outcome']): EnhancedStatus {
  if (status === '4.0.0') return '4.4.7';
  const insecure = reply === undefined && status.startsWith('4.7.');
  return insecure && requiretls === true ? (`5${status.slice(1)}` as EnhancedStatus) : status; // only the digit is another
}

const LATE = 'It is not there by the time that was asked for; it is tried on. ';

/** RFC 2852 §4.1.3: by-mode N, and the time is over. */
function isLate({ parameters: { deliverBy } }: TransitRow, now: number): boolean {
  return deliverBy?.mode === 'N' && now >= deliverBy.at;
}

/** By-mode N has a delay told at that time, also where one was told of before for our own reasons (RFC 2852 §4.1.3). */
function nextWarning({ parameters: { deliverBy } }: TransitRow, now: number): number | null {
  return deliverBy?.mode === 'N' && now < deliverBy.at ? deliverBy.at : null;
}

/** That it went to the next hop. */
function relayReport({ task, entry, outcome, attempt, ...hop }: Result, now: number): ReportedRecipient | null {
  const { transit } = task;
  const { reversePath, parameters } = transit;
  const { deliverBy } = parameters;
  const { notify } = entry.parameters;
  // RFC 2852 §4.1.4: by-trace asks for it by itself; §4.1.4.2: from here on nobody would look at the time any more.
  const unkept = deliverBy?.mode === 'N' && !hop.deliverBy && now < deliverBy.at;
  const unasked = (deliverBy?.trace === true || unkept) && reversePath !== null && notify !== 'never';
  // RFC 3461 §5.2.2: a hop without DSN tells the sender nothing, so we tell that it went there.
  const asked = !hop.dsn && wanted(transit, notify, 'relayed');
  if (!unasked && !asked) return null;
  return recipientReport('relayed', entry, outcome.status, attempt, sentence(outcome.reply, outcome.text));
}

/** What the sender is told; null where it is not wanted. */
function reportedAs(
  action: ReportAction,
  transit: TransitRow,
  entry: EntryRow,
  status: EnhancedStatus,
  attempt: Attempt | null,
  text: string,
): ReportedRecipient | null {
  if (!wanted(transit, entry.parameters.notify, action)) return null;
  return recipientReport(action, entry, status, attempt, text);
}

function recipientReport(
  action: ReportAction,
  { recipient, parameters, expiresAt }: EntryRow,
  status: EnhancedStatus,
  attempt: Attempt | null,
  text: string,
): ReportedRecipient {
  return {
    action,
    recipient,
    originalRecipient: parameters.orcpt ?? null,
    status,
    remoteMta: attempt?.host ?? null,
    reply: attempt?.reply ?? null,
    text: text.trim(),
    lastAttempt: attempt?.at ?? null,
    willRetryUntil: action === 'delayed' ? expiresAt : null,
  };
}

/** For people. A reply speaks for itself: the report quotes it. */
function sentence(reply: Reply | null | undefined, text: string): string {
  return reply ? '' : `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

function span(ms: number): string {
  const hours = Math.round(ms / 3_600_000);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}

/** True if nothing but a warning is due. */
export function onlyWarning(entry: EntryRow, now: number): boolean {
  return entry.nextAt > now && entry.expiresAt > now;
}

/** By the table, with jitter, and once more when the entry expires. */
function nextTry({ attempts, expiresAt }: EntryRow, { queue, random }: Schedule, now: number): number {
  const { retry } = queue;
  const wait = retry[Math.min(attempts, retry.length - 1)] ?? queue.expire;
  return Math.min(Math.round(now + wait * (1 + JITTER * random())), expiresAt);
}

/** Does the sender want to hear of it? Never at `<>` (RFC 5321 §4.5.5); else as NOTIFY says, without which there are
 * reports of failure and delay (RFC 3461 §4.1). */
function wanted({ reversePath }: TransitRow, notify: Notify | undefined, action: ReportAction): boolean {
  if (reversePath === null || notify === 'never') return false;
  const keyword = action === 'failed' ? 'failure' : action === 'delayed' ? 'delay' : 'success';
  return notify === undefined ? keyword !== 'success' : notify.includes(keyword);
}
