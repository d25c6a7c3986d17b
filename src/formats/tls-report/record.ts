// The TXT record by which a domain asks for TLS reports (RFC 8460 §3): `v=TLSRPTv1; rua=mailto:…,https://…`. Text in, the
// places to send to out.

import { type Address, isAscii, parseMailbox } from '../address.ts';

export type TlsReportPlace =
  | { readonly kind: 'mail'; readonly address: Address }
  | { readonly kind: 'https'; readonly url: string };

/** Places of one record that count: reports go to each, so nobody may name many who did not ask. */
const MAX_PLACES = 4;
/** Characters of one of them. */
const MAX_URI = 1_000;

/**
 * tlsrpt-record = tlsrpt-version 1*(field-delim tlsrpt-field) [field-delim]; fields that are not known are passed over, as
 * are places that cannot be read or have another scheme.
 * @param records all TXT records of `_smtp._tls` at the domain
 * @returns null: the domain wants no reports (none or several records, RFC 8460 §3)
 */
export function tlsReportPlaces(records: readonly string[]): readonly TlsReportPlace[] | null {
  const [only, ...more] = records.filter((record) => /^v=TLSRPTv1[ \t]*;/.test(record));
  if (only === undefined || more.length > 0) return null;
  const fields = only
    .split(';')
    .slice(1)
    .map((field) => field.trim());
  // tlsrpt-field = tlsrpt-rua / tlsrpt-extension: an attribute and a value, whatever they are.
  if (fields.some((field) => field !== '' && !/^[a-z0-9][a-z0-9_.-]{0,31}=[!-~ \t]+$/i.test(field))) return null;
  const rua = fields.find((field) => field.startsWith('rua='));
  if (rua === undefined) return null;
  const places = rua
    .slice('rua='.length)
    .split(',')
    .flatMap((uri) => placeOf(uri.trim()) ?? []);
  const seen = new Map(places.map((place) => [JSON.stringify(place), place]));
  return [...seen.values()].slice(0, MAX_PLACES);
}

function placeOf(uri: string): TlsReportPlace | null {
  if (uri.length > MAX_URI || !URL.canParse(uri)) return null;
  const url = new URL(uri);
  if (url.protocol === 'mailto:') {
    const address = decoded(url.pathname);
    const mailbox = address === null ? null : parseMailbox(address);
    return mailbox === null || mailbox.domain === '' || !isAscii(mailbox) ? null : { kind: 'mail', address: mailbox };
  }
  // Nobody says a password of theirs in the DNS, and nobody else's is said for them.
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') return null;
  url.hash = '';
  return { kind: 'https', url: url.href };
}

/** The addr-spec of a mailto URI (RFC 6068 §2); its header fields are not wanted. */
function decoded(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}
