// A write is a command: a plain value that names what to do. The store thread executes it by a synchronous function,
// inside one transaction with whatever else was waiting; its promise resolves after that transaction is on disk.

import type { Address, ReversePath } from '../formats/address.ts';
import type { MailParameters, RcptParameters } from '../formats/envelope.ts';
import type {
  AccountId,
  Attempt,
  BodyFacts,
  EntryId,
  MailboxId,
  ModSeq,
  PasswordRecord,
  ReceivedTlsPolicyRow,
  ShownProtectionRow,
  SpecialUse,
  StsPolicyRow,
  TlsResultRow,
  TransitOrigin,
  Uid,
  ViewId,
} from './rows.ts';

/** A body that has been staged: `stage` names chunks already handed over (null: none), `tail` the octets that travel
 * with the command. Made by `Staging.finish()`; good for one command. */
export interface StagedBody {
  readonly stage: number | null;
  readonly tail: Uint8Array<ArrayBuffer>;
  /** All octets. */
  readonly size: number;
  /** Octets that it lacks to be whole lines (formats/line-ends.ts). */
  readonly lacking: number;
}

/** A message for one local mailbox. */
export interface Delivery {
  readonly account: AccountId;
  /** Mailbox name; one that does not exist (any more) becomes INBOX. */
  readonly mailbox: string;
  readonly prefix: Uint8Array;
  readonly flags: number;
  readonly keywords: readonly string[];
  readonly internalDate: number;
}

/** A message for the queue. */
export interface Dispatch {
  readonly prefix: Uint8Array;
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly origin: TransitOrigin;
  readonly entries: readonly {
    readonly recipient: Address;
    readonly parameters: RcptParameters;
    readonly destination: string;
    readonly nextAt: number;
    readonly expiresAt: number;
    readonly warnAt: number | null;
  }[];
}

/** One body, all its local deliveries and its queue entries: durable together or not at all. */
export interface Accept {
  readonly kind: 'accept';
  readonly body: StagedBody;
  readonly facts: BodyFacts;
  readonly messageId: string;
  readonly now: number;
  readonly deliveries: readonly Delivery[];
  readonly dispatch: Dispatch | null;
  /** A second one with the same key does nothing, until the key is forgotten. */
  readonly once?: string;
}

/** What becomes of an entry after a try. `done` and `failed` remove it. */
export interface Settlement {
  readonly entry: EntryId;
  /** null: nothing was tried (a warning fell due), or nothing is left that could remember it. */
  readonly attempt: Attempt | null;
  readonly then:
    | { readonly kind: 'done' }
    | { readonly kind: 'failed' }
    /** `nextAt` null: as it stands. An operator who has made the entry due since `attempt` outranks it. */
    | { readonly kind: 'retry'; readonly nextAt: number | null; readonly warnAt: number | null };
}

export interface Appended {
  readonly body: StagedBody;
  readonly facts: BodyFacts;
  readonly flags: number;
  readonly keywords: readonly string[];
  readonly internalDate: number;
  readonly internalZone: number;
}

/** Some flags: bits of `Flag`, and whether keywords belong to them. */
export interface FlagScope {
  readonly flags: number;
  readonly keywords: boolean;
}

/** COPY and MOVE: all of `uids` that still stand, or none. */
interface Transfer<K extends 'copy' | 'move'> {
  readonly kind: K;
  readonly from: MailboxId;
  readonly uids: readonly Uid[];
  readonly to: MailboxId;
  readonly now: number;
  readonly view: ViewId | null;
  /** Flags that the copies keep. Absent: all. */
  readonly keep?: FlagScope;
  /** \Seen of the messages, or of their copies, is this account's own, which does not hold that mailbox. */
  readonly seenFrom?: AccountId | null;
  readonly seenTo?: AccountId | null;
}

/** `view` on a command that changes messages is its origin, and `origin` on one that changes mailboxes: told to followers,
 * so that a session knows its own echo. */
