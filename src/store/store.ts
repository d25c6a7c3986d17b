// The Message Store's interface (RFC 5598 §2.2.2): small, asynchronous, knowing no protocol, so that a second engine can
// stand behind it. Commands go to the one writer, reads see a snapshot and say which, changes come in commit order.

import type { CommandKind, CommandOf, Results, StagedBody } from './commands.ts';
import type {
  AboutName,
  AccountId,
  AccountRow,
  AnnotationHead,
  Attempt,
  BodyId,
  Commit,
  EntryId,
  EntryRow,
  EntryState,
  ListedMailbox,
  MailboxId,
  MailboxRow,
  MessageRow,
  ModSeq,
  OutlineRow,
  ReceivedTlsPolicyRow,
  RightRow,
  SharedRow,
  ShownProtectionRow,
  StsPolicyRow,
  TlsReportPostRow,
  TlsResultRow,
  TransitId,
  TransitRow,
  Uid,
  ViewId,
} from './rows.ts';

/** Why a command was not done: `full` disk or staging bound, `quota` of the account, `missing` or `exists` thing,
 * `busy` too much staged, `limit` of what there may be, `refused` by a rule (INBOX cannot be deleted), `closed` store,
 * `failed` anything else. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: 'full' | 'quota' | 'missing' | 'exists' | 'busy' | 'limit' | 'refused' | 'closed' | 'failed';
  constructor(kind: StoreError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What changed, published after its commit, in commit order, and before the command's own promise resolves. */
export type Change = { readonly commit: Commit } & (
  | {
      readonly kind: 'added' | 'flags';
      readonly mailbox: MailboxId;
      readonly account: AccountId;
      readonly modSeq: ModSeq;
      readonly uids: Uint32Array;
      readonly flags: Uint8Array;
      /** null: none of them has keywords. */
      readonly keywords: readonly (readonly string[])[] | null;
      readonly view: ViewId | null;
      /** Of what was added: as the command says. */
      readonly origin?: string | null;
    }
  | {
      readonly kind: 'expunged';
      readonly mailbox: MailboxId;
      readonly account: AccountId;
      readonly modSeq: ModSeq;
      readonly uids: Uint32Array;
      readonly view: ViewId | null;
    }
  | {
      readonly kind: 'mailbox-created' | 'mailbox-deleted' | 'mailbox-renamed' | 'subscription';
      readonly mailbox: MailboxId | null;
      readonly account: AccountId;
      readonly name: string;
      /** Of the mailbox that was renamed itself, not of those that went with it. */
      readonly oldName?: string;
      /** As the command says. */
      readonly origin?: string | null;
    }
  /** The access control list of a mailbox, as it is now. */
  | {
      readonly kind: 'rights';
      readonly mailbox: MailboxId;
      readonly account: AccountId;
      readonly name: string;
      readonly rights: readonly RightRow[];
    }
  /** `by`, who does not hold the mailbox, has another \Seen of these messages; flags as `by` sees them. */
  | {
      readonly kind: 'seen';
      readonly mailbox: MailboxId;
      readonly account: AccountId;
      readonly by: AccountId;
      readonly modSeq: ModSeq;
      readonly uids: Uint32Array;
      readonly flags: Uint8Array;
      readonly keywords: readonly (readonly string[])[] | null;
      readonly view: ViewId | null;
    }
  /** Annotations were set or removed: of a mailbox, by its name, or of the server (null and no name). `by` has done it,
   * and alone sees entries that are not shared. `account` holds the mailbox. */
  | {
      readonly kind: 'annotated';
      readonly mailbox: MailboxId | null;
      /** null: of the server. */
      readonly modSeq: ModSeq | null;
      readonly account: AccountId;
      readonly name: string;
      readonly by: AccountId;
      readonly entries: readonly { readonly entry: string; readonly shared: boolean }[];
      readonly specialUse: boolean;
      readonly origin: string | null;
    }
  /** URLs that `by` has signed for messages of the mailbox are valid no more. `account` holds the mailbox. */
  | {
      readonly kind: 'access-key';
      readonly mailbox: MailboxId;
      readonly account: AccountId;
      readonly by: AccountId;
      readonly origin: string | null;
    }
  /** Accounts or passwords changed: this account, or any of them where none is named. */
  | { readonly kind: 'directory'; readonly account?: AccountId }
  /** Entries were added, settled or changed by hand: `nextAt` is the earliest among the new times, or Infinity, and
   * `destinations` are those that something was added for. `byHand`: what was read as due may not be any more. */
  | {
      readonly kind: 'queue';
      readonly nextAt: number;
      readonly destinations: readonly string[];
      readonly byHand: boolean;
    }
);

