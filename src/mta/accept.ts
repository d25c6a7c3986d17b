// Taking a message over (RFC 5321 §6.1): its local deliveries and its queue entries as one command, durable before the
// reply. Port 25, submission and our own reports all come through here.

import { formatAddress, type ReversePath } from '../formats/address.ts';
import type { MailParameters, RcptParameters, Recipient } from '../formats/envelope.ts';
import { deliver, type LocalRecipient } from '../mda/deliver.ts';
import type { Log } from '../platform/log.ts';
import type { Accept, Delivery, Dispatch, Placed } from '../store/commands.ts';
import type { TransitOrigin } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import type { StagedContent } from './content.ts';

/** When an entry is tried, given up and reported as late: ms. */
export interface QueueTimes {
  readonly expire: number;
  readonly warn: number;
}

/** A message and all that is known of it. */
export interface Arrival {
  /** Its id in the log, the trace field and the queue. */
  readonly messageId: string;
  readonly origin: TransitOrigin;
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly locals: readonly LocalRecipient[];
  readonly remotes: readonly Recipient[];
  readonly content: StagedContent;
  /** Fields that stand in front of the content for everybody: signatures. */
  readonly front?: Uint8Array;
  /** ms since the epoch. */
  readonly now: number;
  /** It may be brought again by somebody who was not told that it was taken: then nothing happens. */
  readonly once?: string;
}

/** The command that takes a message over. */
export function acceptOf(arrival: Arrival, queue: QueueTimes): Accept {
  const { content, messageId, now, locals, reversePath, front } = arrival;
  return {
    kind: 'accept',
    body: content.body,
    facts: content.facts,
    messageId,
    now,
    deliveries: locals.map((recipient) => behind(deliver(recipient, reversePath, now), front)),
    dispatch: arrival.remotes.length === 0 ? null : dispatchOf(arrival, queue),
    ...(arrival.once === undefined ? {} : { once: arrival.once }),
  };
}

/**
 * Takes a message over; resolves when it is durable, and logs its hops up to there.
 * @param reports messages that are to be there if and only if this one is
 * @throws StoreError
 */
export async function accept(
  store: Pick<Store, 'execute'>,
  log: Log,
  arrival: Arrival,
  queue: QueueTimes,
  reports: readonly Arrival[] = [],
): Promise<void> {
  if (reports.length === 0) {
    const { placed } = await store.execute<'accept'>(acceptOf(arrival, queue));
    logHops(log, arrival, placed);
    return;
  }
  const all = [arrival, ...reports];
  const accepts = all.map((each) => acceptOf(each, queue));
  await store.execute<'settle'>({ kind: 'settle', settlements: [], reports: accepts });
  for (const each of all) logHops(log, each, []);
}

/** H1: each hop of RFC 5598 that the message has made, by the id that it has in all of them. */
export function logHops(log: Log, arrival: Arrival, placed: readonly Placed[]): void {
  const { messageId: message, origin, reversePath, parameters, locals, remotes, content } = arrival;
  const { role, remoteAddress, localPort, tls } = origin;
  const from = reversePath === null ? '<>' : formatAddress(reversePath);
  if (role !== 'local') {
    const hop = role === 'submission' ? 'MUA→MSA' : 'MTA→MTA';
    // RFC 6710 §4.1: with what was asked for by MT-PRIORITY.
    const { priority } = parameters;
    log.info({ message, hop, from, remoteAddress, localPort, tls, size: content.body.size, priority }, 'received');
  }
  if (role === 'submission') {
    log.info({ message, hop: 'MSA→MTA', local: locals.length, queued: remotes.length }, 'handed over');
  }
  for (const [index, { account, address }] of locals.entries()) {
    const recipient = formatAddress(address);
    const { uid } = placed[index] ?? {};
    log.info({ message, hop: 'MTA→MDA', recipient, account: account.address, uid }, 'delivered');
  }
}

/** RFC 5321 §4.4: what the last hop writes comes first. */
function behind(delivery: Delivery, front: Uint8Array | undefined): Delivery {
  return front === undefined ? delivery : { ...delivery, prefix: Buffer.concat([delivery.prefix, front]) };
}

/** ms of waiting that a step of MT-PRIORITY is worth: nobody waits for ever behind others. */
const STEP = 3_600_000;

function dispatchOf({ reversePath, parameters, origin, remotes, now, front }: Arrival, queue: QueueTimes): Dispatch {
  const { deliverBy, priority = 0 } = parameters;
  const release = Math.max(now, parameters.holdUntil ?? now);
  // RFC 6710 §5.1: before those that have waited less long than this. What is held never leaves early.
  const nextAt = release > now ? release : now - Math.max(0, priority) * STEP;
  // RFC 2852 §4.1.3: returned at its time, or told of then.
  const expiresAt = Math.min(release + queue.expire, deliverBy?.mode === 'R' ? deliverBy.at : Number.POSITIVE_INFINITY);
  const late = deliverBy?.mode === 'N' ? Math.max(deliverBy.at, release) : Number.POSITIVE_INFINITY;
  const warnAt = Math.min(release + queue.warn, late);
  return {
    prefix: front ?? new Uint8Array(0),
    reversePath,
    parameters,
    origin,
    entries: remotes.map((recipient) => ({
      recipient: recipient.address,
      parameters: recipient.parameters,
      destination: recipient.address.domain.toLowerCase(),
      nextAt,
      expiresAt,
      warnAt: wantsWarning(reversePath, recipient.parameters) ? warnAt : null,
    })),
  };
}

/** RFC 3461 §4.1: DELAY must be asked for where NOTIFY is given; without NOTIFY it is ours to decide. Nobody is told
 * at the null reverse-path (RFC 5321 §4.5.5). */
function wantsWarning(reversePath: ReversePath, { notify }: RcptParameters): boolean {
  if (reversePath === null || notify === 'never') return false;
  return notify === undefined || notify.includes('delay');
}
