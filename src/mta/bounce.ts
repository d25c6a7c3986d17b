// Reports to the sender of a queued message (RFC 3461 §6, RFC 3464): what became of some of its recipients, made ready to
// be taken over in the same command that settles their entries. To `<>` nothing is reported (RFC 5321 §4.5.5); what a
// sender who is gone cannot be told, the postmaster is.

import type { Directory } from '../directory/directory.ts';
import { formatAddress } from '../formats/address.ts';
import type { ReportedRecipient } from '../formats/report-facts.ts';
import type { Clock } from '../platform/clock.ts';
import { bodyFacts } from '../store/facts.ts';
import type { TransitRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { type ComposerOptions, postmasterOf, type StagedReport, stageReport } from './composed.ts';
import { contentOf } from './relay.ts';

/** Octets of a message that RET=FULL sends back; of a larger one it is the header (RFC 3461 §4.3). */
const RETURNED = 1024 * 1024;

export interface BounceOptions extends ComposerOptions {
  readonly store: Pick<Store, 'read' | 'stage'>;
  readonly directory: Directory;
  readonly clock: Clock;
}

export interface Bounced {
  /** null: there is nobody to read it. */
  readonly report: StagedReport | null;
  /** A failure that its sender cannot be told of. */
  readonly double: boolean;
}

/**
 * The report of one message for some of its recipients, staged.
 * @throws StoreError, with nothing kept
 */
export async function bounce(
  options: BounceOptions,
  transit: TransitRow,
  recipients: readonly ReportedRecipient[],
): Promise<Bounced> {
  const { store, directory, hostname, clock, log } = options;
  const { reversePath, parameters, headerSize } = transit;
  const failed = recipients.some(({ action }) => action === 'failed');
  if (reversePath === null) return { report: null, double: failed };
  const postmaster = postmasterOf(hostname);
  // Not by the rules of RCPT: a report goes into a full mailbox too, since it tells of mail that is lost otherwise.
  const sender = await directory.resolve(reversePath);
  const double = failed && sender.kind === 'unknown';
  if (sender.kind === 'unknown') {
    log.warn({ message: transit.messageId, to: formatAddress(reversePath), failed }, 'the sender is no more');
    if (!failed) return { report: null, double };
  }
  const reader = double ? await directory.resolve(postmaster) : sender;
  if (reader.kind === 'unknown') return { report: null, double };
  const to = double ? postmaster : reversePath;
  // RFC 3461 §6.2: nobody reports on a report.
  const recipient = { address: to, parameters: { notify: 'never' } } as const;
  // RFC 3461 §4.3: all of a message goes back with a failure only; without RET the header is enough.
  // A binary body has no place in a report, which is text (RFC 3030 §3).
  const text = parameters.body !== 'BINARYMIME';
  // RFC 8689 §5: what had to be protected goes back without its content, and as well protected.
  const secret = parameters.requiretls === true;
  const whole = failed && text && parameters.ret === 'FULL' && !secret && transit.size <= RETURNED;
  const returned = await firstOctets(contentOf(store, transit).open(), whole ? transit.size : headerSize);
  const { messageId: fieldId } = bodyFacts(returned.subarray(0, headerSize));
  const message = { ...transit, takenAt: transit.createdAt, fieldId, returned, whole };
  const report = await stageReport(options, message, recipients, {
    to,
    locals: reader.kind === 'account' ? [{ ...recipient, account: reader.account }] : [],
    remotes: reader.kind === 'remote' ? [recipient] : [],
    now: clock.now(),
  });
  return { report, double };
}

async function firstOctets(content: AsyncIterable<Uint8Array>, count: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of content) {
    chunks.push(chunk);
    octets += chunk.length;
    if (octets >= count) break;
  }
  return Buffer.concat(chunks, Math.min(octets, count));
}
