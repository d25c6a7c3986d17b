// Which fields of a header a signature covers (RFC 6376 §5.4), and how they are hashed: the "relaxed" canonicalization
// of header fields (RFC 6376 §3.4.2). In and out is binary text (formats/octets.ts).

import type { HeaderField } from '../../formats/header.ts';

/** RFC 6376 §5.4.1, with those that say what the body means, the one that RFC 8058 §4 wants signed, and the one by which a
 * message asks something of its hops (RFC 8689 §3), and those of a TLS report (RFC 8460 §5.3). */
const SIGNED: readonly string[] = [
  'from',
  'sender',
  'reply-to',
  'subject',
  'date',
  'message-id',
  'to',
  'cc',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'in-reply-to',
  'references',
  'resent-date',
  'resent-from',
  'resent-to',
  'resent-cc',
  'list-id',
  'list-help',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'list-subscribe',
  'list-post',
  'list-owner',
  'list-archive',
  'tls-required',
  'tls-report-domain',
  'tls-report-submitter',
];

/** RFC 6376 §8.15: named once more than they are there, so that one which somebody adds breaks the signature. Those that
 * tell a reader what this is; not Reply-To and the like, which a mailing list that leaves the rest alone may add. */
const OVERSIGNED: ReadonlySet<string> = new Set(['from', 'subject', 'date', 'to', 'cc', 'content-type']);

/** Fields of one name that are covered, and octets of all names. A message with more is no message but a heap, and its
 * signatures must fit what the store puts in front of a body. */
const MOST_OF_ONE = 4;
const MOST_NAMES = 560;

/** A field to hash; null for one that is named and not there (RFC 6376 §5.4). */
export interface SignedField {
  readonly name: string;
  readonly field: HeaderField | null;
}

/** The fields to sign in the order of `h=`: of several with one name the last comes first (RFC 6376 §5.4.2). */
export function signedFields(header: readonly HeaderField[]): readonly SignedField[] {
  const found = new Map<string, (HeaderField | null)[]>(SIGNED.map((name) => [name, []]));
  for (const field of header.toReversed()) {
    const same = found.get(field.name.toLowerCase());
    if (same !== undefined && same.length < MOST_OF_ONE) same.push(field);
  }
  // Where more are there than are named, one more name would mean the next of them.
  for (const [name, fields] of found) if (OVERSIGNED.has(name) && fields.length < MOST_OF_ONE) fields.push(null);
  const signed: SignedField[] = [];
  let octets = 0;
  for (const [name, fields] of found) {
    for (const field of fields) {
      octets += name.length + 1;
      if (octets > MOST_NAMES) return signed;
      signed.push({ name, field });
    }
  }
  return signed;
}

/**
 * A field as it is hashed, without its line end: the name in lower case, unfolded, runs of white space as one space, none
 * around the value.
 * @param text the whole field, with or without its CRLF
 */
export function relaxedField(text: string): string {
  const colon = text.indexOf(':');
  const name = text
    .slice(0, colon)
    .replace(/[ \t]+$/, '')
    .toLowerCase();
  const value = text
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '');
  return `${name}:${value}`;
}
