// How well a hop is protected, as values: what is known of the host, what the message wants, and what the two together
// demand of a connection. What is demanded is decided in decision.ts.

import type { RouteTls } from '../../config/config.ts';
import type { EnhancedStatus } from '../../formats/refusal.ts';
import type { TlsaRecord } from '../../platform/dns.ts';
import type { ClientTls } from '../../smtp/client/connection.ts';
import type { ProtectionLevel } from '../../store/rows.ts';
import type { StsPolicy } from './mta-sts-policy.ts';
import type { PolicyFailure } from './policy-fetch.ts';

/** Weakest first. `required`: encrypted, whoever the host is; `verified`: an operator wants its certificate checked. */
export type Rung = 'none' | 'opportunistic' | 'required' | 'mta-sts' | 'dane' | 'verified';

/** What the DNS says of a host's TLSA records (RFC 7672 §2.2). `none`: there are none, or nothing vouches for the way to
 * them; `found`: those that are published, and `records`, those of use among them, of which there may be none; `failed`:
 * bogus or unanswered, so that nobody knows. */
export type TlsaFacts =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'found';
      readonly base: string;
      readonly published: readonly TlsaRecord[];
      readonly records: readonly TlsaRecord[];
    }
  | { readonly kind: 'failed'; readonly text: string };

/** Are there TLSA records, and none of use? */
export function hasUselessTlsa({ tlsa }: Pick<ExchangeFacts, 'tlsa'>): boolean {
  return tlsa.kind === 'found' && tlsa.records.length === 0;
}

/** What is known of a host that the DNS has named, or an operator who leaves open how it is protected. */
export interface ExchangeFacts {
  /** The next-hop domain: whose mail host it is, lower case; or the host itself, which an operator has named. */
  readonly domain: string;
  /** Where its MX records are: the same, or the name at the end of its aliases. */
  readonly owner: string;
  /** DNSSEC vouches for the MX records, or for there being none; or an operator for the host. */
  readonly secure: boolean;
  readonly tlsa: TlsaFacts;
  /** RFC 8461: of the next-hop domain; null: none is in force. */
  readonly policy: StsPolicy | null;
  /** Why there is none although one is announced, by the names of RFC 8460 §4.3.2.2. */
  readonly policyFailure: PolicyFailure | null;
  /** The lines of that policy, or of what was there in its place, as they are written. */
  readonly declared: readonly string[];
  /** The best protection that the domain has shown lately; null: nothing is known. */
  readonly shown: ProtectionLevel | null;
  /** Is less than that refused? An operator says. */
  readonly forbidDowngrade: boolean;
}

export interface HostFacts {
  readonly name: string;
  /** The host is on this machine: nobody is in between. */
  readonly loopback: boolean;
  /** For a host that an operator has named; of the others `opportunistic`. */
  readonly tls: RouteTls;
  /** null: an operator has named the host, and said how it is protected. */
  readonly exchange: ExchangeFacts | null;
}

/** What the message wants (RFC 8689). */
export interface MessageWishes {
  /** REQUIRETLS of MAIL. */
  readonly requireTls: boolean;
  /** The header field `TLS-Required: No`: what receivers have published does not count. */
  readonly tlsOptional: boolean;
}

/** Who must vouch for the host's certificate. `authorities`: those that this machine trusts, for this name. */
export type Authentication =
  | { readonly by: 'nobody' }
  | { readonly by: 'authorities'; readonly name: string }
  | { readonly by: 'dane'; readonly records: readonly TlsaRecord[]; readonly names: readonly string[] };

/** The names of RFC 8460 §4.2 for what the receiver has published. */
export type PolicyType = 'tlsa' | 'sts' | 'no-policy-found';

/** What a connection must be. */
export interface Demand {
  readonly kind: 'demand';
  readonly rung: Rung;
  readonly tls: ClientTls;
  readonly authentication: Authentication;
  /** A certificate that fails is only reported (RFC 8461 §5, mode testing). */
  readonly testing: boolean;
  /** The host must promise the same for the rest of the way (RFC 8689 §4.2.1). */
  readonly requireTls: boolean;
  /** SNI: the TLSA base domain (RFC 7672 §3.2.1), or the host. */
  readonly serverName: string;
  readonly policy: PolicyType;
  /** What the policy already says no to, for the report: the host is not in it. */
  readonly mismatch: boolean;
  /** Connections with the same key are alike. */
  readonly key: string;
}

/** The host is not to be spoken to now. */
export interface Refused {
  readonly kind: 'refused';
  readonly rung: Rung;
  readonly policy: PolicyType;
  /** RFC 8460 §4.3, result-type; null: it is no affair of the receiver. */
  readonly failure: string | null;
  readonly status: EnhancedStatus;
  /** For people: what was demanded, and what there was. */
  readonly text: string;
}
