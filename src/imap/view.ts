// The selected mailbox as this client believes it to be: which sequence number is which UID, what is \Recent, and what has
// happened that it has not been told. Fed by the store's changes, in commit order; asked at the points where RFC 3501
// §5.2, §5.5 and §7.4.1 let a server speak. Pure: it reads no store and writes to nobody. No other file keeps a sequence
// number across an await.

import type { Commit, ModSeq, Uid, ViewId } from '../store/rows.ts';
import type { Change } from '../store/store.ts';
import { namedBySequence, namedByUid } from './message-set.ts';
import { type FlagState, PendingFlags } from './pending-flags.ts';
import { Ranges } from './ranges.ts';
import type { MessageSet } from './search/keys.ts';
import { UidList } from './uid-list.ts';

/** What the client is to be told now, in this order. The view counts it as told. */
export interface News {
  /** Sequence numbers for EXPUNGE, highest first, so that none changes another. */
  readonly expunged: readonly number[];
  /** The UIDs that they had, ascending, for VANISHED. */
  readonly vanished: readonly number[];
  /** For EXISTS; null: as before. */
  readonly exists: number | null;
  /** The last of the UIDs that are new with it; 0: none. */
  readonly arrivedUpTo: Uid;
  /** Those of them that this client has brought itself. */
  readonly ownArrivals: ReadonlySet<number>;
  /** Keywords that the client has not seen in a FLAGS response yet: all of the mailbox, or null. */
  readonly keywords: readonly string[] | null;
  readonly flags: readonly { readonly sequence: number; readonly uid: Uid; readonly state: FlagState }[];
  /** Too much changed to be kept: flags of every message with a higher MODSEQ are to be read and told. */
  readonly reread: ModSeq | null;
  /** With this the client has been told all up to a commit that expunged something; null: no need to tell the store. */
  readonly acknowledge: Commit | null;
}

interface Opened {
  readonly id: ViewId;
  readonly readOnly: boolean;
  /** May be the store's own array. */
  readonly uids: Uint32Array;
  readonly commit: Commit;
  /** The mailbox's highest, with which the UIDs were read. */
  readonly modSeq: ModSeq;
  readonly keywords: readonly string[];
}

export class View {
  readonly id: ViewId;
  readonly readOnly: boolean;
  /** Called when there is news. */
  onNews: (() => void) | null = null;
  /** The client does not want to hear of flags (RFC 5465 §5.1): they wait, and HIGHESTMODSEQ stays below them. */
  withholdsFlags = false;
  /** The highest MODSEQ that a command has shown the client since it was last told something. */
  shownModSeq = 0;
  readonly #uids: UidList;
  /** The last commit that is in this view, told or not. */
  #commit: Commit;
  /** The highest MODSEQ that is in this view, told or not, and the one below the first expunge that is not told. */
  #modSeq: ModSeq;
  #beforeGone: ModSeq | null = null;
  /** The highest up to which the client had been told everything when it last was told. */
  #toldModSeq: ModSeq;
  /** Several changes can have one commit: only that of the opening is in the view already. */
  #fed = false;
  #keywords: readonly string[];
  #keywordsTold = true;
  readonly #recent = new Ranges();
  #hasRecent = true;
  #arrived: number[] = [];
  #ownArrivals = new Set<number>();
  #gone = new Set<number>();
  /** An expunge was seen that the store does not know us to know of. */
  #owesAcknowledgement = false;
  readonly #flags = new PendingFlags();
  #deleted = false;
  #ownExpunges = false;
  /** What the last SEARCH saved (RFC 5182), ascending; what is gone since is still among them. */
  #saved: Uint32Array = new Uint32Array(0);

  constructor({ id, readOnly, uids, commit, modSeq, keywords }: Opened) {
    this.id = id;
    this.readOnly = readOnly;
    this.#uids = new UidList(uids);
    this.#commit = commit;
    this.#modSeq = modSeq;
    this.#toldModSeq = modSeq;
    this.#keywords = keywords;
  }

  /** The number of messages, as the client knows it. */
  get exists(): number {
    return this.#uids.length;
  }

