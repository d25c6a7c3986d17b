// Reports to the sender of a queued message (RFC 3461 §6, RFC 3464): what became of some of its recipients, made ready to
// be taken over in the same command that settles their entries. To `<>` nothing is reported (RFC 5321 §4.5.5); what a
// sender who is gone cannot be told, the postmaster is.

import type { Directory } from '../directory/directory.ts';
import { formatAddress } from '../formats/address.ts';
import { messageId as makeMessageId } from '../formats/message-id.ts';
import { deliveryReport } from '../formats/report.ts';
import type { ReportedRecipient } from '../formats/report-facts.ts';
import type { Clock } from '../platform/clock.ts';
import { newIdentifier } from '../platform/identifier.ts';
import { bodyFacts } from '../store/facts.ts';
import type { TransitRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { type ComposerOptions, type StagedReport, stageReport } from './composed.ts';
import { contentOf } from './relay.ts';
import { zoneAt } from './transaction-facts.ts';

/** Octets of a message that RET=FULL sends back; of a larger one it is the header (RFC 3461 §4.3). */
const RETURNED = 1024 * 1024;

export interface BounceOptions extends ComposerOptions {
  readonly store: Pick<Store, 'read' | 'stage'>;
  readonly directory: Directory;
  readonly hostname: string;
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
  // The postmaster of this host is somebody (RFC 5321 §4.5.1), so an answer is read.
  const postmaster = { localPart: 'postmaster', domain: hostname } as const;
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
  const now = clock.now();
  const messageId = `${transit.messageId}.dsn`;
  const frame = deliveryReport({
    reportingMta: hostname,
    from: postmaster,
    to,
    messageId: makeMessageId(`${now.toString(36)}.${newIdentifier()}.${messageId}`, hostname),
    sevenBit: reader.kind === 'remote',
    boundary: `${newIdentifier()}${newIdentifier()}`,
    time: now,
    zone: zoneAt(now),
    original: {
      arrival: transit.createdAt,
      envid: parameters.envid ?? null,
      messageId: bodyFacts(returned.subarray(0, headerSize)).messageId,
      utf8: parameters.smtputf8 === true,
      eightBit: parameters.body === '8BITMIME' || !text,
      holdUntil: parameters.holdUntil,
      holdRequest: parameters.holdRequest,
      deliverBy: parameters.deliverBy?.at,
      returned: whole ? 'FULL' : 'HDRS',
    },
    recipients,
  });
  const report = await stageReport(options, postmaster, [frame.before, frame.returned(returned), frame.after], {
    messageId,
    origin: { ...transit.origin, role: 'local', account: null },
    reversePath: null,
    parameters: {
      ...(frame.utf8 ? { smtputf8: true } : {}),
      ...(frame.eightBit ? { body: '8BITMIME' } : {}),
      ...(secret ? { requiretls: true } : {}),
      // RFC 6710 §4.6.
      ...(parameters.priority === undefined ? {} : { priority: parameters.priority }),
    },
    locals: reader.kind === 'account' ? [{ ...recipient, account: reader.account }] : [],
    remotes: reader.kind === 'remote' ? [recipient] : [],
    now,
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
