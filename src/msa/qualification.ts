// Addresses without a domain in a header that a local program wrote (`To: root`): they mean somebody of this machine, which
// nobody beyond it would know (RFC 6409 §8.2). Fields that need nothing stay as they are, to the octet.

import { encodeWord, encodeWords, foldLines } from 'nodemailer/lib/mime-funcs';
import type { Config } from '../config/config.ts';
import { type Address, formatAddress, toAddress } from '../formats/address.ts';
import { type AddressEntry, parseAddressList } from '../formats/address-list.ts';
import type { HeaderField } from '../formats/header.ts';

const FIELDS: ReadonlySet<string> = new Set([
  ...['from', 'sender', 'reply-to', 'to', 'cc', 'bcc'],
  ...['resent-from', 'resent-sender', 'resent-to', 'resent-cc', 'resent-bcc'],
]);
/** Octets of a field that is looked at. */
const MAX_FIELD = 64 * 1024;

/** The domain that short addresses get: the one that is configured; or this host's name where its mail is ours, so that
 * answers come back; or the first of our domains. */
export function originOf(config: Pick<Config, 'hostname' | 'domains' | 'sendmail'>): string {
  const { hostname, domains, sendmail } = config;
  return sendmail.domain ?? (domains.includes(hostname) ? hostname : (domains[0] ?? hostname));
}

/** An address of a list, with `domain` where it has none; null if it is none. */
function qualified(entry: AddressEntry & { readonly kind: 'mailbox' }, domain: string): Address | null {
  return toAddress(entry.localPart, entry.domain === '' ? domain : entry.domain);
}

/** The field with full addresses and with ASCII names, in CRLF lines; null: it may stay as it is. */
export function qualifiedField(field: HeaderField, domain: string): string | null {
  if (field.length > MAX_FIELD || !FIELDS.has(field.name.toLowerCase())) return null;
  const entries = parseAddressList(field.value);
  const needs = (entry: AddressEntry) => entry.kind === 'mailbox' && (isBare(entry) || !isAscii(entry.name));
  if (!entries.some(needs)) return null;
  const written: string[] = [];
  for (const entry of entries) {
    // A group's name and end cannot be put into words again without care; mail programs write none.
    if (entry.kind !== 'mailbox') return null;
    const address = needs(entry) ? qualified(entry, domain) : null;
    if (address === null) written.push(entry.raw);
    else if (entry.name === '') written.push(formatAddress(address));
    else written.push(`${displayName(entry.name)} <${formatAddress(address)}>`);
  }
  return `${field.name}: ${written.join(',\r\n\t')}\r\n`;
}

/** A subject that is not ASCII as encoded words (RFC 2047 §5), folded; null: it may stay as it is. */
export function asciiSubject(field: HeaderField): string | null {
  if (!field.is('subject') || field.length > MAX_FIELD || isAscii(field.octets)) return null;
  return `${foldLines(`${field.name}: ${encodeWords(field.value, 'Q', 52)}`, 76)}\r\n`;
}

function isBare({ localPart, domain }: AddressEntry & { readonly kind: 'mailbox' }): boolean {
  return localPart !== '' && domain === '';
}

/** A display name: as it is where it is made of atoms (RFC 5322 §3.2.5), quoted, or as encoded words (RFC 2047 §5). */
export function displayName(name: string): string {
  const clean = name.replace(/[\0\r\n]+/g, ' ').trim();
  if (!isAscii(clean)) return encodeWord(clean, 'Q', 60);
  return /^[\w!#$%&'*+\-/=?^`{|}~ ]+$/.test(clean) ? clean : `"${clean.replace(/["\\]/g, '\\$&')}"`;
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}
