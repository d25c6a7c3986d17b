// FETCH and UID FETCH (RFC 3501 §6.4.5, RFC 7162 §3.1.4, RFC 9394 §3.3): pages of rows, one response for each message.
// What another session has expunged is still answered, as long as this one has not been told.

import { runsOf } from '../../store/ascending.ts';
import { MAX_UID } from '../../store/limits.ts';
import type { MessageRow, ModSeq, Uid } from '../../store/rows.ts';
import { Flag } from '../../store/rows.ts';
import { bad, no, ok } from '../completion.ts';
import type { Enabled } from '../enabled.ts';
import { ifRoom } from '../full-disk.ts';
import { type FetchItem, fetchItems } from '../grammar/fetch-items.ts';
import { fetchModifiers } from '../grammar/resynchronisation.ts';
import { placesOf } from '../grammar/search-return.ts';
import { messageSet } from '../grammar/sequence-set.ts';
import { LIMIT } from '../limits.ts';
import { Summary } from '../render/summary.ts';
import { rangesOf } from '../search/number-set.ts';
import { command, SELECTED, type Session } from './command.ts';
import { enableCondstore } from './enable.ts';
import { type Asked, askedFor, writeFetch, writeShort } from './fetch-response.ts';
import { tellVanished } from './resynchronise.ts';

/** fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
 *   [fetch-modifiers] */
export const fetch = command({
  name: 'FETCH',
  states: SELECTED,
  uid: 'allowed',
  expunge: 'told in UID form',
  grammar(scanner) {
    scanner.space();
    const set = messageSet(scanner);
    scanner.space();
    const items = fetchItems(scanner);
    const none = { changedSince: null, vanished: false, partial: null };
    return { set, items, modifiers: scanner.accept(' ') ? fetchModifiers(scanner) : none };
  },
  async run(session, { set, items: asked, modifiers: { changedSince, vanished, partial } }, byUid) {
    const { mailbox, enabled } = session;
    // RFC 7162 §3.2.6
    if (vanished && !(byUid && changedSince !== null && enabled.qresync)) {
      throw bad('VANISHED is for UID FETCH with CHANGEDSINCE, once QRESYNC is enabled');
    }
    if (partial && !byUid) throw bad('PARTIAL is for UID FETCH');
    const named = byUid ? mailbox.view.resolveUids(set) : mailbox.view.resolveSequences(set);
    const uids = partial ? named.subarray(...placesOf(named.length, partial)) : named;
    const since = changedSince as ModSeq | null; // as a client says it
    if (since !== null || asked.some(({ item }) => item === 'MODSEQ')) enableCondstore(session);
    if (vanished && since !== null) {
      const numbers = set !== 'saved' && 'besideSaved' in set ? set.besideSaved : set;
      const runs = numbers === 'saved' ? runsOf(uids) : [...rangesOf(numbers, MAX_UID)];
      await tellVanished(session, mailbox, since, runs);
    }
    // RFC 7162 §3.1.4.1: CHANGEDSINCE asks for MODSEQ. RFC 3501 §6.4.8: the response to a UID command always has the UID.
    const listed = since === null ? asked : withItem(asked, 'MODSEQ');
    const items = byUid && !enabled.uidOnly ? withItem(listed, 'UID') : listed;
    const wanted = since === null ? uids : await changedAmong(session, uids, since);
    const whole = await fetchMessages(session, wanted, items);
    // RFC 3516 §4.3
    if (!whole) throw no('A part is in an encoding that is not known here', 'UNKNOWN-CTE');
    return ok('Fetched');
  },
});

/** Those of `uids`, which ascend, that were changed after `since`: their rows are found without a look at the others. */
async function changedAmong({ store, mailbox }: Session, uids: Uint32Array, since: ModSeq): Promise<Uint32Array> {
  const changed = new Set<number>();
  let at = since;
  let after: number | undefined;
  for (;;) {
    const { rows } = await store.read.changedSince(mailbox.id, at, after);
    for (const { uid } of rows) changed.add(uid);
    const last = rows.at(-1);
    if (!last) return uids.filter((uid) => changed.has(uid));
    at = last.modSeq;
    after = last.uid;
  }
}

function withItem(items: readonly FetchItem[], item: 'UID' | 'FLAGS' | 'MODSEQ'): readonly FetchItem[] {
  return items.some((other) => other.item === item) ? items : [{ item }, ...items];
}

