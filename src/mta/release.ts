// What was held for a mailbox here (RFC 4865) and is due: delivered as it would have been at its acceptance, its entries
// gone in the same transaction. Whoever has no mailbox any more is reported; who is elsewhere is left to the relay.

import { formatAddress } from '../formats/address.ts';
import { deliver, type LocalRecipient } from '../mda/deliver.ts';
import { failed } from '../smtp/client/outcome.ts';
import type { Accept } from '../store/commands.ts';
import { bodyFacts } from '../store/facts.ts';
import type { EntryRow } from '../store/rows.ts';
import type { Staging } from '../store/store.ts';
import { acceptOf, type QueueTimes } from './accept.ts';
import { type BounceOptions, bounce } from './bounce.ts';
import type { StagedReport } from './composed.ts';
import { inMailbox, wantsSuccess } from './delivered.ts';
import { contentOf, type Result, type Task, withoutTrying } from './relay.ts';
import type { SettlerOptions } from './settle.ts';

export interface ReleaseOptions extends BounceOptions {
  readonly store: SettlerOptions['store'];
  readonly queue: QueueTimes;
}

/** `left`: for other servers; null: nothing. `results`: of who has no mailbox any more, to be settled. */
export interface Released {
  readonly left: Task | null;
  readonly results: readonly Result[];
}

/** Makes the function that delivers what of a task is for mailboxes here. It resolves when that is durable.
 * @throws StoreError, with nothing done */
export function createRelease(options: ReleaseOptions): (task: Task) => Promise<Released> {
  return async (task) => {
    if (task.transit.parameters.holdUntil === undefined) return { left: task, results: [] };
    const away: EntryRow[] = [];
    const gone: EntryRow[] = [];
    const here: { readonly entry: EntryRow; readonly recipient: LocalRecipient }[] = [];
    for (const entry of task.entries) {
      const found = await options.directory.resolve(entry.recipient);
      if (found.kind === 'account') here.push({ entry, recipient: found });
      else if (found.kind === 'remote') away.push(entry);
      else gone.push(entry);
    }
    if (here.length > 0) await place(options, task, here);
    const outcome = failed('5.1.1', 'there is no such mailbox any more');
    return {
      left: away.length === 0 ? null : { ...task, entries: away },
      results: withoutTrying({ ...task, entries: gone }, outcome, null, options.clock),
    };
  };
}

async function place(
  options: ReleaseOptions,
  { transit }: Task,
  here: readonly { readonly entry: EntryRow; readonly recipient: LocalRecipient }[],
): Promise<void> {
  const { store, log, clock } = options;
  const now = clock.now();
  // One copy an account, by its first name, as at RCPT.
  const recipients = new Map<number, LocalRecipient>();
  for (const { recipient } of here) {
    if (!recipients.has(recipient.account.id)) recipients.set(recipient.account.id, recipient);
  }
  const staging = store.stage();
  let report: StagedReport | null = null;
  try {
    const accept = await copy(staging, options, transit, [...recipients.values()], now);
    const asked = here.flatMap(({ entry }) =>
      wantsSuccess(entry) ? [inMailbox(entry.recipient, entry.parameters)] : [],
    );
    if (asked.length > 0) ({ report } = await bounce(options, transit, asked));
    const then = { kind: 'done' } as const;
    await store.execute<'settle'>({
      kind: 'settle',
      settlements: here.map(({ entry }) => ({ entry: entry.id, attempt: null, then })),
      reports: report === null ? [accept] : [accept, acceptOf(report.arrival, options.queue)],
    });
  } catch (error) {
    staging.discard();
    report?.staging.discard();
    throw error;
  }
  for (const { entry, recipient } of here) {
    log.info(
      {
        message: transit.messageId,
        hop: 'MTA→MDA',
        recipient: formatAddress(entry.recipient),
        account: recipient.account.address,
      },
      'delivered',
    );
  }
}

/** The body once more: the one in the queue goes with its entries. */
async function copy(
  staging: Staging,
  { store }: ReleaseOptions,
  transit: Task['transit'],
  recipients: readonly LocalRecipient[],
  now: number,
): Promise<Accept> {
  const header: Uint8Array[] = [];
  let missing = transit.headerSize;
  for await (const piece of contentOf(store, transit).open()) {
    if (missing > 0) header.push(piece.subarray(0, missing));
    missing -= piece.length;
    await staging.write(piece);
  }
  return {
    kind: 'accept',
    body: staging.finish(),
    facts: bodyFacts(Buffer.concat(header)),
    messageId: transit.messageId,
    now,
    deliveries: recipients.map((recipient) => deliver(recipient, transit.reversePath, now)),
    dispatch: null,
  };
}
