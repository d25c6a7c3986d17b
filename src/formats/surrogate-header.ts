// A header that is internationalized (RFC 6532) made fit for a client that is not (RFC 6858): names, subjects and file
// names stay readable, addresses that such a client cannot write to become one that nobody can. Fields that are ASCII
// stay as they are, to the octet; of the message's own header only, since the parts are the body's.

import { formatAddress, isAscii, toAddress } from './address.ts';
import { type AddressEntry, parseAddressList } from './address-list.ts';
import { encodeWords } from './encoded-words.ts';
import { type HeaderField, parseHeaderText } from './header.ts';
import { asBuffer } from './octets.ts';
import { parseParameters } from './parameters.ts';

/** RFC 6858 §2.1. */
const NOBODY = 'invalid@internationalized-address.invalid';
/** The character of an octet that is not ASCII. */
const HIGH = /[\x80-\xff]/;
const FOLD = '\r\n ';

const ADDRESSES: ReadonlySet<string> = new Set([
  ...['from', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'return-path', 'delivered-to'],
  ...['resent-from', 'resent-sender', 'resent-reply-to', 'resent-to', 'resent-cc', 'resent-bcc'],
]);
const WITH_PARAMETERS: ReadonlySet<string> = new Set(['content-type', 'content-disposition']);
/** Human text (RFC 5322 §3.6.5), beside what begins with `X-`. */
const UNSTRUCTURED: ReadonlySet<string> = new Set(['subject', 'comments', 'content-description', 'thread-topic']);

/** @returns null: the header may go as it is, since it is ASCII, or is no UTF-8 and so of no such message */
export function surrogateHeader(header: Uint8Array): Buffer<ArrayBuffer> | null {
  const octets = asBuffer(header);
  const text = octets.toString('latin1');
  if (!HIGH.test(text) || !isUtf8(octets)) return null;
  const { fields, end } = parseHeaderText(text);
  // Lines that are no fields and not ASCII are left out, as is what cannot be said in ASCII (RFC 6858 §2.4).
  const written = fields.map((field) => {
    const raw = text.slice(field.offset, field.offset + field.length);
    return HIGH.test(raw) ? asciiField(field) : raw;
  });
  const empty = /^\r?\n$/.exec(text.slice(lastLine(text, end), end))?.[0] ?? '';
  return Buffer.from(written.join('') + empty, 'latin1');
}

/** Where the line begins that ends at `end`. */
function lastLine(text: string, end: number): number {
  return text.lastIndexOf('\n', end - 2) + 1;
}

function isUtf8(octets: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(octets);
    return true;
  } catch {
    return false;
  }
}

/** The field in ASCII, or nothing. */
function asciiField(field: HeaderField): string {
  const name = field.name.toLowerCase();
  const body = ADDRESSES.has(name)
    ? asciiAddresses(field.value)
    : WITH_PARAMETERS.has(name)
      ? asciiParameters(field.octets)
      : UNSTRUCTURED.has(name) || name.startsWith('x-')
        ? encodeWords(field.value).join(FOLD)
        : '';
  return body === '' || HIGH.test(field.name) ? '' : `${field.name}: ${body}\r\n`;
}

function asciiAddresses(value: string): string {
  const written: string[] = [];
  let separator = '';
  for (const entry of parseAddressList(value)) {
    if (entry.kind === 'end') {
      written.push(';');
      separator = `,${FOLD}`;
      continue;
    }
    written.push(separator + (entry.kind === 'group' ? `${phrase(entry.name)}:` : asciiMailbox(entry)));
    separator = entry.kind === 'group' ? ' ' : `,${FOLD}`;
  }
  return written.join('');
}

function asciiMailbox({ name, localPart, domain }: AddressEntry & { readonly kind: 'mailbox' }): string {
  const address = toAddress(localPart, domain);
  if (address !== null && isAscii(address)) {
    return name === '' ? formatAddress(address) : `${phrase(name)} <${formatAddress(address)}>`;
  }
  // RFC 6858 §2.1: what it was stands in the name.
  const was = localPart === '' ? '' : `${localPart}${domain === '' ? '' : `@${domain}`}`;
  return `${phrase(name === '' || was === '' ? name + was : `${name} <${was}>`)} <${NOBODY}>`;
}

/** phrase (RFC 5322 §3.2.5). */
function phrase(name: string): string {
  if (/[^\x20-\x7e]/.test(name)) return encodeWords(name).join(FOLD);
  return /^[\w!#$%&'*+\-/=?^`{|}~ ]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`;
}

/** RFC 2231 §4 for what is not ASCII. @param octets binary text */
function asciiParameters(octets: string): string {
  const { value, parameters } = parseParameters(octets);
  if (HIGH.test(value)) return '';
  const written = parameters
    .filter(([name]) => !HIGH.test(name))
    .map(([name, text]) => {
      if (name.endsWith('*')) return HIGH.test(text) ? '' : `${name}=${text}`;
      return HIGH.test(text) ? `${name}*=utf-8''${percented(text)}` : `${name}="${text.replace(/["\\]/g, '\\$&')}"`;
    });
  return [value, ...written.filter((each) => each !== '')].join(`;${FOLD}`);
}

/** attribute-char (RFC 2231 §7) as they are. */
function percented(octets: string): string {
  return octets.replace(/[^A-Za-z0-9!#$&+.^_`{|}~-]/g, (octet) => {
    return `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
