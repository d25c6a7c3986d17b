// Questions to the DNS as the MTA asks them. Answers carry how long they hold and whether DNSSEC vouches for them, since
// the security of a hop is decided from both.

/** An answer. `secure`: validated by a resolver that is configured as trusted (AD bit, RFC 4035 §3.2.3), every alias on
 * the way included. `ttl` in seconds. No records and `exists: false` is NXDOMAIN; no records and `exists: true` is
 * NODATA. */
export interface DnsAnswer<T> {
  readonly records: readonly T[];
  /** Whose records they are: the name that was asked for, or the one at the end of its aliases (CNAME). */
  readonly owner: string;
  readonly exists: boolean;
  readonly secure: boolean;
  readonly ttl: number;
}

export interface MxRecord {
  readonly preference: number;
  /** Lower case, without the final dot; empty for the null MX (RFC 7505). */
  readonly exchange: string;
}

/** RFC 6698 §2.1: which certificate a service has. Values that mean nothing are kept, since they count as unusable. */
export interface TlsaRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matching: number;
  readonly data: Buffer;
}

/** SERVFAIL (also of what DNSSEC proves wrong), time-out, no resolver: nothing is known, so the caller defers. */
export class DnsFailure extends Error {
  override readonly name = 'DnsFailure';
}

/** Names are given and returned as A-labels without the final dot. Each method throws DnsFailure, and nothing else. */
export interface Dns {
  mx(domain: string): Promise<DnsAnswer<MxRecord>>;
  /** A records, as dotted text. */
  ipv4(name: string): Promise<DnsAnswer<string>>;
  /** AAAA records, as RFC 5952 text. */
  ipv6(name: string): Promise<DnsAnswer<string>>;
  /** TXT records, character-strings joined. */
  txt(name: string): Promise<DnsAnswer<string>>;
  tlsa(name: string): Promise<DnsAnswer<TlsaRecord>>;
  /** The alias at the name itself, not followed; none: it is no alias. */
  cname(name: string): Promise<DnsAnswer<string>>;
}
