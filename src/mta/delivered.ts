// The report that a message reached a mailbox here, for a sender who asked for it by NOTIFY=SUCCESS (RFC 3461 §5.2.3).
// What becomes of recipients elsewhere is the queue's to report.

import type { Directory } from '../directory/directory.ts';
import type { Address } from '../formats/address.ts';
import type { RcptParameters } from '../formats/envelope.ts';
import { Refusal } from '../formats/refusal.ts';
import type { ReportedRecipient } from '../formats/report-facts.ts';
import type { Store } from '../store/store.ts';
import type { Arrival } from './accept.ts';
import { type ComposerOptions, type StagedReport, stageReport } from './composed.ts';
import { type LocalRcpt, RecipientList } from './recipients.ts';

export interface ReporterOptions extends ComposerOptions {
  readonly store: Pick<Store, 'read' | 'stage'>;
  readonly directory: Directory;
}

/**
 * The report to the sender of a message, to be accepted in one transaction with it. Null if nobody asked, or the sender
 * cannot get it: a report is not reported on (RFC 5321 §6.1).
 * @param named those of the arrival by all the names that were given, with what RCPT said of each
 * @param header the message's, as stored: of what was delivered no more goes back, whatever RET says (RFC 3461 §4.3)
 */
export async function deliveredReport(
  options: ReporterOptions,
  arrival: Arrival,
  named: readonly LocalRcpt[],
  header: Uint8Array,
): Promise<StagedReport | null> {
  const { store, directory } = options;
  const { reversePath, now } = arrival;
  const asked = named.filter(wantsSuccess);
  if (reversePath === null || asked.length === 0) return null;
  const recipients = new RecipientList(directory, store, 'report');
  try {
    // RFC 3461 §6.2: nobody reports on a report.
    await recipients.add(reversePath, { notify: 'never' }, 'queue');
  } catch (error) {
    // Nobody is there; whether or not somebody is, a store that fails cannot say.
    if (error instanceof Refusal && error.cause === undefined) return null;
    throw error;
  }
  const message = { ...arrival, takenAt: now, fieldId: arrival.content.facts.messageId, returned: header };
  const told = asked.map(({ address, parameters }) => inMailbox(address, parameters));
  const { locals, remotes } = recipients;
  return stageReport(options, message, told, { to: reversePath, locals, remotes, now });
}

/** What a report says of a recipient whose mailbox here has the message. */
export function inMailbox(recipient: Address, { orcpt }: RcptParameters): ReportedRecipient {
  return {
    action: 'delivered',
    recipient,
    originalRecipient: orcpt ?? null,
    status: '2.1.5',
    remoteMta: null,
    reply: null,
    text: 'The message is in the mailbox.',
    lastAttempt: null,
    willRetryUntil: null,
  };
}

/** NOTIFY=SUCCESS (RFC 3461 §4.1). */
export function wantsSuccess({ parameters: { notify } }: { readonly parameters: RcptParameters }): boolean {
  return notify !== undefined && notify !== 'never' && notify.includes('success');
}

/** Reports of failure come where NOTIFY is not given, and where it has FAILURE (RFC 3461 §4.1). */
export function wantsFailure({ notify }: RcptParameters): boolean {
  return notify === undefined || (notify !== 'never' && notify.includes('failure'));
}
