// Trace fields (RFC 5321 §4.4): Received at each hop, Return-Path and Delivered-To at delivery, as header lines with
// their CRLF. What the peer said of itself is hostile: it appears only where it fits the grammar.

import { isIPv6 } from 'node:net';
import { type Address, formatAddress, normalizeDomain, type ReversePath } from './address.ts';
import { formatDate } from './date.ts';

/** The transmission type of a `with` clause: RFC 3848, RFC 6531 §4.3. */
export type TransmissionType = 'SMTP' | `ESMTP${'' | 'S'}${'' | 'A'}` | `UTF8SMTP${'' | 'S'}${'' | 'A'}`;

/** What a Received field says of one hop. */
export interface ReceivedFacts {
  /** The name of HELO or EHLO; null where there was none or it is not to be told. */
  readonly hello: string | null;
  /** The peer's IP address; null: not to be told. */
  readonly remoteAddress: string | null;
  /** Our host name. */
  readonly by: string;
  /** null: none, a program on this machine handed it over. */
  readonly protocol: TransmissionType | null;
  /** An Atom of letters, digits and `-`. */
  readonly id: string;
  /** What TLS protects the hop: version, IANA name of the cipher, size of its key. */
  readonly tls: { readonly protocol: string; readonly cipher: string; readonly bits: number } | null;
  /** The recipient, when there is exactly one: more would tell each of the others (RFC 5321 §7.6). */
  readonly recipient: Address | null;
  /** What MAIL asked for by MT-PRIORITY (RFC 6710 §4.1); absent: nothing. */
  readonly priority?: number | undefined;
  /** ms since the epoch, and the offset of our zone in minutes. */
  readonly time: number;
  readonly zone: number;
}

/** A line is folded before it would be longer than this (RFC 5322 §2.1.1). */
const LINE = 76;

export function transmissionType(hop: {
  readonly extended: boolean;
  readonly tls: boolean;
  readonly auth: boolean;
  readonly utf8: boolean;
}): TransmissionType {
  if (!hop.extended) return 'SMTP';
  return `${hop.utf8 ? 'UTF8SMTP' : 'ESMTP'}${hop.tls ? 'S' : ''}${hop.auth ? 'A' : ''}`;
}

/** A Received field (RFC 5321 §4.4), folded, with its CRLF; the TLS clause is that of RFC 8314 §4.3. */
export function receivedField(facts: ReceivedFacts): string {
  const clauses = [
    `from ${fromDomain(facts)}`,
    `by ${facts.by}`,
    ...(facts.protocol === null ? [] : [`with ${facts.protocol}`]),
    `id ${facts.id.replace(/[^\w-]/g, '')}`,
  ];
  if (facts.recipient !== null) clauses.push(`for <${oneLine(formatAddress(facts.recipient))}>`);
  if (facts.priority !== undefined) clauses.push(`PRIORITY ${facts.priority}`);
  if (facts.tls !== null) {
    const { protocol, cipher, bits } = facts.tls;
    clauses.push(`tls ${word(cipher)} (${word(protocol)} ${bits} bits)`);
  }
  clauses[clauses.length - 1] += ';';
  clauses.push(formatDate(facts.time, facts.zone));
  let field = 'Received:';
  let column = field.length;
  for (const clause of clauses) {
    const folds = column + 1 + clause.length > LINE && column > 'Received:'.length;
    field += folds ? `\r\n\t${clause}` : ` ${clause}`;
    // A tab is read as eight columns.
    column = (folds ? 8 : column + 1) + clause.length;
  }
  return `${field}\r\n`;
}

/** `Return-Path: <…>`, which the last hop writes in front (RFC 5321 §4.4). */
export function returnPathField(reversePath: ReversePath): string {
  return `Return-Path: <${reversePath === null ? '' : oneLine(formatAddress(reversePath))}>\r\n`;
}

/** `Delivered-To: …`, by which a delivery loop is known (RFC 9228 §3). */
export function deliveredToField(address: Address): string {
  return `Delivered-To: ${oneLine(formatAddress(address))}\r\n`;
}

/** Extended-Domain = Domain / ( Domain FWS "(" TCP-info ")" ) / ( address-literal FWS "(" TCP-info ")" ) */
function fromDomain({ hello, remoteAddress }: ReceivedFacts): string {
  // A zone (`%eth0`) means nothing to others and is no part of an IPv6-address-literal (RFC 5321 §4.1.3).
  const peer = remoteAddress?.replace(/%.*/s, '') ?? null;
  const literal = peer === null ? null : `[${isIPv6(peer) ? 'IPv6:' : ''}${peer}]`;
  const name = hello === null ? '' : normalizeDomain(hello);
  if (name !== '') return literal === null ? name : `${name} (${literal})`;
  // The name is no domain: what is left of it goes into a comment, where it harms nobody.
  const said = hello === null ? '' : word(hello);
  const comment = said === '' ? '' : ` (helo=${said})`;
  return `${literal === null ? 'localhost' : `${literal} (${literal})`}${comment}`;
}

/** What of a foreign word may stand in a comment or as an atom. */
function word(text: string): string {
  return text.slice(0, 64).replace(/[^\w.:-]/g, '?');
}

/** The grammar of an address lets no line end through; this holds even for one that was not parsed. */
function oneLine(text: string): string {
  return text.replace(/[\0\r\n]/g, '');
}