  /** The mailbox is no more. */
  get deleted(): boolean {
    return this.#deleted;
  }

  /** Messages are gone that the client may still speak of. */
  get untoldExpunges(): boolean {
    return this.#gone.size > 0;
  }

  /** The highest MODSEQ of which nothing is left to tell: what HIGHESTMODSEQ may promise (RFC 7162 §3.1.2.1). */
  get toldModSeq(): ModSeq {
    return this.hasNews(false) ? this.#toldModSeq : (this.#beforeGone ?? this.#modSeq);
  }

  /** The same, once all that is known here now will have been told, expunges included. */
  get knownModSeq(): ModSeq {
    return this.withholdsFlags ? this.#flags.below(this.#modSeq) : this.#modSeq;
  }

  /** Messages are gone by a command of this client, which has not been told. */
  get ownExpunges(): boolean {
    return this.#ownExpunges;
  }

  /** UIDs that the next `tell` takes away. */
  get gone(): ReadonlySet<number> {
    return this.#gone;
  }

  /** Some of these are gone, and the client has not been told. */
  hasGone(uids: Uint32Array): boolean {
    return this.#gone.size > 0 && uids.some((uid) => this.#gone.has(uid));
  }

  /** Every keyword that the mailbox has had, as far as it is known here. */
  get keywords(): readonly string[] {
    return this.#keywords;
  }

