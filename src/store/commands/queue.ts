// The queue's commands: entries made by accept, settled after a try, and an operator's hand. One entry a recipient; a
// transit is what the entries of one message share, and goes with the last of them.

import type { Accept, CommandOf, Dispatch, Results, Settlement } from '../commands.ts';
import { Limit } from '../limits.ts';
import type { Attempt, BodyId, EntryId, TransitId } from '../rows.ts';
import { releaseBody } from '../writer/bodies.ts';
import { storedPrefix } from '../writer/placement.ts';
import type { Work } from '../writer/work.ts';

/** Puts a message into the queue. @returns its entries, in the order of the recipients */
export function dispatch(work: Work, command: Accept, sent: Dispatch, body: BodyId): readonly EntryId[] {
  const transit = work.numbers.next('transit');
  work.db.run(
    `INSERT INTO transit (id, body, prefix, size, header_size, reverse_path, parameters, message_id, origin, created_at,
     entries) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    transit,
    body,
    storedPrefix(sent.prefix),
    sent.prefix.length + command.body.size,
    sent.prefix.length + command.facts.headerSize,
    JSON.stringify(sent.reversePath),
    JSON.stringify(sent.parameters),
    command.messageId,
    JSON.stringify(sent.origin),
    command.now,
    sent.entries.length,
  );
  let nextAt = Number.POSITIVE_INFINITY;
  const ids = sent.entries.map((entry) => {
    const id = work.numbers.next('entry');
    const due = dueAt(entry.nextAt, entry.expiresAt, entry.warnAt);
    nextAt = Math.min(nextAt, due);
    work.db.run(
      `INSERT INTO entry (id, transit, recipient, parameters, destination, state, created_at, next_at, expires_at,
       warn_at, due_at) VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?, ?, ?, ?)`,
      id,
      transit,
      JSON.stringify(entry.recipient),
      JSON.stringify(entry.parameters),
      entry.destination,
      command.now,
      entry.nextAt,
      entry.expiresAt,
      entry.warnAt,
      due,
    );
    return id;
  });
  if (ids.length === 0) dropTransit(work, transit, body);
  else work.publish({ kind: 'queue', nextAt, destinations: destinationsOf(sent) });
  return ids;
}

function destinationsOf({ entries }: Dispatch): readonly string[] {
  return [...new Set(entries.map(({ destination }) => destination))];
}

/** When somebody has to look at an entry. */
function dueAt(nextAt: number, expiresAt: number, warnAt: number | null): number {
  return Math.min(nextAt, expiresAt, warnAt ?? Number.POSITIVE_INFINITY);
}

interface Queued {
  readonly transit: TransitId;
  readonly attempts: number;
  readonly next_at: number;
  readonly expires_at: number;
  readonly warn_at: number | null;
  readonly state: 'waiting' | 'held';
}

function queued(work: Work, entry: EntryId): Queued | undefined {
  return work.db.get<Queued>(
    'SELECT transit, attempts, next_at, expires_at, warn_at, state FROM entry WHERE id = ?',
    entry,
  );
}

/** settle: what became of entries. One that is gone (an operator removed it) is passed over. */
export function settle(work: Work, settlements: readonly Settlement[]): void {
  if (settlements.length === 0) return;
  let nextAt = Number.POSITIVE_INFINITY;
  for (const settlement of settlements) {
    const row = queued(work, settlement.entry);
    if (row === undefined) continue;
    const { then } = settlement;
    if (then.kind !== 'retry') {
      removeEntry(work, settlement.entry, row);
      continue;
    }
    const attempts = row.attempts + (settlement.attempt === null ? 0 : 1);
    const due = row.state === 'held' ? null : dueAt(then.nextAt, row.expires_at, then.warnAt);
    nextAt = Math.min(nextAt, due ?? nextAt);
    work.db.run(
      `UPDATE entry SET attempts = ?, next_at = ?, warn_at = ?, due_at = ?, last = coalesce(?, last) WHERE id = ?`,
      attempts,
      then.nextAt,
      then.warnAt,
      due,
      settlement.attempt === null ? null : JSON.stringify(settlement.attempt),
      settlement.entry,
    );
    if (settlement.attempt !== null) recordAttempt(work, settlement.entry, attempts, settlement.attempt);
  }
  // Also where nothing falls due: whoever waits for an entry sees it gone.
  work.publish({ kind: 'queue', nextAt, destinations: [] });
}

/** The last attempts are kept, and the first, which says what was wrong to begin with. */
function recordAttempt(work: Work, entry: EntryId, number: number, attempt: Attempt): void {
  work.db.run('INSERT INTO attempt (entry, number, attempt) VALUES (?, ?, ?)', entry, number, JSON.stringify(attempt));
  if (number > Limit.attempts) {
    work.db.run('DELETE FROM attempt WHERE entry = ? AND number = ?', entry, number - Limit.attempts + 1);
  }
}

function removeEntry(work: Work, entry: EntryId, { attempts, transit }: Queued): void {
  if (attempts > 0) work.db.run('DELETE FROM attempt WHERE entry = ?', entry);
  work.db.run('DELETE FROM entry WHERE id = ?', entry);
  const gone = work.db.get<{ body: BodyId }>(
    'DELETE FROM transit WHERE id = ? AND entries = 1 RETURNING body',
    transit,
  );
  if (gone !== undefined) releaseBody(work, gone.body);
  else work.db.run('UPDATE transit SET entries = entries - 1 WHERE id = ?', transit);
}

function dropTransit(work: Work, transit: TransitId, body: BodyId): void {
  work.db.run('DELETE FROM transit WHERE id = ?', transit);
  releaseBody(work, body);
}

/** queue-control: an operator's hand on the queue. @returns how many entries it touched */
export function queueControl(work: Work, command: CommandOf<'queue-control'>): Results['queue-control'] {
  let changed = 0;
  let nextAt = Number.POSITIVE_INFINITY;
  for (const entry of command.entries) {
    const row = queued(work, entry);
    if (row === undefined) continue;
    changed += 1;
    nextAt = Math.min(nextAt, control(work, entry, row, command));
  }
  if (changed > 0) work.publish({ kind: 'queue', nextAt, destinations: [] });
  return { changed };
}

/** @returns when the entry falls due now */
function control(work: Work, entry: EntryId, row: Queued, command: CommandOf<'queue-control'>): number {
  switch (command.action) {
    case 'remove':
      removeEntry(work, entry, row);
      return Number.POSITIVE_INFINITY;
    case 'hold':
      work.db.run("UPDATE entry SET state = 'held', due_at = NULL WHERE id = ?", entry);
      return Number.POSITIVE_INFINITY;
    case 'release':
    case 'retry': {
      const nextAt = command.action === 'retry' ? command.now : row.next_at;
      const due = dueAt(nextAt, row.expires_at, row.warn_at);
      work.db.run("UPDATE entry SET state = 'waiting', next_at = ?, due_at = ? WHERE id = ?", nextAt, due, entry);
      return due;
    }
  }
}
