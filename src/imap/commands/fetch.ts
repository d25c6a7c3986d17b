// FETCH and UID FETCH (RFC 3501 §6.4.5): pages of rows, one response for each message. What another session has expunged
// is still answered, as long as this one has not been told.

import type { MessageRow, Uid } from '../../store/rows.ts';
import { Flag } from '../../store/rows.ts';
import { ok } from '../completion.ts';
import { type FetchItem, fetchItems } from '../grammar/fetch-items.ts';
import { sequenceSet } from '../grammar/sequence-set.ts';
import { LIMIT } from '../limits.ts';
import { openSummary } from '../render/summary.ts';
import { command, SELECTED, type Session } from './command.ts';
import { needsSummary, writeFetch } from './fetch-response.ts';

/** fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")") */
export const fetch = command({
  name: 'FETCH',
  states: SELECTED,
  uid: 'allowed',
  expunge: 'told in UID form',
  grammar(scanner) {
    scanner.space();
    const set = sequenceSet(scanner);
    scanner.space();
    return { set, items: fetchItems(scanner) };
  },
  async run(session, { set, items: asked }, byUid) {
    const { view } = session.mailbox;
    const uids = byUid ? view.resolveUids(set) : view.resolveSequences(set);
    // RFC 3501 §6.4.8: the response to a UID command always has the UID.
    const items = byUid ? withItem(asked, 'UID') : asked;
    for (let at = 0; at < uids.length; at += LIMIT.page) {
      await fetchPage(session, uids.subarray(at, at + LIMIT.page), items);
    }
    return ok('Fetched');
  },
});

function withItem(items: readonly FetchItem[], item: 'UID' | 'FLAGS'): readonly FetchItem[] {
  return items.some((other) => other.item === item) ? items : [{ item }, ...items];
}

async function fetchPage(session: Session, uids: Uint32Array, items: readonly FetchItem[]): Promise<void> {
  const { mailbox, store, writer } = session;
  const { id, view } = mailbox;
  await writer.ready();
  const { rows: read } = await store.read.messages(id, uids);
  const { rows, seen } = await setSeen(session, read, items);
  const bodies = items.some(needsSummary) ? rows.map(({ body }) => body) : [];
  let summaries = bodies.length > 0 ? await store.read.summaries(bodies) : null;
  for (const [at, row] of rows.entries()) {
    const sequence = view.sequenceOf(row.uid);
    if (sequence === 0) continue;
    if (writer.full) await writer.ready();
    // Large ones come a few at a time.
    if (summaries !== null && !summaries.has(row.body)) summaries = await store.read.summaries(bodies.slice(at));
    const blob = summaries?.get(row.body);
    const itemsOfRow = seen.has(row.uid) ? withItem(items, 'FLAGS') : items;
    const summary = blob ? openSummary(blob) : null;
    await writeFetch(session, { row, sequence, recent: view.isRecent(row.uid), summary }, itemsOfRow);
    if (itemsOfRow.some(({ item }) => item === 'FLAGS')) view.flagsTold(row.uid, row.modSeq);
  }
}

/** RFC 3501 §6.4.5: BODY[…] without PEEK sets \Seen, and the change is told with the response. EXAMINE sets nothing. */
async function setSeen(
  { mailbox, store }: Session,
  rows: readonly MessageRow[],
  items: readonly FetchItem[],
): Promise<{ readonly rows: readonly MessageRow[]; readonly seen: ReadonlySet<Uid> }> {
  const { id, view } = mailbox;
  const wanted = items.some((item) => item.item === 'section' && !item.peek) && !view.readOnly;
  const unseen = wanted ? rows.filter((row) => (row.flags & Flag.Seen) === 0 && !row.expunged) : [];
  if (unseen.length === 0) return { rows, seen: new Set() };
  const after = await store.execute({
    kind: 'flags',
    mailbox: id,
    uids: unseen.map(({ uid }) => uid),
    mode: 'add',
    flags: Flag.Seen,
    keywords: [],
    unchangedSince: null,
    view: view.id,
  });
  const places = new Map(Array.from(after.uids, (uid, i) => [uid, i]));
  const changed = rows.map((row) => {
    const place = places.get(row.uid);
    if (place === undefined) return row;
    const keywords = after.keywords?.[place] ?? [];
    return { ...row, flags: after.flags[place] ?? row.flags, keywords, modSeq: after.modSeq };
  });
  return { rows: changed, seen: new Set(Array.from(after.uids) as Uid[]) }; // as the store names them
}
