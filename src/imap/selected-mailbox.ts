// The mailbox that a session has selected: its view, kept up by the store's change feed, and what is said of it to the
// client at the points where something may be said (RFC 3501 §5.2, §7.3, §7.4).

import type { Clock } from '../platform/clock.ts';
import type { SocketWriter } from '../platform/socket-writer.ts';
import type { Turn } from '../platform/turn.ts';
import { Limit } from '../store/limits.ts';
import type { Commit, MailboxId, MailboxRow, Uid, ViewId } from '../store/rows.ts';
import type { Change, Store } from '../store/store.ts';
import { no } from './completion.ts';
import type { Enabled } from './enabled.ts';
import { SYSTEM_FLAGS } from './grammar/flags.ts';
import { LIMIT } from './limits.ts';
import type { RecentClaims } from './recent.ts';
import { flagReport } from './render/flag-report.ts';
import { SearchContexts } from './search/contexts.ts';
import type { Place } from './search/finding.ts';
import { runsOfUids, vanishedLines } from './vanished.ts';
import { type FlagState, type News, View } from './view.ts';

export interface Surroundings {
  readonly store: Store;
  readonly claims: RecentClaims;
  readonly clock: Clock;
  readonly writer: SocketWriter;
  readonly enabled: Readonly<Enabled>;
  readonly turn: Turn;
  /** The session must end, since the store will not wait for it any longer. */
  readonly overdue: () => void;
  /** Something is to be told, to a session that waits. */
  readonly news: () => void;
}

export class SelectedMailbox {
  readonly id: MailboxId;
  readonly view: View;
  /** As it was when it was selected. */
  readonly row: MailboxRow;
  /** Searches that the client follows. */
  readonly contexts: SearchContexts;
  readonly #around: Surroundings;
  readonly #unfollow: () => void;
  #stopOverdue: (() => void) | null = null;

  private constructor(row: MailboxRow, view: View, around: Surroundings, unfollow: () => void) {
    this.id = row.id;
    this.row = row;
    this.view = view;
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
  static async open(id: MailboxId, readOnly: boolean, around: Surroundings): Promise<SelectedMailbox> {
    const { store } = around;
    let view: View | null = null;
    let selected: SelectedMailbox | null = null;
    const early: Change[] = [];
    const unfollow = store.follow({ mailbox: id }, (change) => {
      selected?.contexts.note(change);
      if (view) view.apply(change);
      else early.push(change);
    });
    let opened: ViewId | null = null;
    try {
      const begun = await store.execute({ kind: 'open-view', mailbox: id, claimRecent: !readOnly });
      opened = begun.view;
      const { uids, commit, mailbox } = await store.read.uids(id);
      const { highestModSeq: modSeq, keywords } = mailbox;
      view = new View({ id: opened, readOnly, uids, commit, modSeq, keywords });
      // What came after the claim was made is claimed with what arrives.
      view.markRecent(begun.recentFrom, readOnly ? mailbox.uidNext - 1 : mailbox.recentFrom - 1);
      selected = new SelectedMailbox(mailbox, view, around, unfollow);
      if (!readOnly && mailbox.uidNext > mailbox.recentFrom) await selected.#claim((mailbox.uidNext - 1) as Uid);
      for (const change of early) view.apply(change);
      // What was expunged between the two is not in the UIDs, and needs no telling.
      if (commit > begun.commit) selected.#acknowledge(commit);
      return selected;
    } catch (error) {
      unfollow();
      if (opened !== null) await store.execute({ kind: 'close-view', view: opened });
      throw error;
    }
  }

  /** Refuses what EXAMINE does not allow. @throws ImapRefusal */
  requireWritable(): void {
    if (this.view.readOnly) throw no('The mailbox is open read-only', 'READ-ONLY');
  }

  /** FLAGS and PERMANENTFLAGS (RFC 3501 §7.2.6, §7.1), with `\*` while the mailbox has room for new keywords. */
  describeFlags(keywords: readonly string[]): void {
    const { writer } = this.#around;
    const names = [SYSTEM_FLAGS, ...keywords].join(' ');
    writer.line(`* FLAGS (${names})`);
    const kept = keywords.length < Limit.keywords ? `${names} \\*` : names;
    writer.line(`* OK [PERMANENTFLAGS (${this.view.readOnly ? '' : kept})] Flags that are kept`);
  }

  /** EXISTS and RECENT, as they stand. */
  describeSize(): void {
    this.#around.writer.line(`* ${this.view.exists} EXISTS`);
    this.#around.writer.line(`* ${this.view.recent} RECENT`);
  }

  /** Tells the client what has happened. @param expunges whether EXPUNGE may be told now (RFC 3501 §7.4.1) */
  async announce(expunges: boolean): Promise<void> {
    const { contexts, view } = this;
    const { enabled } = this.#around;
    if (view.hasNews(expunges) || contexts.pending) await this.#tell(expunges);
    // RFC 7162 §3.2.3: what the client takes from MODSEQ must not hide from it what it has not been told.
    if (!expunges && view.untoldExpunges && enabled.qresync) this.describeModSeq();
  }

  /** HIGHESTMODSEQ (RFC 7162 §3.1.2.1), of what the client has been told. */
  describeModSeq(): void {
    this.#around.writer.line(`* OK [HIGHESTMODSEQ ${this.view.toldModSeq}] All changes up to this are told`);
  }

  async #tell(expunges: boolean): Promise<void> {
    const { contexts, view } = this;
    const { writer } = this.#around;
    await writer.ready();
    if (expunges) contexts.remove(view.gone, this.place());
    const news = view.tell(expunges);
    if (expunges) {
      this.#stopOverdue?.();
      this.#stopOverdue = null;
    }
    this.#tellExpunged(news);
    if (news.exists !== null) writer.line(`* ${news.exists} EXISTS`);
    if (news.keywords) this.describeFlags(news.keywords);
    for (const { sequence, uid, state } of news.flags) this.#tellFlags(sequence, uid, state);
    if (news.exists !== null) {
      // A claim may wait for the disk; nobody needs it as urgently as EXISTS.
      writer.flush();
      await this.#claim(news.arrivedUpTo);
      writer.line(`* ${view.recent} RECENT`);
    }
    if (news.reread !== null) await this.#tellFlagsAfter(news.reread);
    if (contexts.pending) await contexts.judge(this.place(), view.gone);
    if (news.acknowledge !== null) this.#acknowledge(news.acknowledge);
  }

