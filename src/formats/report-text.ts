// The part of a delivery report that people read (RFC 3464 §1.3, RFC 6522 §3): what happened, to whom, why, and what to
// do now. Plain words; lines end with LF here.

import type { Address } from './address.ts';
import { formatDate } from './date.ts';
import type { DeliveryReport, ReportAction, ReportedRecipient } from './report-facts.ts';

const SUBJECTS: Readonly<Record<ReportAction, string>> = {
  failed: 'Your message could not be delivered',
  delayed: 'Your message is delayed',
  delivered: 'Your message was delivered',
  relayed: 'Your message was passed on',
  expanded: 'Your message was sent on to a list',
};

const OPENINGS: Readonly<Record<ReportAction, string>> = {
  failed: 'Your message could not be delivered to the following, and will not be tried again:',
  delayed:
    'Your message has not reached the following yet. There is nothing that you need to do, and no need to send it again:',
  delivered: 'Your message was put into the mailbox of:',
  relayed: 'Your message was passed on for the following to another server, and you may not hear of it again:',
  expanded: 'Your message was sent on to the members of:',
};

/** Octets of what another server said, for people. */
const LONGEST_TEXT = 900;

/** Failures first: they are what needs a person. */
const ORDER: readonly ReportAction[] = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'];

/** Classes of RFC 3463 §3, the longest match counts. */
const ADVICE: Readonly<Record<string, string>> = {
  '1': 'Check the address for typing errors, or ask the recipient for the current one.',
  '1.8': 'The other side does not accept your own address. Ask your administrator for help.',
  '2': 'The mailbox does not take mail at present. Try again later, or reach the recipient in another way.',
  '2.2': 'The mailbox is full. Reach the recipient in another way, or try again later.',
  '2.3': 'The message is too large for this recipient. Send a smaller one, or a link in place of the attachment.',
  '3': 'The other server has a fault. Try again later.',
  '3.3': 'The other server cannot do what was asked for with this message. Send it again without that.',
  '3.4': 'The message is too large for the other server. Send a smaller one, or a link in place of the attachment.',
  '4': 'The other server could not be reached. Check what stands behind the @ for typing errors, or try again later.',
  '4.6': 'The message went round in a circle. Forward this report to the administrator of the other side.',
  '6': 'The other side cannot take this kind of content. Send it as plain text or in another format.',
  '6.7': 'The other side takes only ASCII in addresses, subjects and file names. Write it so, or to another address.',
  '7.4':
    'The other side must be reached encrypted, and could not be. Nothing was sent. Ask its administrator for help.',
  '7.5': 'The other side could not prove who it is. Nothing was sent. Ask its administrator for help.',
  '7.10':
    'The way to the other side is not protected as you asked. Send it without the demand for TLS, or in another way.',
  '7.30': 'Send it without the demand for TLS on the whole way, or reach the recipient in another way.',
  '7': 'The other side does not accept this message. Reach the recipient in another way, or ask their administrator.',
};

/** The subject tells the worst. */
export function reportSubject(recipients: readonly ReportedRecipient[]): string {
  const worst = ORDER.find((action) => recipients.some((recipient) => recipient.action === action));
  return SUBJECTS[worst ?? 'delivered'];
}

/** `shown` gives an address as this report may hold it. */
export function reportText(report: DeliveryReport, shown: (address: Address) => string): string {
  const paragraphs = [`This is the mail server ${report.reportingMta}.`];
  for (const action of ORDER) {
    const recipients = report.recipients.filter((recipient) => recipient.action === action);
    if (recipients.length === 0) continue;
    paragraphs.push(wrapped(OPENINGS[action], 0).join('\n'));
    for (const recipient of recipients) paragraphs.push(recipientText(recipient, report, shown));
  }
  const returned = report.original.returned === 'FULL' ? 'Your message' : 'The header of your message';
  paragraphs.push(`${returned} is attached, and the details for mail programs.`);
  return paragraphs.join('\n\n');
}

function recipientText(
  recipient: ReportedRecipient,
  { original, zone }: DeliveryReport,
  shown: (address: Address) => string,
): string {
  const lines = [`  <${shown(recipient.recipient)}>`];
  if (recipient.text !== '') lines.push(...wrapped(plain(recipient.text, original.utf8)));
  if (recipient.reply !== null) {
    const { code, status, text } = recipient.reply;
    const host = recipient.remoteMta === null ? 'The other server' : plain(recipient.remoteMta, false);
    const reply = plain(`${code} ${status === undefined ? '' : `${status} `}${text}`, original.utf8);
    lines.push(...wrapped(`${host} said: ${reply}`));
  }
  if (recipient.action === 'failed') lines.push(...wrapped(`What to do: ${adviceFor(recipient.status)}`));
  if (recipient.action === 'delayed' && recipient.willRetryUntil !== null) {
    lines.push(`    We go on trying until ${formatDate(recipient.willRetryUntil, zone)}.`);
  }
  return lines.join('\n');
}

function adviceFor(status: string): string {
  const [, subject = '', detail = ''] = status.split('.');
  return ADVICE[`${subject}.${detail}`] ?? ADVICE[subject] ?? 'Try again later, or reach the recipient in another way.';
}

/** Foreign text in one line; without what is not ASCII unless that may be. */
function plain(text: string, utf8: boolean): string {
  const line = oneLine(text, LONGEST_TEXT);
  return utf8 ? line : line.replace(/[^ -~]/gu, '?');
}

/** Foreign text without line ends and control characters, cut at this many octets of UTF-8. */
export function oneLine(text: string, octets: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(octets));
  return text
    .slice(0, read)
    .replace(/[\0-\x20\x7f-\x9f\u2028\u2029]+/g, ' ')
    .trim();
}

/** Lines of at most 78 characters where words allow it. */
function wrapped(text: string, indent = 4): string[] {
  const margin = ' '.repeat(indent);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > 78) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? margin + word : `${line} ${word}`;
  }
  return [...lines, line];
}
