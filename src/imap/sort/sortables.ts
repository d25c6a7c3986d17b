// What of the messages found is compared by SORT and THREAD: from their rows and their summaries, page by page.

import type { BodyId, MailboxId, Uid } from '../../store/rows.ts';
import { LIMIT } from '../limits.ts';
import { Summary } from '../render/summary.ts';
import type { Found, Reading } from '../search/finding.ts';
import type { Sortable } from './order.ts';
import type { SortKeys } from './sort-keys.ts';
import type { SortableCache } from './sortable-cache.ts';

/** What one message costs of a turn that is at hand, whose row is read, and whose summary is. */
const COST = 8;
const ROW_COST = 64;
const SUMMARY_COST = 512;

/** What sorting reads by. */
export interface Sorting extends Reading {
  readonly sortables: SortableCache;
}

/** In the order in which they were found. @param withKeys whether the summaries are needed */
export async function sortables(
  sorting: Sorting,
  mailbox: MailboxId,
  { uids, scores }: Pick<Found, 'uids' | 'scores'>,
  withKeys: boolean,
): Promise<Sortable[]> {
  const { turn } = sorting;
  const all: Sortable[] = [];
  for (let at = 0; at < uids.length; at += LIMIT.page) {
    const page = uids.slice(at, at + LIMIT.page) as Uid[]; // of the mailbox
    const known = sorting.sortables.of(mailbox);
    // Taken before anything is read: what is read drives out what is at hand, here and in other sessions.
    const messages = new Map<number, Sortable>();
    const missing: Uid[] = [];
    for (const uid of page) {
      const message = known.get(uid);
      if (message) messages.set(uid, message);
      else missing.push(uid);
    }
    for (const message of await readSortables(sorting, mailbox, missing, withKeys)) messages.set(message.uid, message);
    for (const [place, uid] of page.entries()) {
      const message = messages.get(uid);
      if (message) all.push(scores ? { ...message, score: scores[at + place] ?? 0 } : message);
    }
    turn.spend(page.length * COST);
    await turn.pass();
  }
  return all;
}

async function readSortables(
  sorting: Sorting,
  mailbox: MailboxId,
  uids: readonly Uid[],
  withKeys: boolean,
): Promise<Sortable[]> {
  if (uids.length === 0) return [];
  const { rows } = await sorting.store.read.outlines(mailbox, uids);
  sorting.turn.spend(rows.length * ROW_COST);
  const bodies = withKeys ? rows.map(({ body }) => body) : [];
  const keys = await keysOf(sorting, bodies);
  return rows.map(({ uid, body, size, internalDate }) => {
    const message = { uid, size, internalDate, score: 0, keys: keys.get(body) ?? null };
    sorting.sortables.put(mailbox, message);
    return message;
  });
}

async function keysOf({ store, turn }: Reading, bodies: readonly BodyId[]): Promise<ReadonlyMap<BodyId, SortKeys>> {
  const found = new Map<BodyId, SortKeys>();
  // Large ones come a few at a time.
  for (let missing = bodies; missing.length > 0; ) {
    const summaries = await store.read.summaries(missing);
    for (const [body, blob] of summaries) found.set(body, new Summary(blob).sortKeys);
    turn.spend(summaries.size * SUMMARY_COST);
    await turn.pass();
    missing = summaries.size > 0 ? missing.filter((body) => !found.has(body)) : [];
  }
  return found;
}
