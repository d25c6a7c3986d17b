// What the DNS says of a mail host's TLSA records, and whether it can be believed (RFC 7672 §2.1, §2.2.2, §2.2.3): only
// where DNSSEC vouches for the way to the host and for its address is it asked at all.

import { type Dns, DnsFailure } from '../../platform/dns.ts';
import { MAX_RECORDS, usableRecords } from './dane.ts';
import type { TlsaFacts } from './rung.ts';

/** What the address lookups of a host have told. */
export interface AddressFacts {
  /** DNSSEC vouches for the addresses, aliases included. */
  readonly secure: boolean;
  /** The name at the end of its aliases. */
  readonly owner: string;
}

const NONE: TlsaFacts = { kind: 'none' };

/**
 * @param host as the MX record names it, lower case
 * @param secure DNSSEC vouches for that record
 */
export async function tlsaOf(
  dns: Pick<Dns, 'tlsa' | 'cname'>,
  host: string,
  port: number,
  secure: boolean,
  address: AddressFacts,
): Promise<TlsaFacts> {
  if (!secure) return NONE;
  try {
    for (const base of await candidates(dns, host, address)) {
      const answer = await dns.tlsa(`_${port}._tcp.${base}`);
      if (answer.secure && answer.records.length > 0) {
        const published = answer.records.slice(0, MAX_RECORDS);
        return { kind: 'found', base, published, records: usableRecords(published) };
      }
    }
    return NONE;
  } catch (error) {
    if (!(error instanceof DnsFailure)) throw error;
    return { kind: 'failed', text: error.message };
  }
}

/** TLSA base domains in the order in which they count (RFC 7672 §2.2.3): where aliases lead if all of them are secure,
 * then the host itself. Names without secure addresses are not asked for: servers that do not know DNSSEC often do not
 * know TLSA either, and would answer with an error. */
async function candidates(
  dns: Pick<Dns, 'cname'>,
  host: string,
  { secure, owner }: AddressFacts,
): Promise<readonly string[]> {
  if (secure) return owner === host ? [host] : [owner, host];
  if (owner === host) return [];
  const alias = await dns.cname(host);
  return alias.secure && alias.records.length > 0 ? [host] : [];
}