/** What a FETCH that has set \Seen tells beside what it was asked for (RFC 3501 §6.4.5, RFC 7162 §3.2.4). */
function withSeen(items: readonly FetchItem[], enabled: Enabled): readonly FetchItem[] {
  return unasked(withItem(items, 'FLAGS'), enabled);
}

/** What a FETCH response has that no FETCH has asked for (RFC 7162 §3.2.4). */
export function unasked(items: readonly FetchItem[], { condstore, rev2, uidOnly }: Enabled): readonly FetchItem[] {
  const named = (condstore || rev2) && !uidOnly ? withItem(items, 'UID') : items;
  return condstore ? withItem(named, 'MODSEQ') : named;
}

/** Tells of messages, also of those that nobody's FETCH has asked for. @param uids of the view
 * @returns false where something could not be decoded */
export async function fetchMessages(
  session: Session,
  uids: Uint32Array,
  items: readonly FetchItem[],
): Promise<boolean> {
  const asked = askedFor(items);
  let whole = true;
  for (let at = 0; at < uids.length; at += LIMIT.page) {
    if (!(await fetchPage(session, uids.subarray(at, at + LIMIT.page), asked))) whole = false;
  }
  return whole;
}

async function fetchPage(session: Session, uids: Uint32Array, asked: Asked): Promise<boolean> {
  const { mailbox, store, writer, enabled } = session;
  const { id, view } = mailbox;
  await writer.ready();
  const { rows: read } = await store.read.messages(id, uids);
  const { rows, seen } = await setSeen(session, read, asked.items);
  const askedOfSeen = seen.size > 0 ? askedFor(withSeen(asked.items, enabled)) : asked;
  const bodies = asked.summary ? rows.map(({ body }) => body) : [];
  let summaries = bodies.length > 0 ? await store.read.summaries(bodies) : null;
  let whole = true;
  for (const [at, row] of rows.entries()) {
    const sequence = view.sequenceOf(row.uid);
    if (sequence === 0) continue;
    if (writer.full) await writer.ready();
    // Large ones come a few at a time.
    if (summaries !== null && !summaries.has(row.body)) summaries = await store.read.summaries(bodies.slice(at));
    const blob = summaries?.get(row.body);
    const summary = blob ? new Summary(blob) : null;
    const fetched = { row, sequence, recent: view.isRecent(row.uid), summary };
    const { items, short, flags, modSeq } = seen.has(row.uid) ? askedOfSeen : asked;
    if (flags) mailbox.introduce(row.keywords);
    if (modSeq) view.shownModSeq = Math.max(view.shownModSeq, row.modSeq);
    if (short) writeShort(session, fetched, short);
    else if (!(await writeFetch(session, fetched, items))) whole = false;
    // RFC 7162 §3.2.4: flags that have changed come with their MODSEQ, so what was told without it is still news.
    if (flags && (modSeq || !enabled.condstore)) view.flagsTold(row.uid, row.modSeq);
  }
  return whole;
}

/** RFC 3501 §6.4.5: BODY[…] (and BINARY[…]) without PEEK sets \Seen, and the change is told with the response. EXAMINE sets nothing. */
async function setSeen(
  { mailbox, store }: Session,
  rows: readonly MessageRow[],
  items: readonly FetchItem[],
): Promise<{ readonly rows: readonly MessageRow[]; readonly seen: ReadonlySet<Uid> }> {
  const { id, view } = mailbox;
  const sets = items.some((item) => (item.item === 'section' || item.item === 'BINARY') && !item.peek);
  const wanted = sets && mailbox.rights.mayChange(Flag.Seen);
  const unseen = wanted ? rows.filter((row) => (row.flags & Flag.Seen) === 0 && !row.expunged) : [];
  if (unseen.length === 0) return { rows, seen: new Set() };
  const after = await ifRoom(
    store.execute({
      kind: 'flags',
      mailbox: id,
      uids: unseen.map(({ uid }) => uid),
      mode: 'add',
      flags: Flag.Seen,
      keywords: [],
      unchangedSince: null,
      only: { flags: Flag.Seen, keywords: false },
      view: view.id,
    }),
  );
  if (after === null) return { rows, seen: new Set() };
  const places = new Map(Array.from(after.uids, (uid, i) => [uid, i]));
  const changed = rows.map((row) => {
    const place = places.get(row.uid);
    if (place === undefined) return row;
    const keywords = after.keywords?.[place] ?? [];
    return { ...row, flags: after.flags[place] ?? row.flags, keywords, modSeq: after.modSeq };
  });
  return { rows: changed, seen: new Set(Array.from(after.uids) as Uid[]) }; // as the store names them
}