export type Command =
  | Accept
  | {
      readonly kind: 'settle';
      readonly settlements: readonly Settlement[];
      readonly reports: readonly Accept[];
      /** Failures that their sender could not be told of; counted for `queue status`. */
      readonly doubleBounces?: number;
    }
  | {
      readonly kind: 'append';
      readonly mailbox: MailboxId;
      readonly now: number;
      readonly messages: readonly Appended[];
      /** RFC 8508: this message goes when they come, of any mailbox; where it does not stand, nothing is done. */
      readonly replaces?: { readonly mailbox: MailboxId; readonly uid: Uid };
      readonly view: ViewId | null;
      /** \Seen is this account's own, which does not hold the mailbox. */
      readonly seenTo?: AccountId | null;
      readonly origin?: string;
    }
  | {
      readonly kind: 'flags';
      readonly mailbox: MailboxId;
      readonly uids: readonly Uid[];
      readonly mode: 'add' | 'remove' | 'replace';
      readonly flags: number;
      readonly keywords: readonly string[];
      /** RFC 7162 §3.1.3; null: unconditional. */
      readonly unchangedSince: ModSeq | null;
      /** What may be changed at all; the rest stays as it is. Absent: everything. */
      readonly only?: FlagScope;
      /** \Seen is this account's own, which does not hold the mailbox. */
      readonly seenBy?: AccountId | null;
      /** What a view may still know can be changed, though it was expunged. */
      readonly view: ViewId | null;
    }
  | Transfer<'copy'>
  | Transfer<'move'>
  | {
      readonly kind: 'expunge';
      readonly mailbox: MailboxId;
      /** null: every message; always only those with \Deleted unless `force`. */
      readonly uids: readonly Uid[] | null;
      readonly force: boolean;
      readonly view: ViewId | null;
    }
  | {
      readonly kind: 'create-mailbox';
      readonly account: AccountId;
      readonly name: string;
      readonly specialUse: SpecialUse | null;
      readonly origin?: string;
    }
  | { readonly kind: 'delete-mailbox'; readonly mailbox: MailboxId; readonly origin?: string }
  | {
      readonly kind: 'rename-mailbox';
      readonly mailbox: MailboxId;
      readonly name: string;
      readonly now: number;
      readonly origin?: string;
    }
  /** Changes one entry of an access control list. `rights` null: there is no such entry any more; `unset`: what an entry
   * that is not there stands for. */
  | {
      readonly kind: 'set-rights';
      readonly mailbox: MailboxId;
      readonly identifier: string;
      readonly rights: string | null;
      readonly mode: 'add' | 'remove' | 'replace';
      readonly unset: string;
    }
  /** The key of an account for a mailbox: `fresh`, where there is none yet, or to `renew` it. `origin` is told to followers. */
  | {
      readonly kind: 'access-key';
      readonly mailbox: MailboxId;
      readonly account: AccountId;
      readonly fresh: Uint8Array;
      readonly renew: boolean;
      readonly origin?: string;
    }
  /** For any mailbox. */
  | { readonly kind: 'forget-access-keys'; readonly account: AccountId }
  /** Sets annotations of a mailbox, or of the server (null). `origin` is told to followers. */
  | {
      readonly kind: 'annotate';
      readonly mailbox: MailboxId | null;
      /** Who does it, and whose the entries are that are not shared. */
      readonly account: AccountId;
      readonly entries: readonly {
        readonly entry: string;
        readonly shared: boolean;
        /** null: no such annotation any more. */
        readonly value: Uint8Array | null;
      }[];
      /** Given to this mailbox and taken from any other; null: it has none. */
      readonly specialUse?: SpecialUse | null;
      readonly origin: string | null;
    }
  | {
      readonly kind: 'subscribe';
      readonly account: AccountId;
      readonly name: string;
      readonly subscribed: boolean;
      readonly origin?: string;
    }
  /** What a read-write session is about to show as new: the first one to claim gets \Recent. */
  | { readonly kind: 'claim-recent'; readonly mailbox: MailboxId; readonly upTo: Uid }
  | {
      readonly kind: 'put-account';
      readonly address: string;
      readonly aliases: readonly string[];
      readonly quota: number | null;
      readonly password: PasswordRecord | null;
      readonly seeded: boolean;
      /** `keep`: an existing account of this address stays as it is (made at first use); `fail`: it is an error. */
      readonly existing: 'replace' | 'keep' | 'fail';
    }
  | { readonly kind: 'set-password'; readonly account: AccountId; readonly password: PasswordRecord }
  /** Other aliases, and another quota. `taken`: those of them that may be another account's, which loses them then. */
  | {
      readonly kind: 'change-account';
      readonly account: AccountId;
      readonly aliases: readonly string[];
      readonly taken: readonly string[];
      readonly quota: number | null;
    }
  | { readonly kind: 'remove-account'; readonly account: AccountId }
  /** An operator's hand on the queue. `retry` makes entries due now, `remove` drops them without a report; `hold` keeps
   * entries until `release`. */
  | {
      readonly kind: 'queue-control';
      readonly entries: readonly EntryId[];
      readonly action: 'retry' | 'remove' | 'hold' | 'release';
      readonly now: number;
    }
  /** Nothing goes to a destination until it is resumed. Done in slices: to be sent again while the result says `more`. */
  | {
      readonly kind: 'suspend-destination';
      readonly destination: string;
      readonly suspended: boolean;
      readonly now: number;
    }
  /** An MTA-STS policy that is in force from now on, in the place of what was. What has expired at `now` goes. */
  | { readonly kind: 'put-sts-policy'; readonly row: StsPolicyRow; readonly now: number }
  /** What a destination has shown. Rows not seen since `forget` go. */
  | { readonly kind: 'put-shown-protection'; readonly row: ShownProtectionRow; readonly forget: number }
  /** Keys of `once` that will not come again; with `but`, all keys but these. */
  | { readonly kind: 'forget-once'; readonly keys: readonly string[]; readonly but: boolean }
  /** Adds to what was counted before. Days before `forget` go. */
  | { readonly kind: 'count-tls-results'; readonly rows: readonly TlsResultRow[]; readonly forget: string }
  /** What came of a day with a domain is reported now, if it was not before: by these mails, and by HTTPS to these places.
   * Without any, nobody wants to know. Marks of days before `forget` go. */
  | {
      readonly kind: 'make-tls-report';
      readonly day: string;
      readonly domain: string;
      readonly mails: readonly Accept[];
      readonly urls: readonly string[];
      /** JSON, by gzip: for `urls`. */
      readonly report: Uint8Array;
      readonly now: number;
      readonly forget: string;
    }
  /** A report is handed over (or given up), or tried again at `nextAt`. */
  | { readonly kind: 'settle-tls-post'; readonly id: number; readonly nextAt: number | null }
  /** The policies of a report that somebody has sent. One that is here already changes nothing; those that came before
   * `forget` go. */
  | {
      readonly kind: 'put-received-tls-report';
      readonly rows: readonly ReceivedTlsPolicyRow[];
      readonly forget: number;
    }
  /** Frees staged chunks that nobody will use. Not durable. */
  | { readonly kind: 'discard'; readonly stage: number };

