// Records of the DNS as values: what the resolver reads out of an answer, each checked, since an answer is somebody
// else's text. A record that makes no sense is null and left out.

import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import type { DecodedPacket, ResourceRecord } from 'dns-packet';
import type { MxRecord, TlsaRecord } from './dns.ts';

/** RFC 1035 §2.3.4: 63 octets a label, 253 characters as text. Underscores occur in names that are no host's. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Can this be asked for? Lower case, A-labels, no final dot. */
export function isName(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => LABEL.test(label));
}

/** A domain name in record data: lower case, without the final dot; the root is empty. */
export function domainText(data: unknown): string | null {
  return typeof data === 'string' ? data.toLowerCase().replace(/\.$/, '') : null;
}

export function mxRecord(data: unknown): MxRecord | null {
  if (typeof data !== 'object' || data === null || !('preference' in data && 'exchange' in data)) return null;
  const exchange = domainText(data.exchange);
  return exchange !== null && typeof data.preference === 'number' ? { preference: data.preference, exchange } : null;
}

/** An address in its canonical text (RFC 5952 for IPv6). */
export function addressText(data: unknown, family: 4 | 6): string | null {
  if (typeof data !== 'string') return null;
  if (family === 4) return isIPv4(data) ? data : null;
  return isIPv6(data) ? new SocketAddress({ address: data, family: 'ipv6' }).address : null;
}

/** RFC 6698 §2.1. */
export function tlsaRecord(data: unknown): TlsaRecord | null {
  if (typeof data !== 'object' || data === null) return null;
  if (!('usage' in data && 'selector' in data && 'matchingType' in data && 'certificate' in data)) return null;
  const { usage, selector, matchingType, certificate } = data;
  if (typeof usage !== 'number' || typeof selector !== 'number' || typeof matchingType !== 'number') return null;
  // A copy: what was decoded is a part of the whole packet.
  return Buffer.isBuffer(certificate)
    ? { usage, selector, matching: matchingType, data: Buffer.from(certificate) }
    : null;
}

/** The character-strings of a TXT record, joined (RFC 7208 §3.3). */
export function text(data: unknown): string | null {
  const parts = Array.isArray(data) ? data : [data];
  return parts.every((part) => part instanceof Uint8Array) ? Buffer.concat(parts).toString('utf8') : null;
}

/** Seconds. RFC 2181 §8: a value with the top bit set counts as zero. */
export function ttlOf({ ttl = 0 }: ResourceRecord): number {
  return ttl > 0x7fff_ffff ? 0 : ttl;
}

/** How long a "there is none" holds, by the SOA that came with it (RFC 2308 §5); null: no SOA came. */
export function negativeTtl(packet: DecodedPacket): number | null {
  const soa = packet.authorities.find((record) => record.type === 'SOA');
  if (soa === undefined) return null;
  const data = soa.data as { readonly minimum?: unknown } | undefined; // as dns-packet decodes SOA; checked below
  return typeof data?.minimum === 'number' ? Math.min(ttlOf(soa), data.minimum) : ttlOf(soa);
}
