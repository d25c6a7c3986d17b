// Which messages of a mailbox a program finds: those that it can be known of without their rows, then page by page, others
// having their turn in between. SEARCH, SORT, THREAD and ESEARCH all find by this.

import type { Turn } from '../../platform/turn.ts';
import { readOctets } from '../../store/message-octets.ts';
import type { BodyId, MailboxId, MessageRow } from '../../store/rows.ts';
import type { Store } from '../../store/store.ts';
import { LIMIT } from '../limits.ts';
import { Summary } from '../render/summary.ts';
import type { SearchMessage } from './evidence.ts';
import { asks, type SearchProgram } from './keys.ts';
import type { SearchContent } from './message-text.ts';
import { compileSearch, type Required, type Search } from './program.ts';
import { type IndexQuestion, indexQuestion, prefixMayHold } from './text-query.ts';

/** What a search reads by, and whom it lets pass. */
export interface Reading {
  readonly store: Store;
  readonly turn: Turn;
}

/** Told now and then how many messages of `goal` have been looked at (RFC 9585). */
type Report = (done: number, goal: number) => void;

/** The mailbox as the client knows it. */
export interface Place {
  readonly id: MailboxId;
  /** What is searched: all that the client knows, or some of it; ascending. */
  readonly uids: Uint32Array;
  /** How many messages it knows, and the last of them; 0: none. */
  readonly exists: number;
  readonly lastUid: number;
  /** 0: the client knows no such message. */
  sequenceOf(uid: number): number;
  isRecent(uid: number): boolean;
  /** What `$` stands for: UIDs, ascending. */
  readonly saved: () => Uint32Array;
  /** ms since the epoch. */
  readonly now: number;
}

export interface Found {
  /** Ascending. */
  readonly uids: readonly number[];
  /** The relevancy of each, 1 to 100; null: nothing fuzzy was asked. */
  readonly scores: readonly number[] | null;
  /** The MODSEQ of each, by its UID (RFC 7162 §3.1.5); null: no key asked for it. */
  readonly modSeqs: ReadonlyMap<number, number> | null;
}

/** What one row costs of a turn, beside what is read of its body. */
const ROW_COST = 256;
const OUTLINE_COST = 64;

export async function find(
  reading: Reading,
  place: Place,
  program: SearchProgram,
  report: Report = () => undefined,
): Promise<Found> {
  const { store, turn } = reading;
  const { exists, lastUid, saved, now } = place;
  const search = compileSearch(program, { sequence: exists, uid: lastUid, saved, now });
  const uids = await required(store, place, search.required);
  if (search.required.decides) return { uids: [...uids], scores: null, modSeqs: null };
  const question = indexQuestion(program);
  const found: number[] = [];
  const scores: number[] = [];
  const modSeqs = asks(program, 'modseq') ? new Map<number, number>() : null;
  for (let at = 0; at < uids.length; at += LIMIT.indexBlock) {
    const block = uids.subarray(at, at + LIMIT.indexBlock);
    const likely = question ? await possible(reading, place.id, block, question) : block;
    let done = at;
    for await (const row of rowsOf(store, place.id, likely)) {
      report(done++, uids.length);
      const score = await scoreOf(search, searchMessage(row, place), contentOf(reading, row));
      if (score > 0) {
        found.push(row.uid);
        if (search.fuzzy) scores.push(score);
        modSeqs?.set(row.uid, row.modSeq);
      }
      turn.spend(ROW_COST);
      if (turn.over) await turn.pass();
    }
  }
  return { uids: found, scores: search.fuzzy ? scores : null, modSeqs };
}

async function* rowsOf(store: Store, mailbox: MailboxId, uids: Uint32Array): AsyncGenerator<MessageRow> {
  for (let at = 0; at < uids.length; at += LIMIT.page) {
    yield* (await store.read.messages(mailbox, uids.subarray(at, at + LIMIT.page))).rows;
  }
}

/** Those of which the index does not know that they cannot match. */
async function possible(
  { store, turn }: Reading,
  mailbox: MailboxId,
  uids: Uint32Array,
  { query, headerTexts }: IndexQuestion,
): Promise<Uint32Array> {
  const outlines: { readonly uid: number; readonly body: BodyId; readonly prefixed: boolean }[] = [];
  for (let at = 0; at < uids.length; at += LIMIT.page) {
    const { rows } = await store.read.outlines(mailbox, uids.subarray(at, at + LIMIT.page));
    for (const { uid, body, prefix } of rows) {
      outlines.push({ uid, body, prefixed: prefix !== null && prefixMayHold(prefix, headerTexts) });
    }
    turn.spend(rows.length * OUTLINE_COST);
    await turn.pass();
  }
  const bodies = await store.read.possibleMatches(
    outlines.map(({ body }) => body),
    query,
  );
  if (bodies === null) return uids;
  return Uint32Array.from(outlines.filter(({ body, prefixed }) => prefixed || bodies.has(body)).map(({ uid }) => uid));
}

/** 0: the message does not match. */
async function scoreOf(search: Search, message: SearchMessage, content: SearchContent): Promise<number> {
  if (search.fuzzy) return search.relevancy(message, content);
  return (search.judge(message) ?? (await search.matches(message, content))) ? 1 : 0;
}

/** Those that have what is required, which the store has at hand: no row is read for the others. One that is gone, and of
 * which this client has not been told, is among them only where no flag is asked for. */
async function required(store: Store, place: Place, { set, clear, named }: Required): Promise<Uint32Array> {
  const uids = named ? place.uids.filter((uid) => named(place.sequenceOf(uid), uid)) : place.uids;
  if (uids.length === 0 || (set === 0 && clear === 0)) return uids;
  const found = await store.read.uidsWith(place.id, set, clear);
  let at = 0;
  return uids.filter((uid) => {
    while ((found.uids[at] ?? Number.POSITIVE_INFINITY) < uid) at += 1;
    return found.uids[at] === uid;
  });
}

function searchMessage(row: MessageRow, place: Place): SearchMessage {
  return {
    ...row,
    sequence: place.sequenceOf(row.uid),
    recent: place.isRecent(row.uid),
    prefixSize: row.prefix.length,
  };
}

/** What is read of a message while it is searched, others having their turn in between. */
function contentOf({ store, turn }: Reading, row: MessageRow): SearchContent {
  return {
    async octets(offset, length) {
      await turn.pass();
      const octets = await readOctets(store.read, row, offset, Math.min(row.size, offset + length));
      turn.spend(octets.length);
      return octets;
    },
    async root() {
      const blob = (await store.read.summaries([row.body])).get(row.body);
      if (!blob) throw new Error('a body has no summary');
      return new Summary(blob).root;
    },
    async searched(characters) {
      turn.spend(characters);
      await turn.pass();
    },
  };
}