export type CommandKind = Command['kind'];
export type CommandOf<K extends CommandKind> = Extract<Command, { readonly kind: K }>;

export interface Placed {
  readonly mailbox: MailboxId;
  readonly uidValidity: number;
  readonly uid: Uid;
}

/** What each command answers. A command that cannot be done throws a StoreError and changes nothing. */
export interface Results {
  accept: { readonly placed: readonly Placed[]; readonly entries: readonly EntryId[] };
  settle: undefined;
  append: { readonly uidValidity: number; readonly uids: readonly Uid[] };
  flags: {
    readonly modSeq: ModSeq;
    /** In the order of `uids`; messages that are gone are left out. State after the command, also where unchanged. */
    readonly uids: Uint32Array;
    readonly flags: Uint8Array;
    readonly keywords: readonly (readonly string[])[] | null;
    /** MODSEQ of each: `modSeq` where something was changed, an older one where nothing had to be. */
    readonly modSeqs: Float64Array;
    /** UIDs that were not changed because of `unchangedSince`. */
    readonly modified: Uint32Array;
  };
  copy: CopyResult;
  move: CopyResult;
  expunge: { readonly uids: Uint32Array; readonly modSeq: ModSeq };
  'create-mailbox': { readonly mailbox: MailboxId; readonly objectId: string };
  'delete-mailbox': undefined;
  'rename-mailbox': undefined;
  'set-rights': undefined;
  'access-key': { readonly key: Uint8Array };
  'forget-access-keys': undefined;
  annotate: undefined;
  subscribe: undefined;
  'claim-recent': { readonly recentFrom: Uid };
  'put-account': { readonly account: AccountId; readonly created: boolean };
  'set-password': undefined;
  'change-account': undefined;
  'remove-account': undefined;
  'queue-control': { readonly changed: number };
  'suspend-destination': { readonly changed: number; readonly more: boolean };
  'put-sts-policy': undefined;
  'put-shown-protection': undefined;
  'forget-once': undefined;
  'count-tls-results': undefined;
  'make-tls-report': { readonly made: boolean };
  'settle-tls-post': undefined;
  'put-received-tls-report': { readonly stored: boolean };
  discard: undefined;
}

export interface CopyResult {
  readonly uidValidity: number;
  /** Pairwise: source UID and its copy. */
  readonly from: Uint32Array;
  readonly to: Uint32Array;
}

/** Every staged body that a command carries. */
export function stagedBodies(command: Command): readonly StagedBody[] {
  switch (command.kind) {
    case 'accept':
      return [command.body];
    case 'append':
      return command.messages.map((message) => message.body);
    case 'settle':
      return command.reports.map((report) => report.body);
    case 'make-tls-report':
      return command.mails.map((mail) => mail.body);
    default:
      return [];
  }
}