  /** EXPUNGE (RFC 3501 §7.4.1), or VANISHED (RFC 7162 §3.2.10), which RFC 9586 §3.1 demands, too. The view has let go of
   * the messages, so that nothing may come between these lines. */
  #tellExpunged({ expunged, vanished }: News): void {
    const { writer, enabled } = this.#around;
    if (!enabled.qresync && !enabled.uidOnly) for (const sequence of expunged) writer.line(`* ${sequence} EXPUNGE`);
    else for (const line of vanishedLines(runsOfUids(vanished), false)) writer.line(line);
  }

  #tellFlags(sequence: number, uid: Uid, state: FlagState): void {
    const { writer, enabled } = this.#around;
    writer.line(flagReport({ sequence, uid }, state, { recent: this.view.isRecent(uid) }, enabled));
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
      saved: view.saved,
      now: this.#around.clock.now(),
    };
  }

  async close(): Promise<void> {
    this.#unfollow();
    this.view.onNews = null;
    this.#stopOverdue?.();
    this.#around.claims.leave(this.id);
    await this.#around.store.execute({ kind: 'close-view', view: this.view.id });
  }

  /** Nobody waits for it, and a store that is closing needs it no more. */
  #acknowledge(commit: Commit): void {
    this.#around.store.execute({ kind: 'acknowledge-view', view: this.view.id, commit }).catch(() => undefined);
  }

  /** RFC 3501 §2.3.2: a read-only session takes no \Recent away; it shows as \Recent all that nobody has claimed. */
  async #claim(upTo: Uid): Promise<void> {
    const { view } = this;
    const { claims, store } = this.#around;
    const from = view.readOnly
      ? ((await store.read.mailbox(this.id))?.recentFrom ?? null)
      : await claims.claim(this.id, upTo);
    if (from !== null) view.markRecent(from, upTo);
  }

  async #tellFlagsAfter(modSeq: number): Promise<void> {
    const { writer, store } = this.#around;
    const uids = this.view.all;
    for (let at = 0; at < uids.length; at += LIMIT.page) {
      await writer.ready();
      const { rows } = await store.read.messages(this.id, uids.subarray(at, at + LIMIT.page));
      for (const { uid, modSeq: current, flags, keywords } of rows) {
        const sequence = this.view.sequenceOf(uid);
        if (sequence === 0 || current <= modSeq) continue;
        this.#tellFlags(sequence, uid, { flags, keywords, modSeq: current });
      }
    }
  }
}