/** Which changes a follower wants. */
export type Topic =
  | { readonly mailbox: MailboxId }
  | { readonly account: AccountId }
  | { readonly kind: 'annotated' | 'rights' }
  | { readonly kind: 'directory' }
  | { readonly kind: 'queue' };

/** A body on its way into the store. Small ones stay in memory and travel with the command; large ones go ahead in
 * chunks. Bounded for each session and in all. */
export interface Staging {
  readonly size: number;
  /** Takes a chunk (the caller may not reuse its buffer). Resolves when more may come. @throws StoreError busy, full */
  write(chunk: Uint8Array): Promise<void>;
  /** Nothing more is written, but other bodies come before the command: where much is held in memory, this one is not. */
  rest(): Promise<void>;
  /** The body, ready for one command. */
  finish(): StagedBody;
  /** Forgets what was written. Harmless after `finish` was used in a command, or twice. */
  discard(): void;
}

/** What sessions hold open. Views are memory alone: nothing of them is refused, and nobody waits for them. */
export interface Views {
  /** Opens a view: what a read that begins afterwards shows of the mailbox outlives its EXPUNGE, until the view has been
   * told of that, or for an hour. `commit`: up to which it counts as told. */
  open(mailbox: MailboxId): { readonly view: ViewId; readonly commit: Commit };
  /** The view's client has been told everything up to `commit`. */
  acknowledge(view: ViewId, commit: Commit): void;
  close(view: ViewId): void;
}

/** UIDs `first` to `last`, both included. */
export interface UidRun {
  readonly first: number;
  readonly last: number;
}

/** What is asked of the search index: all of these, any of these, or a string in the texts of a body. Strings are
 * normalised as the deriver normalises texts. */
export type TextQuery =
  | { readonly all: readonly TextQuery[] }
  | { readonly any: readonly TextQuery[] }
  | { readonly within: 'header' | 'body'; readonly text: string };

export interface Page<T> {
  readonly rows: readonly T[];
  /** The commit that this page saw. */
  readonly commit: Commit;
}

/** Reads. Each sees one snapshot, holds no statement open when it resolves, and returns at most 500 rows or 1 MiB. When
 * one that tells its commit resolves, every change up to that commit has been told to those who follow. */
