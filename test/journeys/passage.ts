// What journeys wait for: the queue of a server as it changes, and time that passes until something is to be done.

import type { EntryRow } from '../../src/store/rows.ts';
import type { Server, World } from '../world.ts';

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

/** The queue's entries, in order. */
export async function queueOf({ running }: Server): Promise<EntryRow[]> {
  const rows = await running.store.read.queue.list({ limit: 500 });
  return rows.map(({ entry }) => entry);
}

/** Resolves when `condition` holds; looked at after each change of the queue. */
export async function queueUntil(
  server: Server,
  condition: (entries: readonly EntryRow[]) => boolean,
): Promise<readonly EntryRow[]> {
  let wake = (): void => undefined;
  const stop = server.running.store.follow({ kind: 'queue' }, () => wake());
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const entries = await queueOf(server);
      if (condition(entries)) return entries;
      await changed;
    }
  } finally {
    stop();
  }
}

/** Resolves when every entry has been tried, and waits. */
export function queueWaits(server: Server, attempts = 1): Promise<readonly EntryRow[]> {
  return queueUntil(
    server,
    (entries) => entries.length > 0 && entries.every((entry) => entry.attempts >= attempts && entry.last !== null),
  );
}

/** Moves the clock to the next thing that a server's queue has to do, and lets it be done. */
export async function pass({ clock }: World, server: Server): Promise<void> {
  const next = await server.running.store.read.queue.nextAt();
  if (next === null) throw new Error('nothing is queued');
  const before = JSON.stringify(await queueOf(server));
  clock.advance(Math.max(0, next - clock.now()));
  await queueUntil(server, (entries) => JSON.stringify(entries) !== before);
}
