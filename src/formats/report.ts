// Delivery reports (RFC 3461 §6, RFC 3464, RFC 6522, and RFC 6533 for UTF-8): what happened to the recipients of one
// message, for people and for machines, as the octets of a message. To whom and when is the MTA's business.

import { isIP } from 'node:net';
import { type Address, formatAddress, isAscii } from './address.ts';
import { base64Lines } from './base64.ts';
import { formatDate } from './date.ts';
import { asBuffer } from './octets.ts';
import type { Reply } from './refusal.ts';
import type { DeliveryReport, ReportedRecipient } from './report-facts.ts';
import { oneLine, reportSubject, reportText } from './report-text.ts';
import { decodeUtf8Address, utf8AddressXtext } from './xtext.ts';

/** A report but for the message sent back, whose octets belong between `before` and `after`. */
export interface ReportFrame {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** The octets of the message as they stand there. */
  returned(octets: Uint8Array): Uint8Array;
  /** The report must be sent with SMTPUTF8. */
  readonly utf8: boolean;
  /** The report must be sent with BODY=8BITMIME. */
  readonly eightBit: boolean;
}

/** Octets of what a message says in one field of the report: a line has at most 998 (RFC 5322 §2.1.1). */
const LONGEST_FIELD = 900;

/** Media types of the message sent back (RFC 6522 §4, RFC 6533 §6, RFC 6532 §3.7). */
const RETURNED = { FULL: 'message/rfc822', HDRS: 'text/rfc822-headers' } as const;
const GLOBAL_RETURNED = { FULL: 'message/global', HDRS: 'message/global-headers' } as const;

/** Writes a report around the octets of the message that it sends back, or of its header with the empty line. */
export function deliveryReport(report: DeliveryReport): ReportFrame {
  const { original, recipients, boundary } = report;
  // RFC 6533 §4: only a sender who has shown to understand UTF-8 gets it.
  const utf8 = original.utf8;
  // RFC 6533 §4.5: where it may have to pass a server that cannot take it otherwise. With an address that is not ASCII it
  // passes none.
  const packed = utf8 && report.sevenBit === true && isAscii(report.to);
  const eightBit = (original.eightBit || utf8) && !packed;
  const text = reportText(report, (address) => shownAddress(address, utf8));
  const textIsAscii = /^[\0-\x7f]*$/.test(text);
  const status = [
    ...messageFields(report),
    ...recipients.flatMap((recipient) => ['', ...recipientFields(recipient, report)]),
  ];
  const lines = [
    `Date: ${formatDate(report.time, report.zone)}`,
    `From: Mail delivery <${shownAddress(report.from, utf8)}>`,
    `To: <${shownAddress(report.to, utf8)}>`,
    `Subject: ${reportSubject(recipients)}`,
    `Message-ID: ${field(report.messageId)}`,
    ...inReplyTo(original.messageId),
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    ...(eightBit ? ['Content-Transfer-Encoding: 8bit'] : []),
    'Content-Type: multipart/report; report-type=delivery-status;',
    `\tboundary="${boundary}"`,
    '',
    'This is a delivery report in the format of RFC 3464.',
    '',
    `--${boundary}`,
    `Content-Type: text/plain; charset=${textIsAscii ? 'us-ascii' : 'utf-8'}`,
    `Content-Transfer-Encoding: ${textIsAscii ? '7bit' : packed ? 'base64' : '8bit'}`,
    '',
    ...(packed && !textIsAscii ? base64Lines(Buffer.from(text.replaceAll('\n', '\r\n'))) : text.split('\n')),
    '',
    `--${boundary}`,
    `Content-Type: ${utf8 ? 'message/global-delivery-status' : 'message/delivery-status'}`,
    ...(utf8 ? [`Content-Transfer-Encoding: ${packed ? 'base64' : '8bit'}`] : []),
    '',
    ...(packed ? base64Lines(Buffer.from(status.join('\r\n'))) : status),
    '',
    `--${boundary}`,
    `Content-Type: ${utf8 ? GLOBAL_RETURNED[original.returned] : RETURNED[original.returned]}`,
    ...(packed || eightBit ? [`Content-Transfer-Encoding: ${packed ? 'base64' : '8bit'}`] : []),
    '',
    '',
  ];
  return {
    before: Buffer.from(lines.join('\r\n'), 'utf8'),
    after: Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'),
    returned: (octets) => (packed ? Buffer.from(base64Lines(asBuffer(octets)).join('\r\n'), 'latin1') : octets),
    utf8: (utf8 && !packed) || !isAscii(report.to),
    eightBit,
  };
}

/** Only an identifier that can be said as it is names the message. */
function inReplyTo(messageId: string | null): string[] {
  return messageId !== null && /^[!-~]{1,900}$/.test(messageId) ? [`In-Reply-To: <${messageId}>`] : [];
}

