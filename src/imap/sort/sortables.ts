// What of the messages found is compared by SORT and THREAD: from their rows and their summaries, page by page.

import type { BodyId, MailboxId, Uid } from '../../store/rows.ts';
import { LIMIT } from '../limits.ts';
import { openSummary } from '../render/summary.ts';
import type { Found, Reading } from '../search/finding.ts';
import type { Sortable } from './order.ts';
import type { SortKeyCache } from './sort-key-cache.ts';
import type { SortKeys } from './sort-keys.ts';

/** What one message costs of a turn. */
const COST = 64;
/** And what its summary costs. */
const SUMMARY_COST = 512;

/** What sorting reads by. */
export interface Sorting extends Reading {
  readonly sortKeys: SortKeyCache;
}

/** In the order in which they were found. @param withKeys whether the summaries are needed */
export async function sortables(
  sorting: Sorting,
  mailbox: MailboxId,
  { uids, scores }: Pick<Found, 'uids' | 'scores'>,
  withKeys: boolean,
): Promise<Sortable[]> {
  const { store, turn } = sorting;
  const all: Sortable[] = [];
  let place = 0;
  for (let at = 0; at < uids.length; at += LIMIT.page) {
    const page = uids.slice(at, at + LIMIT.page) as Uid[]; // of the mailbox
    const { rows } = await store.read.outlines(mailbox, page);
    const keys = withKeys
      ? await keysOf(
          sorting,
          rows.map(({ body }) => body),
        )
      : null;
    for (const { uid, body, size, internalDate } of rows) {
      while (uids[place] !== uid) place += 1;
      all.push({ uid, size, internalDate, score: scores?.[place] ?? 0, keys: keys?.get(body) ?? null });
    }
    turn.spend(rows.length * COST);
    await turn.pass();
  }
  return all;
}

async function keysOf({ store, turn, sortKeys }: Sorting, bodies: readonly BodyId[]): Promise<Map<BodyId, SortKeys>> {
  const found = new Map<BodyId, SortKeys>();
  let missing: BodyId[] = [];
  for (const body of bodies) {
    const keys = sortKeys.get(body);
    if (keys) found.set(body, keys);
    else missing.push(body);
  }
  // Large ones come a few at a time.
  while (missing.length > 0) {
    const summaries = await store.read.summaries(missing);
    for (const [body, blob] of summaries) {
      const keys = openSummary(blob).sortKeys;
      found.set(body, keys);
      sortKeys.put(body, keys);
    }
    turn.spend(summaries.size * SUMMARY_COST);
    await turn.pass();
    missing = summaries.size > 0 ? missing.filter((body) => !found.has(body)) : [];
  }
  return found;
}
