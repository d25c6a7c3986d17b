// What the Message Store keeps, as the rest of Postern sees it: identities and rows. Values only; no SQL, no protocol.

import type { Address, ReversePath } from '../formats/address.ts';
import type { MailParameters, RcptParameters } from '../formats/envelope.ts';
import type { Reply } from '../formats/refusal.ts';
import type { TlsReportFailure } from '../formats/tls-report/report.ts';

declare const brand: unique symbol;
/** A number that must not be mixed with another kind of number. */
type Branded<Name extends string> = number & { readonly [brand]: Name };

export type AccountId = Branded<'AccountId'>;
export type MailboxId = Branded<'MailboxId'>;
export type BodyId = Branded<'BodyId'>;
/** RFC 9051 §2.3.1.1: 1 to 2^32 - 1, never reused within one UIDVALIDITY. */
export type Uid = Branded<'Uid'>;
/** RFC 7162 §3.1: rises with every change of a mailbox, across the whole store. */
export type ModSeq = Branded<'ModSeq'>;
/** Numbers the transactions of the store, in order. A read tells which one it saw. */
export type Commit = Branded<'Commit'>;
/** One session's open view of a mailbox; lives as long as the process. */
export type ViewId = Branded<'ViewId'>;
export type TransitId = Branded<'TransitId'>;
export type EntryId = Branded<'EntryId'>;

/** System flags as bits of one number (RFC 9051 §2.3.2). \Recent is a property of a session, not of a message. */
export const Flag = { Seen: 1, Answered: 2, Flagged: 4, Deleted: 8, Draft: 16 } as const;

/** Special-use attributes of RFC 6154 §2, without the backslash. */
export type SpecialUse = 'All' | 'Archive' | 'Drafts' | 'Flagged' | 'Junk' | 'Sent' | 'Trash';

/** How a password is kept: set once, in every form that a mechanism needs (a SCRAM verifier cannot be made later). */
export interface PasswordRecord {
  /** PHC string `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
  readonly argon2id: string;
  /** RFC 5803 form `iterations:salt$StoredKey:ServerKey` (base64), or null where only a hash was given. */
  readonly scramSha1: string | null;
  readonly scramSha256: string | null;
}

export interface AccountRow {
  readonly id: AccountId;
  /** Primary address, `local@domain`. */
  readonly address: string;
  readonly aliases: readonly string[];
  /** null: cannot log in by password (with `any_password` it still can). */
  readonly password: PasswordRecord | null;
  /** Octets allowed; null: no limit. */
  readonly quota: number | null;
  readonly usedOctets: number;
  readonly usedMessages: number;
  /** True for an account that the configuration file seeds: verbs refuse to change it. */
  readonly seeded: boolean;
}

/** A mailbox as lists have it: one of very many. */
export type ListedMailbox = Omit<MailboxRow, 'keywords'>;

export interface MailboxRow {
  readonly id: MailboxId;
  readonly account: AccountId;
  /** UTF-8, hierarchy by `/`; `INBOX` in this case. */
  readonly name: string;
  /** False for a name that exists only because it has children (RFC 3501 §6.3.4). */
  readonly selectable: boolean;
  readonly subscribed: boolean;
  readonly specialUse: SpecialUse | null;
  readonly uidValidity: number;
  readonly uidNext: Uid;
  readonly highestModSeq: ModSeq;
  readonly messages: number;
  readonly unseen: number;
  readonly deleted: number;
  /** Messages with a UID from here on are \Recent to the next session that selects. */
  readonly recentFrom: Uid;
  /** Sum of RFC822.SIZE, octets. */
  readonly octets: number;
  /** RFC 8474 MAILBOXID. */
  readonly objectId: string;
  /** Keywords in use in this mailbox, in the order in which they appeared. */
  readonly keywords: readonly string[];
}

/** What there is to a name in an account, also to one of no mailbox. */
export interface AboutName {
  readonly hasChildren: boolean;
  readonly isSubscribed: boolean;
}

/** One entry of an access control list (RFC 4314 §2): letters, sorted. The identifier is a primary address or what the
 * protocol has beside these. */
