// The mailbox that a session has selected: its view, kept up by the store's change feed, and what is said of it to the
// client at the points where something may be said (RFC 3501 §5.2, §7.3, §7.4).

import type { Clock } from '../platform/clock.ts';
import type { SocketWriter } from '../platform/socket-writer.ts';
import type { Turn } from '../platform/turn.ts';
import { runsOf } from '../store/ascending.ts';
import type { MailboxId, MailboxRow, Uid } from '../store/rows.ts';
import type { Change, Store } from '../store/store.ts';
import type { SeenMailbox, User } from './access.ts';
import { no } from './completion.ts';
import type { Enabled } from './enabled.ts';
import { SYSTEM_FLAGS } from './grammar/flags.ts';
import { INTERNAL } from './grammar/imap-url.ts';
import { LIMIT } from './limits.ts';
import { OwnSeen } from './own-seen.ts';
import type { FlagState } from './pending-flags.ts';
import type { RecentClaims } from './recent.ts';
import { flagReport } from './render/flag-report.ts';
import { allows } from './rights.ts';
import { SearchContexts } from './search/contexts.ts';
import type { Place } from './search/finding.ts';
import { SelectedRights } from './selected-rights.ts';
import type { SortableCache } from './sort/sortable-cache.ts';
import type { Sorting } from './sort/sortables.ts';
import { vanishedLines } from './vanished.ts';
import { type News, View } from './view.ts';

/** What all sessions have in common. */
export interface Common {
  readonly claims: RecentClaims;
  readonly sortables: SortableCache;
}

interface Surroundings extends Common {
  /** Whose session it is, and which one. */
  readonly user: User & { readonly id: string };
  readonly clock: Clock;
  readonly writer: SocketWriter;
  readonly enabled: Readonly<Enabled>;
  readonly turn: Turn;
  /** The session must end, since the store will not wait for it any longer. */
  readonly overdue: () => void;
  /** Something is to be told, to a session that waits. */
  readonly news: () => void;
}

/** With the store as this user sees the mailbox, and what makes it so where it is another's. */
type Inside = Surroundings & { readonly store: Store; readonly ownSeen: OwnSeen | null };

/** What a view begins with. */
type Opening = Awaited<ReturnType<Store['read']['opening']>>;

const NONE = new Uint32Array(0);

/** What of the mailbox is told unasked. */
export interface Wanted {
  /** New messages, and those that go. */
  readonly messages: boolean;
  readonly flags: boolean;
  /** The UID comes with flags. */
  readonly withUid: boolean;
}

export class SelectedMailbox {
  readonly id: MailboxId;
  readonly view: View;
  /** As it was when it was selected. */
  readonly row: MailboxRow;
  /** The first message without \Seen, then; null: there was none. */
  readonly firstUnseen: Uid | null;
  readonly rights: SelectedRights;
  /** Searches that the client follows. */
  readonly contexts: SearchContexts;
  readonly #around: Inside;
  readonly #unfollow: () => void;
  #stopOverdue: (() => void) | null = null;
  #toldRecent = 0;
  /** The user has taken back the URLs that he has signed, in another session. */
  #urlsRevoked = false;

  private constructor(opening: Opening, view: View, rights: SelectedRights, around: Inside, unfollow: () => void) {
    const { mailbox: row, firstUnseen } = opening;
    this.id = row.id;
    this.row = row;
    this.firstUnseen = firstUnseen;
    this.view = view;
    this.rights = rights;
    this.contexts = new SearchContexts(around, around.writer);
    this.#around = around;
    this.#unfollow = unfollow;
    view.onNews = () => {
      if (view.untoldExpunges) this.#stopOverdue ??= around.clock.after(LIMIT.untoldExpunge, around.overdue);
      around.news();
    };
    around.claims.enter(row.id);
  }