/** per-message-fields (RFC 3464 §2.2). */
function messageFields({ reportingMta, original, zone }: DeliveryReport): string[] {
  const fields = original.envid === null ? [] : [`Original-Envelope-Id: ${printable(original.envid, original.utf8)}`];
  return [
    ...fields,
    `Reporting-MTA: dns; ${field(reportingMta)}`,
    `Arrival-Date: ${formatDate(original.arrival, zone)}`,
    ...appointments(original, zone),
  ];
}

/** deliver-by-date-field (RFC 2852 §5) and future-release-request-field (RFC 4865 §5.1.2), which has no
 * space. */
function appointments({ holdUntil, holdRequest, deliverBy }: DeliveryReport['original'], zone: number): string[] {
  const until = holdUntil === undefined ? undefined : `until;${new Date(holdUntil).toISOString()}`;
  const request = holdRequest ?? until;
  return [
    ...(deliverBy === undefined ? [] : [`Deliver-By-Date: ${formatDate(deliverBy, zone)}`]),
    ...(request === undefined ? [] : [`Future-Release-Request: ${printable(request, false)}`]),
  ];
}

/** per-recipient-fields (RFC 3464 §2.3), in the order of the RFC. */
function recipientFields(recipient: ReportedRecipient, { original, zone }: DeliveryReport): string[] {
  const { utf8 } = original;
  const fields: string[] = [];
  if (recipient.originalRecipient !== null) {
    fields.push(`Original-Recipient: ${originalRecipient(recipient.originalRecipient, utf8)}`);
  }
  const type = isAscii(recipient.recipient) ? 'rfc822' : 'utf-8';
  fields.push(`Final-Recipient: ${type}; ${typedAddress(formatAddress(recipient.recipient), type, utf8)}`);
  fields.push(`Action: ${recipient.action}`, `Status: ${field(recipient.status)}`);
  if (recipient.remoteMta !== null) fields.push(`Remote-MTA: dns; ${mtaName(recipient.remoteMta)}`);
  if (recipient.reply !== null) fields.push(diagnosticCode(recipient.reply, utf8));
  if (recipient.lastAttempt !== null) fields.push(`Last-Attempt-Date: ${formatDate(recipient.lastAttempt, zone)}`);
  if (recipient.action === 'delayed' && recipient.willRetryUntil !== null) {
    fields.push(`Will-Retry-Until: ${formatDate(recipient.willRetryUntil, zone)}`);
  }
  return fields;
}

/** RFC 3461 §9.3: an address is a literal. */
function mtaName(host: string): string {
  const family = isIP(host);
  if (family === 0) return printable(host, false);
  return family === 6 ? `[IPv6:${host}]` : `[${host}]`;
}

/** `smtp; 550-5.1.1 … 550 5.1.1 …` (RFC 3464 §2.3.6, RFC 3461 §9.2): the reply as it was, folded by words. */
function diagnosticCode({ code, status, text }: Reply, utf8: boolean): string {
  const front = status === undefined ? '' : `${status} `;
  const lines = text.split('\n');
  const said = lines.map((line, at) => `${code}${at === lines.length - 1 ? ' ' : '-'}${front}${line}`);
  const words = printable(`smtp; ${said.join(' ')}`, utf8).split(' ');
  let line = 'Diagnostic-Code:';
  let folded = '';
  for (const word of words) {
    if (line.length + 1 + word.length > 76 && line.trim() !== 'Diagnostic-Code:') {
      folded += `${line}\r\n`;
      line = '   ';
    }
    line += ` ${word}`;
  }
  return folded + line;
}

/** ORCPT's `type;address`. */
function originalRecipient(orcpt: string, utf8: boolean): string {
  const semicolon = orcpt.indexOf(';');
  const type = orcpt.slice(0, Math.max(semicolon, 0)).toLowerCase();
  if (type === '') return `rfc822; ${printable(orcpt, utf8)}`;
  const address = orcpt.slice(semicolon + 1);
  const said = type === 'utf-8' ? decodeUtf8Address(address) : address;
  return `${printable(type, false)}; ${typedAddress(said, type, utf8)}`;
}

/** An address of type utf-8 stands as it is where that may be, and has a form for fields of ASCII (RFC 6533 §3). */
function typedAddress(address: string, type: string, utf8: boolean): string {
  return type === 'utf-8' && !utf8 ? field(utf8AddressXtext(address)) : printable(address, utf8);
}

/** An address in a header field or in the text. */
function shownAddress(address: Address, utf8: boolean): string {
  const text = formatAddress(address);
  return field(utf8 || isAscii(address) ? text : utf8AddressXtext(text));
}

/** Foreign text in one line; without what is not ASCII unless that may be. */
function printable(text: string, utf8: boolean): string {
  const line = field(text);
  return utf8 ? line : line.replace(/[^ -~]/gu, '?');
}

function field(text: string): string {
  return oneLine(text, LONGEST_FIELD);
}