export interface RightRow {
  readonly identifier: string;
  readonly rights: string;
}

/** A mailbox that another account holds: `owner` is its primary address. */
export interface SharedRow {
  readonly mailbox: ListedMailbox;
  readonly owner: string;
  readonly rights: readonly RightRow[];
}

/** One annotation, without its value: what everybody sees who may see the mailbox, or one account alone. */
export interface AnnotationHead {
  /** Lower case, with its prefix. */
  readonly entry: string;
  readonly shared: boolean;
  readonly octets: number;
}

export interface MessageRow {
  readonly uid: Uid;
  readonly body: BodyId;
  /** Header lines in front of the body that only this recipient has (Return-Path, Delivered-To); octets. */
  readonly prefix: Uint8Array;
  /** Octets of prefix and body: RFC822.SIZE. */
  readonly size: number;
  /** The same as whole lines, each ended by CRLF (formats/line-ends.ts). */
  readonly lineSize: number;
  /** Octets of prefix and body header, with the empty line that ends it. */
  readonly headerSize: number;
  /** ms since the epoch; offset of the zone it was given in, minutes. */
  readonly internalDate: number;
  readonly internalZone: number;
  /** RFC 8514, ms. */
  readonly saveDate: number;
  readonly modSeq: ModSeq;
  readonly flags: number;
  readonly keywords: readonly string[];
  /** RFC 8474. */
  readonly emailId: string;
  readonly threadId: string;
  /** True: expunged, and readable only by views that have not been told. */
  readonly expunged: boolean;
}

/** A message in short: what sorting and the search index need of it, beside what is derived of its body. */
export interface OutlineRow {
  readonly uid: Uid;
  readonly body: BodyId;
  readonly size: number;
  readonly internalDate: number;
  /** As in `MessageRow`; null: there is none. */
  readonly prefix: Uint8Array | null;
}

/** What a body's header says, as far as the store needs it: computed by whoever accepts the message. */
export interface BodyFacts {
  /** Octets of the header, with the empty line. */
  readonly headerSize: number;
  /** Without angle brackets; null if absent or unusable. */
  readonly messageId: string | null;
  /** In-Reply-To and References, oldest first, at most 50. */
  readonly references: readonly string[];
}

/** One message on its way out: what its queue entries share. */
export interface TransitRow {
  readonly id: TransitId;
  readonly body: BodyId;
  /** Octets in front of the body (none today; a filter may add some). */
  readonly prefix: Uint8Array;
  readonly size: number;
  readonly headerSize: number;
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  /** The id that the message has had in the log since its session. */
  readonly messageId: string;
  readonly origin: TransitOrigin;
  readonly createdAt: number;
}

/** Accepted from whom, how: for `queue show`. */
export interface TransitOrigin {
  readonly role: 'submission' | 'transfer' | 'local';
  readonly session: string;
  readonly remoteAddress: string | null;
  readonly localPort: number | null;
  readonly account: AccountId | null;
  /** The account's address when it submitted. */
  readonly user?: string;
  /** Such as `TLSv1.3 TLS_AES_256_GCM_SHA384`, or null. */
  readonly tls: string | null;
}

/** An MTA-STS policy that is in force for a domain (RFC 8461). */
export interface StsPolicyRow {
  /** Lower case. */
  readonly domain: string;
  /** Of the TXT record that announced it. */
  readonly id: string;
  /** As it was fetched. */
  readonly policy: string;
  readonly fetchedAt: number;
  readonly expiresAt: number;
}

/** The best protection that a destination has shown, in the order of `PROTECTION_LEVELS`. */
export interface ShownProtectionRow {
  readonly domain: string;
  readonly level: ProtectionLevel;
  readonly seenAt: number;
}

/** Weakest first. `encrypted`: TLS with whoever was there; the others name who vouched for the certificate. */
export const PROTECTION_LEVELS = ['clear', 'encrypted', 'mta-sts', 'dane'] as const;
export type ProtectionLevel = (typeof PROTECTION_LEVELS)[number];

