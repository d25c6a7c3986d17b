// The configuration as a checked value: what the file and the environment say, in ms and octets, with every default
// filled in. The schema that makes one stands in schema.ts; nothing else reads the file.

import type { Role, TlsMode } from '../platform/listener.ts';
import type { Place } from './place.ts';

export interface ListenerConfig {
  readonly role: Role;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly tls: TlsMode;
  /** Cleartext or optional TLS on an access or submission port off loopback was asked for by name. */
  readonly cleartext: boolean;
  /** A transfer listener that is not on the public net may demand TLS or offer none. */
  readonly private: boolean;
  /** ms to wait for a client that talks before the greeting; 0: no wait (transfer only). */
  readonly earlyTalkerWait: number;
  /** Users may log in by a certificate of these authorities; null: they are not asked for one. */
  readonly clients: ClientAuthorities | null;
}

export interface ClientAuthorities {
  /** Absolute paths, one at least. */
  readonly files: readonly string[];
  /** Where they are named, for those that cannot be used. */
  readonly place: Place | null;
}

export interface AccountConfig {
  readonly address: string;
  readonly aliases: readonly string[];
  readonly password: string | null;
  readonly passwordHash: string | null;
  readonly quota: number | null;
  readonly place: Place | null;
}

/** How the hop to a route or smarthost is protected. With `implicit` and `verified` its certificate is checked. */
export type RouteTls = 'opportunistic' | 'required' | 'verified' | 'implicit' | 'implicit-unverified' | 'none';

/** How to log in at a smarthost. A file or command is asked at each login; paths are absolute. */
export interface LoginConfig {
  readonly user: string;
  /** The only mechanism that may be used; null: the best. */
  readonly mechanism: string | null;
  readonly secret:
    | { readonly kind: 'password'; readonly text: string }
    | { readonly kind: 'password-file' | 'token-file'; readonly path: string }
    | { readonly kind: 'token-command'; readonly command: readonly string[] };
}

export interface SmarthostConfig {
  readonly host: string;
  readonly port: number;
  readonly tls: RouteTls;
  /** null: it takes our mail without. */
  readonly login: LoginConfig | null;
}

/** Where the mail for a domain goes, whatever the DNS says: a host, or smarthosts, best first. */
export type RouteConfig = { readonly domain: string } & (
  | { readonly host: string; readonly port: number; readonly tls: RouteTls }
  | { readonly smarthosts: readonly SmarthostConfig[] }
);

export interface RelayConfig {
  /** Who takes all mail for others, best first; none: MX. */
  readonly smarthosts: readonly SmarthostConfig[];
  /** Absolute paths: authorities that are trusted beside the system's where a certificate is checked. */
  readonly authorities: readonly string[];
  /** Port of MX hosts: 25 but for tests. */
  readonly port: number;
  /** May an MX lead to a loopback or private address? */
  readonly loopback: boolean;
  /** Does mail wait where a destination is less protected than it was before? */
  readonly forbidDowngrade: boolean;
  readonly resolvers: readonly { readonly address: string; readonly port: number; readonly trusted: boolean }[];
  readonly routes: readonly RouteConfig[];
  /** Connections to one destination, and in all. */
  readonly perDestination: number;
  readonly concurrency: number;
}

export interface QueueConfig {
  /** ms before the 2nd, 3rd … try; the last repeats. */
  readonly retry: readonly number[];
  readonly expire: number;
  readonly warn: number;
}

/** How mail that users submit is signed. */
export interface DkimConfig {
  readonly enabled: boolean;
  /** Names of the keys under `_domainkey` of each of our domains. */
  readonly rsaSelector: string;
  readonly ed25519Selector: string;
}

/** Bounds that an operator may move; those that nobody should are constants beside their use. Octets, ms, counts. */
export interface LimitsConfig {
  readonly messageSize: number;
  readonly headerSize: number;
  readonly recipients: number;
  readonly connections: number;
  readonly connectionsPerSource: number;
  readonly literal: number;
  /** Entries of the queue above which nothing more is taken for other servers. */
  readonly queueEntries: number;
  /** Octets of the disk that mail leaves free (of a small one a quarter). */
  readonly diskFree: number;
}

/** How users prove who they are, on every port that knows them. */
export interface SaslConfig {
  /** Are SCRAM's -PLUS forms offered? */
  readonly channelBinding: boolean;
}

/** Whose tokens of OAuth 2.0 are taken for logins (OAUTHBEARER, XOAUTH2). */
export interface OauthConfig {
  /** As the tokens and the issuer's own documents have it, octet for octet. */
  readonly issuer: string;
  readonly source:
    | { readonly kind: 'jwks'; readonly url: string }
    | {
        readonly kind: 'introspection';
        readonly url: string;
        readonly clientId: string;
        readonly secret:
          | { readonly kind: 'text'; readonly text: string }
          | { readonly kind: 'file'; readonly path: string };
      };
  /** Whom a token must be for; null: whoever may ask the issuer about it. */
  readonly audience: string | null;
  /** What in a token is the address of its user. */
  readonly claim: string;
  /** What it must be good for, names with spaces between; null: whatever. */
  readonly scope: string | null;
  /** Absolute paths: authorities that are trusted beside the system's for the issuer's hosts. */
  readonly authorities: readonly string[];
}

/** What POP3 clients are told of the house's rules. */
export interface Pop3Config {
  /** ms from one login of an account to the next; 0: any. */
  readonly loginDelay: number;
  /** Whole days for which mail is kept at least; null: for ever. */
  readonly expire: number | null;
}

/** Messages of programs on this machine. */
export interface SendmailConfig {
  /** Of addresses that they write without one; null: ours. */
  readonly domain: string | null;
  /** Absolute path: where every user of the machine may leave messages; null: only who may write to `data`, within it. */
  readonly folder: string | null;
}

/** TLS reports (RFC 8460). */
export interface TlsReportsConfig {
  /** Are others told of the TLS sessions with their mail hosts, where they want to be? */
  readonly enabled: boolean;
  /** Who reports, as they read it. */
  readonly organization: string;
  /** For their questions, of one of our domains. */
  readonly contact: string;
  /** Where others report to us. `domain` null: at each of our domains. */
  readonly address: { readonly localPart: string; readonly domain: string | null };
}

export interface Config {
  readonly hostname: string;
  readonly domains: readonly string[];
  /** Absolute path. */
  readonly data: string;
  readonly tls: { readonly folder: string; readonly certificates: readonly string[]; readonly keys: readonly string[] };
  readonly listeners: readonly ListenerConfig[];
  readonly accounts: readonly AccountConfig[];
  readonly queue: QueueConfig;
  readonly relay: RelayConfig;
  readonly dkim: DkimConfig;
  readonly tlsReports: TlsReportsConfig;
  readonly limits: LimitsConfig;
  readonly submission: {
    /** Received: names the client's address. */
    readonly showClient: boolean;
    /** The longest that a message is held before it is sent, ms; 0: none is. */
    readonly maxHold: number;
  };
  readonly sasl: SaslConfig;
  /** null: no tokens are taken. */
  readonly oauth: OauthConfig | null;
  readonly imap: {
    /** Is there UNAUTHENTICATE? */
    readonly unauthenticate: boolean;
  };
  readonly pop3: Pop3Config;
  readonly sendmail: SendmailConfig;
  readonly test: { readonly catchAll: boolean; readonly anyPassword: boolean; readonly exposed: boolean };
  readonly log: { readonly level: string };
}
