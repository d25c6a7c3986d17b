// What of the messages found is compared by SORT and THREAD: from their rows and their summaries, page by page.

import type { MailboxId, Uid } from '../../store/rows.ts';
import { LIMIT } from '../limits.ts';
import { openSummary } from '../render/summary.ts';
import type { Found, Reading } from '../search/finding.ts';
import type { Sortable } from './order.ts';

/** What one message costs of a turn. */
const COST = 256;

/** In the order in which they were found. @param withKeys whether the summaries are needed */
export async function sortables(
  { store, turn }: Reading,
  mailbox: MailboxId,
  { uids, scores }: Pick<Found, 'uids' | 'scores'>,
  withKeys: boolean,
): Promise<Sortable[]> {
  const all: Sortable[] = [];
  let place = 0;
  for (let at = 0; at < uids.length; at += LIMIT.page) {
    const page = uids.slice(at, at + LIMIT.page) as Uid[]; // of the mailbox
    const { rows } = await store.read.outlines(mailbox, page);
    const bodies = withKeys ? rows.map(({ body }) => body) : [];
    let summaries = withKeys ? await store.read.summaries(bodies) : null;
    for (const [i, { uid, body, size, internalDate }] of rows.entries()) {
      // Large ones come a few at a time.
      if (summaries && !summaries.has(body)) summaries = await store.read.summaries(bodies.slice(i));
      const blob = summaries?.get(body);
      while (uids[place] !== uid) place += 1;
      const score = scores?.[place] ?? 0;
      all.push({ uid, size, internalDate, score, keys: blob ? openSummary(blob).sortKeys : null });
      turn.spend(COST);
      if (turn.over) await turn.pass();
    }
  }
  return all;
}
