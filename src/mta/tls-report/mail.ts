// A report as a mail of ours (RFC 8460 §5.3), ready to be taken into the queue: signed by our domain, from `<>`, so that
// nobody reports on it, and sent whatever is wrong with the receiver's TLS.

import type { TlsReportsConfig } from '../../config/config.ts';
import type { Directory } from '../../directory/directory.ts';
import { type Address, formatAddress, parseMailbox } from '../../formats/address.ts';
import { parseHeader } from '../../formats/header.ts';
import { messageId as makeMessageId } from '../../formats/message-id.ts';
import { Refusal } from '../../formats/refusal.ts';
import { tlsReportMail } from '../../formats/tls-report/message.ts';
import type { TlsReport } from '../../formats/tls-report/report.ts';
import { newIdentifier } from '../../platform/identifier.ts';
import { bodyFacts } from '../../store/facts.ts';
import type { Staging, Store } from '../../store/store.ts';
import type { DkimSigner } from '../../trust/dkim/signer.ts';
import type { Arrival } from '../accept.ts';
import { RecipientList } from '../recipients.ts';
import { zoneAt } from '../transaction-facts.ts';

export interface TlsReportMailOptions {
  readonly store: Pick<Store, 'read' | 'stage'>;
  readonly directory: Directory;
  readonly hostname: string;
  readonly tlsReports: TlsReportsConfig;
}

export interface StagedTlsReport {
  readonly arrival: Arrival;
  readonly staging: Staging;
}

/**
 * @param domain whose sessions are told of
 * @param packed the report as JSON, by gzip
 * @returns null: the address is one of ours, and nobody takes mail there
 * @throws StoreError, DkimKeyError; then nothing is kept
 */
export async function stageTlsReport(
  { store, directory, hostname, tlsReports }: TlsReportMailOptions,
  dkim: DkimSigner,
  domain: string,
  to: Address,
  report: TlsReport,
  packed: Uint8Array,
  now: number,
): Promise<StagedTlsReport | null> {
  const recipients = new RecipientList(directory, store, undefined);
  try {
    // RFC 3461 §6.2: nobody reports on a report.
    await recipients.add(to, { notify: 'never' }, 'queue');
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // Nobody there, or no room: it is not worth more.
    if (error.cause === undefined) return null;
    throw error.cause;
  }
  const from = parseMailbox(tlsReports.contact);
  if (from === null) throw new Error('the contact of TLS reports is no address');
  const messageId = `${newIdentifier()}-1`;
  const { header, body } = tlsReportMail({
    domain,
    submitter: from.domain,
    from,
    to,
    reportId: report.id,
    messageId: makeMessageId(`${now.toString(36)}.${messageId}`, hostname),
    boundary: `${newIdentifier()}${newIdentifier()}`,
    start: report.start,
    end: report.end,
    now,
    zone: zoneAt(now),
    report: packed,
    text: textOf(report, domain, formatAddress(from)),
  });
  const [headerOctets, bodyOctets] = [Buffer.from(header), Buffer.from(body)];
  const signature = dkim.begin();
  signature.body(bodyOctets);
  const fields = await signature.fields(from.domain, { octets: headerOctets, fields: parseHeader(headerOctets) });
  const staging = store.stage();
  try {
    await staging.write(Buffer.concat([headerOctets, bodyOctets]));
    return {
      staging,
      arrival: {
        messageId,
        origin: { role: 'local', session: messageId, remoteAddress: null, localPort: null, account: null, tls: null },
        reversePath: null,
        // RFC 8460 §3: whatever is wrong with their TLS; sessions with such mail are not counted (relay.ts), so that reports
        // do not make reports for ever.
        parameters: { tlsOptional: true },
        locals: recipients.locals,
        remotes: recipients.remotes,
        content: { body: staging.finish(), facts: bodyFacts(headerOctets) },
        front: Buffer.from(fields, 'latin1'),
        now,
      },
    };
  } catch (error) {
    staging.discard();
    throw error;
  }
}

/** For people, in ASCII. */
function textOf({ start, policies }: TlsReport, domain: string, contact: string): string {
  const successes = policies.reduce((sum, policy) => sum + policy.successes, 0);
  const failures = policies.reduce((sum, policy) => sum + policy.failures, 0);
  return [
    `This is a report on the TLS sessions that we had on ${new Date(start).toISOString().slice(0, 10)} (UTC)`,
    `with the mail hosts of ${domain}: ${successes} went well, ${failures} failed. The details are attached.`,
    '',
    `You get it because _smtp._tls.${domain} asks for it. Questions: ${contact}`,
  ].join('\n');
}
