// The report on recipients that were refused when nobody was there any more to hear it (RFC 5321 §6.1, RFC 3464): to the
// sender, or where that is nobody, to the postmaster.

import type { Directory } from '../directory/directory.ts';
import type { Address, ReversePath } from '../formats/address.ts';
import type { MailParameters, RcptParameters } from '../formats/envelope.ts';
import type { Refusal } from '../formats/refusal.ts';
import type { ReportedRecipient } from '../formats/report-facts.ts';
import { bodyFacts } from '../store/facts.ts';
import { postmasterOf, type StagedReport, stageReport } from './composed.ts';
import type { ReporterOptions } from './delivered.ts';
import { RecipientList } from './recipients.ts';

export interface Rejected {
  readonly address: Address;
  readonly parameters: RcptParameters;
  readonly refusal: Refusal;
}

/** What is known of the message. */
export interface RejectedMessage {
  readonly messageId: string;
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  /** Its header, which goes back. */
  readonly header: Uint8Array;
  /** ms since the epoch: when it was handed over, and now. */
  readonly arrival: number;
  readonly now: number;
}

/**
 * The report, staged, to be accepted with what is left of the message.
 * @throws Refusal where even the postmaster cannot have it; StoreError
 */
export async function rejectionReport(
  options: ReporterOptions,
  message: RejectedMessage,
  rejected: readonly Rejected[],
): Promise<StagedReport> {
  const { store, directory, hostname } = options;
  const { messageId, reversePath, parameters, header, now } = message;
  const to = await readerOf(directory, hostname, reversePath);
  // RFC 3461 §6.2: nobody reports on a report.
  const recipients = new RecipientList(directory, store, 'report');
  await recipients.add(to, { notify: 'never' }, 'queue');
  const reported = {
    messageId,
    parameters,
    origin: { session: messageId, remoteAddress: null, localPort: null, tls: null },
    takenAt: message.arrival,
    fieldId: bodyFacts(header).messageId,
    returned: header,
  };
  const told = rejected.map(
    ({ address, parameters: { orcpt }, refusal: { reply } }): ReportedRecipient => ({
      action: 'failed',
      recipient: address,
      originalRecipient: orcpt ?? null,
      status: reply.status ?? '5.0.0',
      remoteMta: null,
      reply: null,
      text: `${reply.text}.`,
      lastAttempt: now,
      willRetryUntil: null,
    }),
  );
  const { locals, remotes } = recipients;
  return stageReport(options, reported, told, { to, locals, remotes, now });
}

/** A sender that is nobody here (`root` of a machine without such an account) leaves the postmaster. */
async function readerOf(directory: Directory, hostname: string, reversePath: ReversePath): Promise<Address> {
  if (reversePath !== null && (await directory.resolve(reversePath)).kind !== 'unknown') return reversePath;
  return postmasterOf(hostname);
}