/** TLS sessions with one host of a receiver that had one outcome on one day. */
export interface TlsResultRow {
  /** UTC, as `2026-01-31`. */
  readonly day: string;
  /** Whose policy it is: the next-hop domain. */
  readonly domain: string;
  /** `tlsa`, `sts` or `no-policy-found`. */
  readonly policy: string;
  /** Where it is published: the next-hop domain, or the TLSA base domain of the host. */
  readonly policyDomain: string;
  /** The lines of the policy, or the TLSA records. */
  readonly policyText: readonly string[];
  /** Name and address; empty: the policy itself could not be had, and no host was spoken to. */
  readonly host: string;
  readonly address: string;
  /** Our own address; null: not known. */
  readonly sender: string | null;
  /** The result type of RFC 8460 §4.3; null: a success. */
  readonly failure: string | null;
  /** More on a failure that can have many reasons. */
  readonly reason: string | null;
  readonly sessions: number;
}

/** A TLS report that is still to be handed over by HTTPS (RFC 8460 §5.4). */
export interface TlsReportPostRow {
  readonly id: number;
  readonly day: string;
  readonly domain: string;
  readonly url: string;
  /** JSON, by gzip. */
  readonly report: Uint8Array;
  readonly madeAt: number;
  readonly attempts: number;
}

/** What somebody has reported of TLS sessions with our mail hosts: one policy of one report. */
export interface ReceivedTlsPolicyRow {
  readonly organization: string;
  readonly contact: string;
  /** The domain whose signature the report has. */
  readonly signer: string;
  readonly reportId: string;
  /** Its place in the report, from 0. */
  readonly position: number;
  /** The time that it is about, and when it came, ms since the epoch. */
  readonly startAt: number;
  readonly endAt: number;
  readonly receivedAt: number;
  readonly policy: string;
  readonly domain: string;
  readonly policyText: readonly string[];
  readonly mxHosts: readonly string[];
  readonly successes: number;
  readonly failures: number;
  readonly details: readonly TlsReportFailure[];
}

/** How well a try was protected, in the terms of RFC 8460 §4. */
export interface HopSecurity {
  /** `none`, `opportunistic`, `required`, `mta-sts`, `dane` or `verified`. */
  readonly rung: string;
  /** What the receiver has published: `tlsa`, `sts` or `no-policy-found`. */
  readonly policy: string;
  /** The next-hop domain; null: an operator has named the host. */
  readonly domain: string | null;
  /** Who vouched for the certificate (`dane-ee`, `dane-ta`, `authorities`), or what was wrong with it; null: nobody
   * looked. */
  readonly certificate: string | null;
  /** The result type of RFC 8460 §4.3; null: nothing failed that a report tells of. */
  readonly failure: string | null;
  /** More on a failure that can have many reasons. */
  readonly reason?: string;
  /** The best that the domain had shown before, where this was less. */
  readonly before?: ProtectionLevel;
}

/** One try to hand an entry to the next hop. */
export interface Attempt {
  readonly at: number;
  /** Name and address of the host that was tried, or null if none was found. */
  readonly host: string | null;
  readonly address: string | null;
  readonly tls: string | null;
  /** Absent: no host was tried. */
  readonly security?: HopSecurity;
  readonly reply: Reply | null;
  readonly text: string;
  /** What was said, for the first try and the last ones. */
  readonly transcript?: readonly string[];
}

/** `held`: by its id; `suspended`: with everything for its destination. */
export type EntryState = 'waiting' | 'held' | 'suspended';

/** One recipient of one transit. */
export interface EntryRow {
  readonly id: EntryId;
  readonly transit: TransitId;
  readonly recipient: Address;
  readonly parameters: RcptParameters;
  /** The recipient's domain, lower case: what entries are grouped by. */
  readonly destination: string;
  /** Only what waits is tried, warned of or given up; what is held or suspended waits for an operator. */
  readonly state: EntryState;
  readonly attempts: number;
  readonly createdAt: number;
  readonly nextAt: number;
  readonly expiresAt: number;
  /** When a delay is to be reported; null: already reported, or not wanted. */
  readonly warnAt: number | null;
  readonly last: Attempt | null;
}
