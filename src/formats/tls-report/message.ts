// A TLS report as a mail (RFC 8460 §5.3): multipart/report with a part for people and the report itself, compressed. The
// header is apart from the body, so that it can be signed.

import { type Address, formatAddress } from '../address.ts';
import { base64Lines } from '../base64.ts';
import { formatDate } from '../date.ts';
import { asBuffer } from '../octets.ts';

export interface TlsReportMail {
  /** Whose sessions are told of. */
  readonly domain: string;
  /** The domain of `from`, and of the report's contact (RFC 8460 §5.3). */
  readonly submitter: string;
  readonly from: Address;
  readonly to: Address;
  /** `left@right`, as in the report. */
  readonly reportId: string;
  /** With its angle brackets. */
  readonly messageId: string;
  readonly boundary: string;
  /** ms since the epoch: of the day; `now` with its zone in minutes east of UTC. */
  readonly start: number;
  readonly end: number;
  readonly now: number;
  readonly zone: number;
  /** The report, by gzip. */
  readonly report: Uint8Array;
  /** For people, lines of ASCII that end in LF. */
  readonly text: string;
}

/** Header with its empty line, and body. ASCII, 7-bit. */
export function tlsReportMail(mail: TlsReportMail): { readonly header: string; readonly body: string } {
  const { domain, submitter, boundary } = mail;
  const header = [
    `Date: ${formatDate(mail.now, mail.zone)}`,
    `From: TLS reports <${formatAddress(mail.from)}>`,
    `To: <${formatAddress(mail.to)}>`,
    // tlsrpt-subject of RFC 8460 §5.3.
    `Subject: Report Domain: ${domain}\r\n Submitter: ${submitter}\r\n Report-ID: <${mail.reportId}>`,
    `Message-ID: ${mail.messageId}`,
    `TLS-Report-Domain: ${domain}`,
    `TLS-Report-Submitter: ${submitter}`,
    // RFC 8460 §3: it goes there whatever is wrong with their TLS, on every hop (RFC 8689 §3).
    'TLS-Required: No',
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type="tlsrpt";\r\n\tboundary="${boundary}"`,
    '',
    '',
  ];
  const file = tlsReportFile(mail);
  const body = [
    'This is a TLS report in the format of RFC 8460.',
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=us-ascii',
    'Content-Transfer-Encoding: 7bit',
    '',
    ...mail.text.split('\n'),
    '',
    `--${boundary}`,
    'Content-Type: application/tlsrpt+gzip',
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: attachment;\r\n\tfilename="${file}"`,
    '',
    ...base64Lines(asBuffer(mail.report)),
    `--${boundary}--`,
    '',
  ];
  return { header: header.join('\r\n'), body: body.join('\r\n') };
}

/** filename = sender "!" policy-domain "!" begin-timestamp "!" end-timestamp "." extension (RFC 8460 §5.1). */
function tlsReportFile({ submitter, domain, start, end }: TlsReportMail): string {
  return `${submitter}!${domain}!${seconds(start)}!${seconds(end)}.json.gz`;
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}