  /** Opens a view. What changes meanwhile is in the UIDs that were read, or is applied to them afterwards. */
  static async open(mailbox: SeenMailbox, readOnly: boolean, outside: Surroundings): Promise<SelectedMailbox> {
    const { user } = outside;
    const ownSeen = mailbox.own ? null : await OwnSeen.open(user.store, mailbox.id, user.account);
    const store = ownSeen?.store ?? user.store;
    const around = { ...outside, store, ownSeen };
    const rights = new SelectedRights(mailbox, readOnly, user.address);
    const { id } = mailbox;
    let view: View | null = null;
    let selected: SelectedMailbox | null = null;
    const early: Change[] = [];
    const unfollow = store.follow({ mailbox: id }, (change) => {
      selected?.contexts.note(change, selected.view.id);
      if (change.kind === 'rights') {
        rights.change(change.rights);
        outside.news();
      } else if (change.kind === 'access-key') {
        if (change.by !== user.account || change.origin === user.id) return;
        if (selected) selected.#urlsRevoked = true;
        outside.news();
      } else if (view) view.apply(change);
      else early.push(change);
    });
    // Before its UIDs are read, so that none of them goes in between.
    const opened = store.views.open(id);
    try {
      const opening = await store.read.opening(id);
      const { uids, commit, mailbox: row } = opening;
      if (!row.selectable) throw no('There is no such mailbox to select', 'NONEXISTENT');
      const { highestModSeq: modSeq, keywords } = row;
      view = new View({ id: opened.view, readOnly, uids, commit, modSeq, keywords });
      if (around.enabled.rev2) view.forgetRecent();
      selected = new SelectedMailbox(opening, view, rights, around, unfollow);
      for (const change of early) view.apply(change);
      if (row.uidNext > row.recentFrom) await selected.#claim((row.uidNext - 1) as Uid);
      // What was expunged between the two is not in the UIDs, and needs no telling.
      if (commit > opened.commit) store.views.acknowledge(opened.view, commit);
      return selected;
    } catch (error) {
      if (selected) selected.close();
      else {
        unfollow();
        ownSeen?.close();
        store.views.close(opened.view);
      }
      throw error;
    }
  }

  /** The store, with \Seen as it is to this user. */
  get store(): Store {
    return this.#around.store;
  }

  /** Why the client cannot go on with it (RFC 2180 §3.3, RFC 4314 §5.1.1); null: it can. */
  get lost(): string | null {
    if (this.view.deleted) return 'The selected mailbox was deleted';
    return allows(this.rights.held, 'read') ? null : 'You have lost the right to read the selected mailbox';
  }

  /** FLAGS and PERMANENTFLAGS (RFC 3501 §7.2.6, §7.1). @param keywords of the mailbox */
  describeFlags(keywords: readonly string[]): void {
    const { writer } = this.#around;
    writer.line(`* FLAGS (${[SYSTEM_FLAGS, ...keywords].join(' ')})`);
    const kept = this.rights.permanentFlags(keywords).join(' ');
    writer.line(`* OK [PERMANENTFLAGS (${kept})] Flags that are kept`);
  }

  /** To be called in front of a response that shows keywords: FLAGS names what may be met (RFC 3501 §7.2.6), so it has to
   * come before. */
  introduce(keywords: readonly string[]): void {
    const all = this.view.showing(keywords);
    if (all) this.describeFlags(all);
  }

  /** URLMECH (RFC 4467 §8). */
  describeUrls(): void {
    this.#around.writer.line(`* OK [URLMECH ${INTERNAL}] URLs can be signed in this way`);
  }

  /** EXISTS and RECENT, as they stand. */
  describeSize(): void {
    this.#around.writer.line(`* ${this.view.exists} EXISTS`);
    this.#tellRecent();
  }

  #tellRecent(): void {
    if (this.#around.enabled.rev2) return;
    this.#toldRecent = this.view.recent;
    this.#around.writer.line(`* ${this.#toldRecent} RECENT`);
  }

  /** Tells the client what has happened, and returns the UIDs that are new to it and that others have brought.
   * @param expunges whether EXPUNGE may be told now (RFC 3501 §7.4.1) */
  async announce(expunges: boolean, wanted: Wanted): Promise<Uint32Array> {
    const { contexts, view } = this;
    const { enabled } = this.#around;
    if (this.rights.takeFlagsChanged()) this.describeFlags(view.keywords);
    if (this.#urlsRevoked) {
      // RFC 4467 §7: every session that has the mailbox selected hears of it.
      this.#urlsRevoked = false;
      this.describeUrls();
    }
    view.withholdsFlags = !wanted.flags;
    // What the client has expunged itself is told whatever it wants to hear: it is the answer.
    const told = wanted.messages || (expunges && view.ownExpunges);
    const news = view.hasNews(expunges) || contexts.pending;
    const arrived = told && news ? await this.#tell(expunges, wanted) : NONE;
    // RFC 7162 §3.2: what the client takes from MODSEQ must not hide from it what it has not been told, be it that EXPUNGE
    // may not come now or that NOTIFY does not want it.
    const misleading = (!expunges && view.untoldExpunges) || view.shownModSeq > view.toldModSeq;
    if (misleading && enabled.qresync) this.describeModSeq();
    view.shownModSeq = 0;
    return arrived;
  }

  /** HIGHESTMODSEQ (RFC 7162 §3.1.2.1), of what the client has been told. */
  describeModSeq(): void {
    this.#around.writer.line(`* OK [HIGHESTMODSEQ ${this.view.toldModSeq}] All changes up to this are told`);
  }

