// Searches whose client is told when their results change (UPDATE, RFC 5267 §4.3): which messages have changed since the
// client was told, and what that makes of each search.

import type { SocketWriter } from '../../platform/socket-writer.ts';
import type { ViewId } from '../../store/rows.ts';
import type { Change } from '../../store/store.ts';
import { bad } from '../completion.ts';
import type { FetchItem } from '../grammar/fetch-items.ts';
import { LIMIT } from '../limits.ts';
import { needsSortKeys, type SortCriterion } from '../sort/order.ts';
import { type Sorting, sortables } from '../sort/sortables.ts';
import { find, type Place } from './finding.ts';
import type { SearchProgram } from './keys.ts';
import type { ResultList } from './result-list.ts';

/** A search to be followed. */
interface Followed {
  readonly tag: string;
  /** What stands in the parentheses of its responses. */
  readonly correlator: string;
  /** The client is told UIDs; otherwise sequence numbers. */
  readonly byUid: boolean;
  /** Without sequence numbers: see `pinned`. */
  readonly program: SearchProgram;
  /** Of SORT; null: the order of the mailbox. */
  readonly criteria: readonly SortCriterion[] | null;
  /** To be fetched of each new message among the results (RFC 5465 §7). */
  readonly fetch: readonly FetchItem[];
}

interface Context extends Followed {
  /** null: the search itself is still running. */
  results: ResultList | null;
}

export class SearchContexts {
  readonly #contexts = new Map<string, Context>();
  readonly #sorting: Sorting;
  readonly #writer: SocketWriter;
  /** UIDs of messages that have come or changed, and were not judged since. */
  #touched = new Set<number>();
  /** Those of them that others have brought. */
  readonly #arrived = new Set<number>();
  #fetches = new Map<number, FetchItem[]>();

  constructor(sorting: Sorting, writer: SocketWriter) {
    this.#sorting = sorting;
    this.#writer = writer;
  }

  /** Something is to be judged. */
  get pending(): boolean {
    return this.#touched.size > 0;
  }

  /** No search is followed. */
  get idle(): boolean {
    return this.#contexts.size === 0;
  }

  /** Takes a change of the mailbox, from the store's feed. @param own whose changes are the client's own doing: what it
   * brings is not fetched for it (RFC 5465 §5.2) */
  note(change: Change, own: ViewId): void {
    if (this.#contexts.size === 0 || (change.kind !== 'added' && change.kind !== 'flags')) return;
    for (const uid of change.uids) {
      this.#touched.add(uid);
      if (change.kind === 'added' && change.view !== own) this.#arrived.add(uid);
    }
  }

  /** From here on what changes is noted for a search, which begins now. @throws ImapRefusal BAD if its tag is in use */
  begin(followed: Followed): void {
    if (this.#contexts.has(followed.tag)) throw bad('That tag is in use by a search that is followed');
    this.#contexts.set(followed.tag, { ...followed, results: null });
  }

  /** What the search found. @returns false: it cannot be followed (RFC 5267 §4.3.1) */
  fill(tag: string, results: ResultList): boolean {
    const context = this.#contexts.get(tag);
    if (!context) return false;
    context.results = results;
    const most = context.criteria ? LIMIT.sortedContextResults : LIMIT.contextResults;
    const all = [...this.#contexts.values()].reduce((sum, each) => sum + (each.results?.size ?? 0), 0);
    if (this.#contexts.size <= LIMIT.contexts && results.size <= most && all <= LIMIT.contextResults) return true;
    this.cancel(tag);
    return false;
  }

  /** Follows a search no longer. @returns false: it was not followed */
  cancel(tag: string): boolean {
    const known = this.#contexts.delete(tag);
    if (this.#contexts.size === 0) {
      this.#touched.clear();
      this.#arrived.clear();
    }
    return known;
  }

  /** The client knows no sequence numbers any more (RFC 9586 §3): what it has asked for by them is not told (RFC 5267 §4.3.1). */
  dropNumbered(): void {
    for (const { tag, byUid } of [...this.#contexts.values()]) {
      if (byUid) continue;
      this.cancel(tag);
      this.#writer.line(`* NO [NOUPDATE "${tag}"] It was followed by sequence numbers`);
    }
  }

  /** Tells which results are about to be expunged; their sequence numbers still hold (RFC 5267 §4.3.4). */
  remove(gone: ReadonlySet<number>, place: Place): void {
    for (const uid of gone) {
      this.#touched.delete(uid);
      this.#arrived.delete(uid);
    }
    for (const context of this.#contexts.values()) {
      const { results } = context;
      const lost = results ? [...gone].filter((uid) => results.has(uid)) : [];
      if (results && lost.length > 0)
        this.#tell(context, `REMOVEFROM (${results.remove(lost, numbering(context, place))})`);
    }
  }

  /**
   * Judges what has changed, and tells what that changes. What the client does not know of yet is left for later.
   * @param gone what it has not been told to be expunged: `remove` tells of it
   */
  async judge(place: Place, gone: ReadonlySet<number>): Promise<void> {
    const known: number[] = [];
    const later = new Set<number>();
    for (const uid of this.#touched) {
      if (uid > place.lastUid) later.add(uid);
      else if (place.sequenceOf(uid) > 0 && !gone.has(uid)) known.push(uid);
    }
    this.#touched = later;
    if (known.length === 0) return;
    const uids = Uint32Array.from(known).sort();
    for (const context of [...this.#contexts.values()]) {
      if (context.results) await this.#judgeOne(context, context.results, { ...place, uids });
      await this.#writer.ready();
    }
    for (const uid of known) this.#arrived.delete(uid);
  }

  /** What is to be fetched of which new message, since this was last asked. */
  takeFetches(): ReadonlyMap<number, readonly FetchItem[]> {
    const fetches = this.#fetches;
    if (fetches.size > 0) this.#fetches = new Map();
    return fetches;
  }

  async #judgeOne(context: Context, results: ResultList, place: Place): Promise<void> {
    const found = await find(this.#sorting, place, context.program);
    const matching = new Set(found.uids);
    const lost = [...place.uids].filter((uid) => results.has(uid) && !matching.has(uid));
    const won = found.uids.filter((uid) => !results.has(uid));
    for (const uid of won) {
      if (!this.#arrived.has(uid) || context.fetch.length === 0) continue;
      this.#fetches.set(uid, [...(this.#fetches.get(uid) ?? []), ...context.fetch]);
    }
    const number = numbering(context, place);
    const changes: string[] = [];
    if (lost.length > 0) changes.push(`REMOVEFROM (${results.remove(lost, number)})`);
    if (won.length > 0) {
      const scoreOf = new Map(found.uids.map((uid, at) => [uid, found.scores?.[at] ?? 0]));
      const scores = won.map((uid) => scoreOf.get(uid) ?? 0);
      const withKeys = context.criteria !== null && needsSortKeys(context.criteria);
      const messages = await sortables(this.#sorting, place.id, { uids: won, scores }, withKeys);
      changes.push(`ADDTO (${results.add(messages, number)})`);
    }
    if (changes.length > 0) this.#tell(context, changes.join(' '));
    if (results.size <= LIMIT.contextResults) return;
    this.cancel(context.tag);
    this.#writer.line(`* NO [NOUPDATE "${context.tag}"] The results have become too many`);
  }

  #tell({ correlator, byUid }: Context, changes: string): void {
    this.#writer.line(`* ESEARCH (${correlator})${byUid ? ' UID' : ''} ${changes}`);
  }
}

function numbering({ byUid }: Context, place: Place): (uid: number) => number {
  return byUid ? (uid) => uid : (uid) => place.sequenceOf(uid);
}