export interface Reads {
  accounts(): Promise<readonly AccountRow[]>;
  account(id: AccountId): Promise<AccountRow | undefined>;
  /** Sorted by name. */
  mailboxes(account: AccountId): Promise<readonly ListedMailbox[]>;
  mailbox(id: MailboxId): Promise<MailboxRow | undefined>;
  mailboxByName(account: AccountId, name: string): Promise<MailboxRow | undefined>;
  /** Of any name. */
  aboutName(account: AccountId, name: string): Promise<AboutName>;
  /** Names that are subscribed, also those without a mailbox. */
  subscriptions(account: AccountId): Promise<readonly string[]>;
  /** Sorted by identifier. */
  rights(mailbox: MailboxId): Promise<readonly RightRow[]>;
  /** The lists of all mailboxes that an account holds; one without an entry is not there. */
  rightsWithin(account: AccountId): Promise<ReadonlyMap<MailboxId, readonly RightRow[]>>;
  /** Mailboxes of other accounts on whose access control lists one of these identifiers stands. */
  sharedWith(account: AccountId, identifiers: readonly string[]): Promise<readonly SharedRow[]>;
  /** The account that has this address, primary or alias, and its primary one. Case does not matter. */
  accountNamed(address: string): Promise<{ readonly id: AccountId; readonly address: string } | undefined>;
  /** The key of an account for a mailbox: a secret. */
  accessKey(mailbox: MailboxId, account: AccountId): Promise<Uint8Array | undefined>;
  /** UIDs that an account has seen in a mailbox that it does not hold, ascending; also of messages that are gone. */
  seenBy(mailbox: MailboxId, account: AccountId): Promise<Uint32Array>;
  /** Annotations of a mailbox, or of the server (null), that this account sees, sorted. */
  annotations(mailbox: MailboxId | null, account: AccountId): Promise<readonly AnnotationHead[]>;
  annotation(
    mailbox: MailboxId | null,
    account: AccountId,
    entry: Pick<AnnotationHead, 'entry' | 'shared'>,
  ): Promise<Uint8Array | undefined>;
  /** All live UIDs of a mailbox, ascending. The one read that is not paged: 4 octets each. The array may be shared: it
   * must not be written to. */
  uids(
    mailbox: MailboxId,
  ): Promise<{ readonly uids: Uint32Array; readonly commit: Commit; readonly mailbox: MailboxRow }>;
  /** As `uids`, with the first of them without \Seen; null: all have it. */
  opening(mailbox: MailboxId): Promise<{
    readonly uids: Uint32Array;
    readonly commit: Commit;
    readonly mailbox: MailboxRow;
    readonly firstUnseen: Uid | null;
  }>;
  /** As `uids`, with the octets of all messages as whole lines, each ended by CRLF. */
  maildrop(mailbox: MailboxId): Promise<{
    readonly uids: Uint32Array;
    readonly commit: Commit;
    readonly mailbox: MailboxRow;
    readonly lineOctets: number;
  }>;
  /** Rows of the given UIDs (ascending, at most 500), expunged ones that still stand included. */
  messages(mailbox: MailboxId, uids: readonly Uid[] | Uint32Array): Promise<Page<MessageRow>>;
  /** The same messages in short. */
  outlines(mailbox: MailboxId, uids: readonly Uid[] | Uint32Array): Promise<Page<OutlineRow>>;
  /** Sum of the sizes of live messages with \Deleted, octets. */
  deletedOctets(mailbox: MailboxId): Promise<number>;
  /** Live UIDs whose flags have every bit of `set` and none of `clear`, ascending. From memory where `uids` is. */
  uidsWith(mailbox: MailboxId, set: number, clear: number): Promise<{ uids: Uint32Array; commit: Commit }>;
  /** Messages changed after `since`, at most 500, by MODSEQ and UID (RFC 7162 §3.1.4). One command may have changed more
   * than a page: `after` is the last UID of the page before, which ended at `since`. */
  changedSince(mailbox: MailboxId, since: ModSeq, after?: number): Promise<Page<MessageRow>>;
  /** Runs of UIDs that hold every one expunged after `since` (RFC 7162 §3.2.6), in no order. Where the log had to be
   * shortened, they also hold UIDs that went before, or that stand. Not paged: what the log's bound allows. */
  vanishedSince(
    mailbox: MailboxId,
    since: ModSeq,
  ): Promise<{ readonly runs: readonly UidRun[]; readonly commit: Commit }>;
  /** Octets `[offset, offset + length)` of a body, at most 1 MiB, in memory of their own; shorter only at its end. */
  body(body: BodyId, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** What the deriver computed of each body (derived.db), computed now where it is not there yet. At most 500, and at most
   * about 8 MiB: the first ones. A body that is not among them is to be asked for again. */
  summaries(bodies: readonly BodyId[]): Promise<ReadonlyMap<BodyId, Uint8Array>>;

  /** A random name of this store, which is nobody's business outside. */
  epoch(): Promise<string>;
  /** Those of the bodies (at most 5000) whose texts may match: of the others the search index knows that they do not.
   * null: it cannot tell, since the strings are in most of the mail. */
  possibleMatches(bodies: readonly BodyId[], query: TextQuery): Promise<ReadonlySet<BodyId> | null>;

  /** Octets inside the store that hold nothing, and can take mail. */
  spare(): Promise<number>;

  queue: QueueReads;
  receivers: ReceiverReads;
  tlsReports: TlsReportReads;
}

/** What is kept of those that mail goes to. Domains are lower case. */
export interface ReceiverReads {
  stsPolicy(domain: string): Promise<StsPolicyRow | undefined>;
  /** Those that expire in that time, the next ones first. */
  stsPoliciesExpiring(after: number, before: number, limit: number): Promise<readonly StsPolicyRow[]>;
  shownProtection(domain: string): Promise<ShownProtectionRow | undefined>;
  /** Domains of which something was counted on a day, sorted, after `after`. */
  tlsResultDomains(day: string, after: string, limit: number): Promise<readonly string[]>;
  /** What was counted, at most 500 rows: those with the most sessions. */
  tlsResults(day: string, domain: string): Promise<readonly TlsResultRow[]>;
}

/** TLS reports: those that we make, and those that others have sent. */
export interface TlsReportReads {
  /** Domains of which something was counted on a day that no report tells of yet, sorted, after `after`. */
  unreported(day: string, after: string, limit: number): Promise<readonly string[]>;
  /** Days before `before` of which some domain was not reported on, the oldest first. */
  unreportedDays(before: string): Promise<readonly string[]>;
  /** Those to hand over at `now`, the longest waiting first. */
  duePosts(now: number, limit: number): Promise<readonly TlsReportPostRow[]>;
  /** When the next one is to be handed over; null: there is none. */
  nextPostAt(): Promise<number | null>;
  /** A part of what others have reported, the latest first. `next`: where to go on; null: that was all. */
  received(
    filter: ReceivedTlsFilter,
    after: number | null,
  ): Promise<{ readonly rows: readonly ReceivedTlsPolicyRow[]; readonly next: number | null }>;
}

/** Which of them: all that is said must hold. */
export interface ReceivedTlsFilter {
  /** Whose policy it is, lower case. */
  readonly domain?: string;
  /** About this time or later, ms since the epoch. */
  readonly since?: number;
}

/** Which entries: all that is said must hold. Addresses as text: a mailbox, or `@domain` for all of a domain; compared
 * without regard to case. */
export interface QueueFilter {
  readonly destination?: string;
  /** Also `<>`. */
  readonly sender?: string;
  readonly recipient?: string;
  readonly state?: EntryState;
  /** Taken at this time or before, ms since the epoch. */
  readonly until?: number;
  /** The id that the message has in the log. */
  readonly message?: string;
}

/** The queue in a few numbers. */
export interface QueueStatus {
  readonly entries: number;
  readonly messages: number;
  /** Of all messages, octets. */
  readonly octets: number;
  readonly states: Readonly<Record<EntryState, number>>;
  /** When the oldest entry was taken. */
  readonly oldest: number | null;
  readonly suspended: readonly { readonly destination: string; readonly since: number }[];
  /** Those with the most entries. */
  readonly destinations: readonly { readonly destination: string; readonly entries: number }[];
  /** What was counted since the store was made. */
  readonly tallies: Readonly<Record<string, number>>;
}

export interface QueueReads {
  /** Destinations with an entry due (or a warning or expiry due) at `now`, the longest waiting first. */
  dueDestinations(now: number, limit: number): Promise<readonly string[]>;
  /** Due entries for one destination, with their transits, oldest first. @param but those that are in hand already */
  due(
    destination: string,
    now: number,
    limit: number,
    but?: Iterable<EntryId>,
  ): Promise<readonly { entry: EntryRow; transit: TransitRow }[]>;
  /** When the next entry falls due, or the next one later than `after`; null: there is none, or all is held. */
  nextAt(after?: number): Promise<number | null>;
  /** For `queue list`: by id, after `after`. */
  list(filter: {
    readonly destination?: string;
    readonly after?: EntryId;
    readonly limit: number;
  }): Promise<readonly { entry: EntryRow; transit: TransitRow }[]>;
  /** For verbs: a part of what a filter finds, by id, after `after`. `next`: where to go on; null: that was all. */
  find(
    filter: QueueFilter,
    after: EntryId | null,
  ): Promise<{ readonly rows: readonly { entry: EntryRow; transit: TransitRow }[]; readonly next: EntryId | null }>;
  status(): Promise<QueueStatus>;
  entry(id: EntryId): Promise<{ entry: EntryRow; transit: TransitRow; attempts: readonly Attempt[] } | undefined>;
  transit(id: TransitId): Promise<TransitRow | undefined>;
  /** Entries. @param most stops counting there */
  size(most?: number): Promise<number>;
}

export interface Store extends AsyncDisposable {
  /** Does one command. @throws StoreError; then nothing was changed. */
  execute<K extends CommandKind>(command: CommandOf<K> & { readonly kind: K }): Promise<Results[K]>;
  readonly read: Reads;
  readonly views: Views;
  /** Begins a body. */
  stage(): Staging;
  /** Calls `listener` for each change on the topic until the returned function is called. A listener must not throw
   * and must return at once. */
  follow(topic: Topic, listener: (change: Change) => void): () => void;
  /** Resolves when the store can do nothing more until it is opened anew: a sync has failed, or its thread has ended.
   * Pending until then, for ever in a store that is well. */
  readonly failed: Promise<StoreError>;
  /** Stops taking commands, waits for those under way, checkpoints, closes. Idempotent. */
  close(): Promise<void>;
}