  /** @returns UIDs that are new, and not of this client's doing */
  async #tell(expunges: boolean, wanted: Wanted): Promise<Uint32Array> {
    const { contexts, view } = this;
    const { writer } = this.#around;
    await writer.ready();
    if (expunges && view.untoldExpunges && !contexts.idle) contexts.remove(view.gone, this.place());
    const before = view.exists;
    const news = view.tell(expunges);
    if (expunges) {
      this.#stopOverdue?.();
      this.#stopOverdue = null;
    }
    this.#tellExpunged(news);
    // RFC 3501 §7.3.2: with the size of the mailbox its number may have changed. EXISTS brings it in any case.
    const fewer = news.expunged.length > 0 && view.recent !== this.#toldRecent;
    if (news.exists === null && fewer) this.#tellRecent();
    if (news.exists !== null) writer.line(`* ${news.exists} EXISTS`);
    if (news.keywords) this.describeFlags(news.keywords);
    for (const { sequence, uid, state } of news.flags) this.#tellFlags(sequence, uid, state, wanted);
    if (news.exists !== null) {
      // A claim may wait for the disk; nobody needs it as urgently as EXISTS.
      writer.flush();
      await this.#claim(news.arrivedUpTo);
      this.#tellRecent();
    }
    if (news.reread !== null) await this.#tellFlagsAfter(news.reread, wanted);
    if (contexts.pending) await contexts.judge(this.place(), view.gone);
    if (news.acknowledge !== null) this.#around.store.views.acknowledge(view.id, news.acknowledge);
    if (news.exists === null) return NONE;
    return view.all.subarray(before - news.expunged.length).filter((uid) => !news.ownArrivals.has(uid));
  }

  /** EXPUNGE (RFC 3501 §7.4.1), or VANISHED (RFC 7162 §3.2.10), which RFC 9586 §3.1 demands, too. The view has let go of
   * the messages, so that nothing may come between these lines. */
  #tellExpunged({ expunged, vanished }: News): void {
    const { writer, enabled } = this.#around;
    if (!enabled.qresync && !enabled.uidOnly) for (const sequence of expunged) writer.line(`* ${sequence} EXPUNGE`);
    else for (const line of vanishedLines(runsOf(vanished), false)) writer.line(line);
  }

  #tellFlags(sequence: number, uid: Uid, state: FlagState, wanted: Pick<Wanted, 'withUid'>): void {
    const { writer, enabled } = this.#around;
    this.introduce(state.keywords);
    // RFC 9051 §7.5.2: what is told unasked has the UID.
    const told = { recent: this.view.isRecent(uid), withUid: wanted.withUid || enabled.rev2 };
    writer.line(flagReport({ sequence, uid }, state, told, enabled));
  }

  /** What its messages are sorted by. */
  get sorting(): Sorting {
    return this.#around;
  }

  /** What a search sees, until the client is told something. */
  place(): Place {
    const { view } = this;
    const uids = view.all;
    return {
      id: this.id,
      uids,
      exists: uids.length,
      lastUid: uids.at(-1) ?? 0,
      sequenceOf: (uid) => view.sequenceOf(uid),
      isRecent: (uid) => view.isRecent(uid),
      saved: () => view.saved,
      now: this.#around.clock.now(),
    };
  }

  close(): void {
    this.#unfollow();
    this.#around.ownSeen?.close();
    this.view.onNews = null;
    this.#stopOverdue?.();
    this.#around.claims.leave(this.id);
    this.#around.store.views.close(this.view.id);
  }

  /** RFC 3501 §2.3.2: a read-only session takes no \Recent away; it shows as \Recent all that nobody has claimed. */
  async #claim(upTo: Uid): Promise<void> {
    const { view } = this;
    if (this.#around.enabled.rev2) return;
    const { claims, store } = this.#around;
    const from = view.readOnly
      ? ((await store.read.mailbox(this.id))?.recentFrom ?? null)
      : await claims.claim(this.id, upTo);
    if (from !== null) view.markRecent(from, upTo);
  }

  async #tellFlagsAfter(modSeq: number, wanted: Wanted): Promise<void> {
    const { writer, store } = this.#around;
    const uids = this.view.all;
    for (let at = 0; at < uids.length; at += LIMIT.page) {
      await writer.ready();
      const { rows } = await store.read.messages(this.id, uids.subarray(at, at + LIMIT.page));
      for (const { uid, modSeq: current, flags, keywords } of rows) {
        const sequence = this.view.sequenceOf(uid);
        if (sequence === 0 || current <= modSeq) continue;
        this.#tellFlags(sequence, uid, { flags, keywords, modSeq: current }, wanted);
      }
    }
  }
}
