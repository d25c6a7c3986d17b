// Addresses as SMTP's envelope carries them (RFC 5321 §4.1.2, RFC 6531 §3.3). Values and their grammar only: who is
// local is the directory's business, lists of addresses in a header are address-list.ts's.

import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

/** A mailbox of RFC 5321 §4.1.2. `localPart` is unquoted and keeps its case; `domain` is lower case, in A-labels, or an
 * address literal with its brackets; it is empty only for the bare `<Postmaster>` (§4.1.1.3). */
export interface Address {
  readonly localPart: string;
  readonly domain: string;
}

/** The reverse-path of MAIL FROM; `null` is the null path `<>` (RFC 5321 §4.5.5). */
export type ReversePath = Address | null;

/** Octets, as written (RFC 5321 §4.5.3.1.2, RFC 1035 §2.3.4). The 64 of a local part in RFC 5321 §4.5.3.1.1 are what
 * everybody must take at least; senders that write another address into their own (VERP, SRS) need more. */
const ADDRESS_LIMITS = { localPart: 255, domain: 255, label: 63 } as const;

// Dot-string = Atom *("." Atom); atext is RFC 5322's, and any non-ASCII character but C1 controls (RFC 6531 §3.3).
const DOT_STRING = /^[\w!#$%&'*+\-/=?^`{|}~\u{a0}-\u{10ffff}]+(?:\.[\w!#$%&'*+\-/=?^`{|}~\u{a0}-\u{10ffff}]+)*$/u;
// The commonest mailboxes, without a second look: an ASCII Dot-string and a domain.
const PLAIN = /^([\w!#$%&'*+\-/=?^`{|}~]+(?:\.[\w!#$%&'*+\-/=?^`{|}~]+)*)@([a-zA-Z0-9][\w.-]*)$/;
// Quoted-string = DQUOTE *(qtextSMTP / quoted-pairSMTP) DQUOTE, then "@".
const QUOTED = /^"((?:[ !#-[\]-~\u{a0}-\u{10ffff}]|\\[ -~])*)"@/u;
// sub-domain = Let-dig [Ldh-str]. Wider than RFC 5321 §4.1.2: underscores stand in the names of real sending hosts.
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;
// What no address may hold: lone surrogates, the sign for octets that were no UTF-8, and line separators.
const UNFIT = /[\u{d800}-\u{dfff}\u{fffd}\u{2028}\u{2029}]/u;
const NON_ASCII = /[^\0-\x7f]/;

/**
 * A domain as Postern stores and compares it: lower case, U-labels as A-labels (RFC 5890 §2.3.2.1), literals with
 * their tag as registered. Returns '' for what cannot be a domain.
 */
export function normalizeDomain(domain: string): string {
  if (domain.startsWith('[')) return addressLiteral(domain);
  const ascii = NON_ASCII.test(domain) ? toALabels(domain) : domain.toLowerCase();
  if (ascii.length === 0 || ascii.length > ADDRESS_LIMITS.domain) return '';
  for (const label of ascii.split('.')) {
    if (label.length > ADDRESS_LIMITS.label || !LABEL.test(label)) return '';
  }
  return ascii;
}

/**
 * Reads a Mailbox (RFC 5321 §4.1.2), with UTF-8 local parts and U-labels (RFC 6531 §3.3). No angle brackets, no source
 * route, no comments, no bare Postmaster.
 * @returns null for anything else, also for one that is over ADDRESS_LIMITS
 */
export function parseMailbox(text: string): Address | null {
  const plain = PLAIN.exec(text);
  if (plain?.[1] !== undefined && plain[2] !== undefined) {
    if (plain[1].length > ADDRESS_LIMITS.localPart) return null;
    const domain = normalizeDomain(plain[2]);
    return domain === '' ? null : { localPart: plain[1], domain };
  }
  if (text.length > 2 * (ADDRESS_LIMITS.localPart + ADDRESS_LIMITS.domain)) return null;
  let localPart: string;
  let at: number;
  const quoted = QUOTED.exec(text);
  if (quoted?.[1] !== undefined) {
    at = quoted[0].length - 1;
    localPart = quoted[1].replace(/\\(.)/gu, '$1');
  } else {
    at = text.indexOf('@');
    localPart = text.slice(0, Math.max(at, 0));
    if (at < 1 || !DOT_STRING.test(localPart)) return null;
  }
  if (Buffer.byteLength(text.slice(0, at)) > ADDRESS_LIMITS.localPart || UNFIT.test(localPart)) return null;
  const domain = normalizeDomain(text.slice(at + 1));
  return domain === '' ? null : { localPart, domain };
}

/** The Mailbox as it is said and written (RFC 5321 §4.1.2): the local part is quoted where it must be. */
export function formatAddress(address: Address): string {
  const { localPart, domain } = address;
  const local = DOT_STRING.test(localPart) ? localPart : `"${localPart.replace(/["\\]/g, '\\$&')}"`;
  return domain === '' ? local : `${local}@${domain}`;
}

/** True where no SMTPUTF8 is needed to carry the address (RFC 6531 §3.2). */
export function isAscii(address: Address): boolean {
  return !NON_ASCII.test(address.localPart) && !NON_ASCII.test(address.domain);
}

/** U-labels to A-labels; '' where IDNA refuses. */
function toALabels(domain: string): string {
  if (domain.length > ADDRESS_LIMITS.domain) return '';
  // The function reads a URL's host: what has a meaning there must not reach it, and a number is no IPv4 address here.
  const ascii = /[\s%/\\?#@:[\]<>]/.test(domain) ? '' : domainToASCII(domain);
  return isIPv4(ascii) ? '' : ascii;
}

/** address-literal = "[" ( IPv4-address-literal / IPv6-address-literal ) "]" (RFC 5321 §4.1.3). No other tag is
 * registered. */
function addressLiteral(domain: string): string {
  if (!domain.endsWith(']')) return '';
  const inner = domain.slice(1, -1);
  if (isIPv4(inner)) return domain;
  const address = inner.slice(5);
  if (inner.slice(0, 5).toLowerCase() !== 'ipv6:' || !isIPv6(address) || address.includes('%')) return '';
  return `[IPv6:${address.toLowerCase()}]`;
}

/** The address of an unquoted local part and a domain, as a header's address list gives them; null if there is none. */
export function toAddress(localPart: string, domain: string): Address | null {
  if (localPart === '' || domain === '' || localPart.length > ADDRESS_LIMITS.localPart) return null;
  return parseMailbox(formatAddress({ localPart, domain }));
}
