// A SASL exchange seen from the server (RFC 4422 §3): responses in, challenges out, until it ends in what the client
// claims or in a refusal. A mechanism knows no transport (base64 and `+ ` are the protocol's) and checks no password.

import type { ScramHash, ScramVerifier } from '../formats/scram.ts';

/** A name and a password, which the directory checks. Never logged. */
export interface PasswordClaim {
  readonly kind: 'password';
  readonly mechanism: string;
  readonly username: string;
  readonly password: string;
}

/** A name whose password the client was to show that it knows, and has not: for the directory to count. */
export interface UnprovenClaim {
  readonly kind: 'unproven';
  readonly mechanism: string;
  readonly username: string;
}

/** An account for which somebody else has vouched, whom the directory believes. */
export interface AccountClaim {
  readonly kind: 'account';
  readonly mechanism: string;
  /** The directory's number of it. */
  readonly account: number;
}

/** What a mechanism ends with. */
export type Claim = PasswordClaim | UnprovenClaim | AccountClaim;

/** The answer to one response. `refused`: not what the mechanism's grammar allows; `reason` is for the log and holds
 * nothing that the client sent. */
export type Step =
  | { readonly kind: 'challenge'; readonly challenge: Buffer }
  | { readonly kind: 'claim'; readonly claim: Claim }
  | { readonly kind: 'refused'; readonly reason: string };

/** One exchange under way. Not to be used again once a step was no challenge. */
export interface Exchange {
  /** Takes the client's response; null at the start for a client that sent no initial response (RFC 4422 §3.3), which
   * differs from an empty one. Rejects only where the surroundings do. */
  step(response: Uint8Array | null): Step | Promise<Step>;
}

/** By their names in the IANA registry. */
export const CHANNEL_BINDINGS = ['tls-exporter', 'tls-unique', 'tls-server-end-point'] as const;

/** What an exchange can bind itself to (RFC 5056): the octets of a channel binding by its name, null for one that this
 * connection does not have. */
export type ChannelBindings = (name: (typeof CHANNEL_BINDINGS)[number]) => Buffer | null;

/** What is kept of a password, and the word of who keeps it on a client that has shown to know it. */
export interface KeptVerifier extends ScramVerifier {
  /** The directory's number of the account. To be asked before the client is told that it is right: rejects where that is
   * no longer kept, or where it may not be told now. */
  confirm(): Promise<number>;
}

/** `error` is for the client (RFC 6750 §3.1), `reason` for the log; it holds nothing of the token. */
export interface TokenRefusal {
  readonly kind: 'refused';
  readonly error: 'invalid_token' | 'insufficient_scope';
  readonly reason: string;
}

export type TokenVerdict = { readonly kind: 'account'; readonly account: number } | TokenRefusal;

/** Who checks tokens of OAuth 2.0. */
export interface TokenDesk {
  /** What a token must be good for; null: whatever. */
  readonly scope: string | null;
  /** URL of the document that says where tokens are to be had (RFC 7628 §3.2.2). */
  readonly configuration: string;
  /** @param username whose account it must be; null: whoever the token is for */
  check(token: string, username: string | null): Promise<TokenVerdict>;
}

/** Whose a certificate is; `reason` is for the log. */
export type CertificateVerdict =
  | { readonly kind: 'account'; readonly account: number }
  | { readonly kind: 'refused'; readonly reason: string };

/** Where an exchange takes place. */
export interface Surroundings {
  /** null: the connection is in clear, or none is to be offered. */
  readonly bindings: ChannelBindings | null;
  /** What is kept for a name; made up, and the same each time, for a name that is nobody's. null: passwords are not
   * checked here, so nobody can prove to know one. */
  readonly verifier: ((username: string, hash: ScramHash) => Promise<KeptVerifier>) | null;
  /** null: no tokens are taken here. */
  readonly tokens: TokenDesk | null;
  /** Whose is the certificate that the client has shown? `username` is whose it should be, null: whoever's. null: it has
   * shown none for which an authority vouches. */
  readonly certificate: ((username: string | null) => Promise<CertificateVerdict>) | null;
  /** Printable ASCII without a comma, never said before (RFC 5802 §5.1). */
  readonly nonce: () => string;
}

/** A mechanism by its name in the IANA registry. */
export interface Mechanism {
  readonly name: string;
  /** Can it be had here? */
  offered(surroundings: Surroundings): boolean;
  start(surroundings: Surroundings): Exchange;
}

/** A name or a password may have this many octets. RFC 4616 §2 demands 255 at least. */
const OCTETS_MAX = 1024;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a name or password, of at most `max` octets; undefined if it is empty, too long, not UTF-8, or has a NUL, which a store that
 * keeps C strings would cut. */
export function decodeText(octets: Uint8Array, max = OCTETS_MAX): string | undefined {
  if (octets.length === 0 || octets.length > max || octets.includes(0)) return undefined;
  try {
    return decoder.decode(octets);
  } catch {
    return undefined;
  }
}

export function refused(reason: string): Step {
  return { kind: 'refused', reason };
}
