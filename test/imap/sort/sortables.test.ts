// What is compared of the messages found: all of them, whatever of it is at hand.

import { expect, test } from 'vitest';
import { LIMIT } from '../../../src/imap/limits.ts';
import { derive, Summary } from '../../../src/imap/render/summary.ts';
import { SortableCache } from '../../../src/imap/sort/sortable-cache.ts';
import { type Sorting, sortables } from '../../../src/imap/sort/sortables.ts';
import { Turn } from '../../../src/platform/turn.ts';
import type { BodyId, MailboxId } from '../../../src/store/rows.ts';

const ONE = 1 as MailboxId; // a branded number
const blob = derive(() => new Uint8Array(0), 0);

/** A store that has every message. */
function sorting(): Sorting {
  const read = {
    outlines: async (_: MailboxId, uids: readonly number[]) => ({
      rows: uids.map((uid) => ({ uid, body: uid, size: 1, internalDate: 1 })),
    }),
    summaries: async (bodies: readonly BodyId[]) => new Map(bodies.map((body) => [body, blob])),
  };
  // Nothing else of a store is asked.
  return { store: { read } as unknown as Sorting['store'], turn: new Turn(262_144), sortables: new SortableCache() };
}

test('of a mailbox that is larger than what is kept, nothing is lost while what is at hand makes room', async () => {
  const octets = new Summary(blob).sortKeys.text.length + 200;
  const uids = Array.from({ length: 2 * Math.ceil(LIMIT.sortablesOctets / octets) }, (_, at) => at + 1);
  const messages = sorting();
  for (let round = 0; round < 3; round++) {
    const found = await sortables(messages, ONE, { uids, scores: null }, true);
    expect(found.every(({ uid }, at) => uid === at + 1) && found.length).toBe(uids.length);
  }
});