  /** True if `tell` would say something. @param expunges whether EXPUNGE may be told now */
  hasNews(expunges: boolean): boolean {
    return (
      this.#arrived.length > 0 ||
      !this.#flags.empty ||
      !this.#keywordsTold ||
      (expunges && (this.#gone.size > 0 || this.#owesAcknowledgement))
    );
  }

  /** Takes a change of this mailbox, from the store's feed. Changes that the view was opened with are passed over. */
  apply(change: Change): void {
    if (change.commit < this.#commit || (change.commit === this.#commit && !this.#fed)) return;
    this.#fed = true;
    switch (change.kind) {
      case 'added':
        this.#noteKeywords(change.keywords);
        for (const uid of change.uids) this.#arrived.push(uid);
        if (change.view === this.id) for (const uid of change.uids) this.#ownArrivals.add(uid);
        break;
      case 'flags':
        this.#noteKeywords(change.keywords);
        this.#flags.note(change, change.view === this.id);
        break;
      case 'expunged':
        this.#noteExpunged(change.uids);
        if (change.view === this.id) this.#ownExpunges = true;
        // One below a ModSeq.
        if (this.#gone.size > 0) this.#beforeGone ??= (change.modSeq - 1) as ModSeq;
        break;
      case 'mailbox-deleted':
        this.#deleted = true;
        break;
      case 'annotated':
      case 'seen':
        // Another's own \Seen, or no message: it only raises what HIGHESTMODSEQ may promise (RFC 7162 §3.2).
        if (change.modSeq !== null) this.#modSeq = change.modSeq;
        return;
      default:
        return;
    }
    this.#commit = change.commit;
    if ('modSeq' in change) this.#modSeq = change.modSeq;
    this.onNews?.();
  }

  /**
   * What the client may be told now.
   * @param expunges false while a FETCH, STORE or SEARCH by sequence number is answered (RFC 3501 §7.4.1)
   */
  tell(expunges: boolean): News {
    const vanished = expunges ? [...this.#gone].sort((a, b) => a - b) : [];
    const expunged = vanished.length > 0 ? this.#uids.remove(this.#gone).reverse() : [];
    const acknowledge = expunges && this.#owesAcknowledgement ? this.#commit : null;
    if (expunges) {
      this.#gone.clear();
      this.#owesAcknowledgement = false;
      this.#ownExpunges = false;
      this.#beforeGone = null;
    }
    const flags: { sequence: number; uid: Uid; state: FlagState }[] = [];
    const pending = this.withholdsFlags ? null : this.#flags.take();
    for (const [uid, state] of pending?.states ?? []) {
      const sequence = this.#uids.sequenceOf(uid);
      if (sequence > 0) flags.push({ sequence, uid: uid as Uid /* a key of this map */, state });
    }
    this.#toldModSeq = this.#flags.below(this.#beforeGone ?? this.#modSeq);
    const arrived = this.#arrived;
    this.#arrived = [];
    const ownArrivals = this.#ownArrivals;
    this.#ownArrivals = new Set();
    this.#uids.append(arrived);
    const keywords = this.#keywordsTold ? null : this.#keywords;
    this.#keywordsTold = true;
    return {
      expunged,
      vanished,
      exists: arrived.length > 0 ? this.#uids.length : null,
      arrivedUpTo: (arrived.at(-1) ?? 0) as Uid, // 0 stands for none
      ownArrivals,
      keywords,
      flags,
      reread: pending?.reread ?? null,
      acknowledge,
    };
  }

  /** The client has just been told these flags of a message: an older change of them is no news any more. */
  flagsTold(uid: Uid, modSeq: ModSeq): void {
    this.#flags.told(uid, modSeq);
  }

  /** The client is about to read these keywords. @returns all of the mailbox where one of them is new to it, which it then
   * has to be told first; null: it knows them */
  showing(keywords: readonly string[]): readonly string[] | null {
    if (keywords.length === 0) return null;
    this.#noteKeywords([keywords]);
    if (this.#keywordsTold) return null;
    this.#keywordsTold = true;
    return this.#keywords;
  }

  /** The UID with this sequence number. @throws RangeError */
  uidOf(sequence: number): Uid {
    return this.#uids.at(sequence) as Uid; // the list holds nothing else
  }

  /** The present sequence number of this UID; 0: the client knows no such message. */
  sequenceOf(uid: number): number {
    return this.#uids.sequenceOf(uid);
  }

  /** Messages in the given range of UIDs, which begins no lower than the one before, are \Recent in this session. */
  markRecent(first: number, last: number): void {
    this.#recent.add(first, last);
  }

  /** The client knows no \Recent (RFC 9051 §2.3.2). */
  forgetRecent(): void {
    this.#hasRecent = false;
  }

  isRecent(uid: number): boolean {
    return this.#hasRecent && this.#recent.has(uid);
  }

  /** For RECENT (RFC 3501 §7.3.2). */
  get recent(): number {
    let count = 0;
    for (const { first, last } of this.#recent) count += this.#uids.countBelow(last + 1) - this.#uids.countBelow(first);
    return count;
  }

  /** All UIDs that the client knows, ascending. Good until the next await. */
  get all(): Uint32Array {
    return this.#uids.slice(1, this.#uids.length);
  }

  /** Sets the search result variable (RFC 5182 §2.1). @param uids ascending */
  save(uids: Uint32Array): void {
    this.#saved = uids;
  }

  /** The messages that it holds: an expunged one leaves it when the client is told. */
  get saved(): Uint32Array {
    return this.#saved.filter((uid) => this.#uids.sequenceOf(uid) > 0);
  }

  /** The UIDs of a set of sequence numbers, ascending, each once. @throws ImapRefusal BAD for one that no message has */
  resolveSequences(set: MessageSet): Uint32Array {
    return namedBySequence(set, { uids: this.#uids, saved: () => this.saved });
  }

  /** The UIDs of a set of UIDs that the client knows, ascending, each once; others are passed over (RFC 3501 §6.4.8). */
  resolveUids(set: MessageSet): Uint32Array {
    return namedByUid(set, { uids: this.#uids, saved: () => this.saved });
  }

  #noteKeywords(keywords: readonly (readonly string[])[] | null): void {
    for (const list of keywords ?? []) {
      for (const keyword of list) {
        if (this.#keywords.includes(keyword)) continue;
        this.#keywords = [...this.#keywords, keyword];
        this.#keywordsTold = false;
      }
    }
  }

  #noteExpunged(uids: Uint32Array): void {
    this.#owesAcknowledgement = true;
    const untold = this.#arrived.length > 0 ? new Set(this.#arrived) : null;
    for (const uid of uids) {
      this.#flags.forget(uid);
      // What comes and goes between two reports was never there.
      if (!untold?.delete(uid)) this.#gone.add(uid);
    }
    if (untold && untold.size < this.#arrived.length) this.#arrived = [...untold];
  }
}
