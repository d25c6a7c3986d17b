// Taking a message over (RFC 5321 §6.1): its local deliveries and its queue entries as one command, durable before the
// reply. Port 25, submission and our own reports all come through here.

import type { ReversePath } from '../formats/address.ts';
import type { MailParameters, RcptParameters, Recipient } from '../formats/envelope.ts';
import { deliver, type LocalRecipient } from '../mda/deliver.ts';
import type { Log } from '../platform/log.ts';
import type { Accept, Dispatch, Results } from '../store/commands.ts';
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
  /** ms since the epoch. */
  readonly now: number;
}

/** The command that takes a message over. */
export function acceptOf(arrival: Arrival, queue: QueueTimes): Accept {
  const { content, messageId, now, locals, reversePath } = arrival;
  return {
    kind: 'accept',
    body: content.body,
    facts: content.facts,
    messageId,
    now,
    deliveries: locals.map((recipient) => deliver(recipient, reversePath, now)),
    dispatch: arrival.remotes.length === 0 ? null : dispatchOf(arrival, queue),
  };
}

/** Takes a message over and logs its hops inside. Resolves when it is durable. @throws StoreError */
export async function accept(
  store: Pick<Store, 'execute'>,
  log: Log,
  arrival: Arrival,
  queue: QueueTimes,
): Promise<Results['accept']> {
  const result = await store.execute<'accept'>(acceptOf(arrival, queue));
  const message = arrival.messageId;
  for (const [index, { account, address }] of arrival.locals.entries()) {
    const placed = result.placed[index];
    const recipient = `${address.localPart}@${address.domain}`;
    log.info({ message, hop: 'MTA→MDA', recipient, account: account.address, uid: placed?.uid }, 'delivered');
  }
  return result;
}

function dispatchOf({ reversePath, parameters, origin, remotes, now }: Arrival, queue: QueueTimes): Dispatch {
  return {
    prefix: new Uint8Array(0),
    reversePath,
    parameters,
    origin,
    entries: remotes.map((recipient) => ({
      recipient: recipient.address,
      parameters: recipient.parameters,
      destination: recipient.address.domain.toLowerCase(),
      nextAt: now,
      expiresAt: now + queue.expire,
      warnAt: wantsWarning(reversePath, recipient.parameters) ? now + queue.warn : null,
    })),
  };
}

/** RFC 3461 §4.1: DELAY must be asked for where NOTIFY is given; without NOTIFY it is ours to decide. Nobody is told
 * at the null reverse-path (RFC 5321 §4.5.5). */
function wantsWarning(reversePath: ReversePath, { notify }: RcptParameters): boolean {
  if (reversePath === null || notify === 'never') return false;
  return notify === undefined || notify.includes('delay');
}
