// The queue's commands: entries made by accept, settled after a try, and an operator's hand. One entry a recipient; a
// transit is what the entries of one message share, and goes with the last of them.

import type { Accept, CommandOf, Dispatch, Results, Settlement } from '../commands.ts';
import { Limit } from '../limits.ts';
import type { Attempt, BodyId, EntryId, EntryState, TransitId } from '../rows.ts';
import { StoreError } from '../store.ts';
import { dropBody, releaseBody } from '../writer/bodies.ts';
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
  const suspended = new Set(destinationsOf(sent).filter((destination) => isSuspended(work, destination)));
  const ids = sent.entries.map((entry) => {
    const id = work.numbers.next('entry');
    const state = suspended.has(entry.destination) ? 'suspended' : 'waiting';
    const due = dueAt(state, entry.nextAt, entry.expiresAt, entry.warnAt);
    nextAt = Math.min(nextAt, due ?? nextAt);
    work.db.run(
      `INSERT INTO entry (id, transit, recipient, parameters, destination, state, created_at, next_at, expires_at,
       warn_at, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      transit,
      JSON.stringify(entry.recipient),
      JSON.stringify(entry.parameters),
      entry.destination,
      state,
      command.now,
      entry.nextAt,
      entry.expiresAt,
      entry.warnAt,
      due,
    );
    return id;
  });
  if (ids.length === 0) dropTransit(work, transit, body);
  else {
    const destinations = destinationsOf(sent).filter((destination) => !suspended.has(destination));
    work.publish({ kind: 'queue', nextAt, destinations, byHand: false });
  }
  return ids;
}

function destinationsOf({ entries }: Dispatch): readonly string[] {
  return [...new Set(entries.map(({ destination }) => destination))];
}

/** When somebody has to look at an entry; null: not before an operator says so. */
function dueAt(state: EntryState, nextAt: number, expiresAt: number, warnAt: number | null): number | null {
  if (state !== 'waiting') return null;
  return Math.min(nextAt, expiresAt, warnAt ?? Number.POSITIVE_INFINITY);
}

interface Queued {
  readonly transit: TransitId;
  readonly attempts: number;
  readonly next_at: number;
  readonly expires_at: number;
  readonly warn_at: number | null;
  readonly state: EntryState;
  readonly destination: string;
}

function queued(work: Work, entry: EntryId): Queued | undefined {
  return work.db.get<Queued>(
    'SELECT transit, attempts, next_at, expires_at, warn_at, state, destination FROM entry WHERE id = ?',
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
    // An operator may have made it due while a notice of the try waited to be written.
    const byHand = settlement.attempt !== null && row.next_at > settlement.attempt.at;
    const next = byHand ? row.next_at : (then.nextAt ?? row.next_at);
    const due = dueAt(row.state, next, row.expires_at, then.warnAt);
    nextAt = Math.min(nextAt, due ?? nextAt);
    work.db.run(
      `UPDATE entry SET attempts = ?, next_at = ?, warn_at = ?, due_at = ?, last = coalesce(?, last) WHERE id = ?`,
      attempts,
      next,
      then.warnAt,
      due,
      settlement.attempt === null ? null : JSON.stringify({ ...settlement.attempt, transcript: undefined }),
      settlement.entry,
    );
    if (settlement.attempt !== null) recordAttempt(work, settlement.entry, attempts, settlement.attempt);
  }
  // Also where nothing falls due: whoever waits for an entry sees it gone.
  work.publish({ kind: 'queue', nextAt, destinations: [], byHand: false });
}

/** Adds to a tally of `queue status`. */
export function count(work: Work, name: string, more: number): void {
  work.db.run(
    'INSERT INTO tally (name, count) VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count',
    name,
    more,
  );
}

/** The last attempts are kept, and the first, which says what was wrong to begin with. */
function recordAttempt(work: Work, entry: EntryId, number: number, attempt: Attempt): void {
  work.db.run('INSERT INTO attempt (entry, number, attempt) VALUES (?, ?, ?)', entry, number, JSON.stringify(attempt));
  const silent = number - Limit.transcripts;
  if (silent > 1) {
    const sql = "UPDATE attempt SET attempt = json_remove(attempt, '$.transcript') WHERE entry = ? AND number = ?";
    work.db.run(sql, entry, silent);
  }
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
  if (gone !== undefined) dropBody(work, gone.body);
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
  if (changed > 0) work.publish({ kind: 'queue', nextAt, destinations: [], byHand: true });
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
      const state = isSuspended(work, row.destination) ? 'suspended' : 'waiting';
      const due = dueAt(state, nextAt, row.expires_at, row.warn_at);
      work.db.run('UPDATE entry SET state = ?, next_at = ?, due_at = ? WHERE id = ?', state, nextAt, due, entry);
      return due ?? Number.POSITIVE_INFINITY;
    }
  }
}

function isSuspended(work: Work, destination: string): boolean {
  return work.db.get('SELECT 1 FROM suspension WHERE domain = ?', destination) !== undefined;
}

/** suspend-destination: a slice of what waits for a destination, so that the writer is never busy with it for long. The
 * mark is set with the first slice and taken away with the last: new mail in between fares as the rest will. */
export function suspendDestination(
  work: Work,
  { destination, suspended, now }: CommandOf<'suspend-destination'>,
): Results['suspend-destination'] {
  const slice = suspended ? suspendSome(work, destination, now) : resumeSome(work, destination);
  const nextAt = suspended || slice === 0 ? Number.POSITIVE_INFINITY : now;
  work.publish({ kind: 'queue', nextAt, destinations: [], byHand: true });
  return { changed: slice, more: slice === Limit.suspensionSlice };
}

function suspendSome(work: Work, destination: string, now: number): number {
  const { count = 0 } = work.db.get<{ count: number }>('SELECT count(*) AS count FROM suspension') ?? {};
  if (count >= Limit.suspensions && !isSuspended(work, destination)) {
    throw new StoreError('refused', `No more than ${Limit.suspensions} destinations can be suspended`);
  }
  work.db.run('INSERT INTO suspension (domain, since) VALUES (?, ?) ON CONFLICT DO NOTHING', destination, now);
  return work.db.run(
    `UPDATE entry SET state = 'suspended', due_at = NULL WHERE id IN
     (SELECT id FROM entry WHERE destination = ? AND due_at IS NOT NULL LIMIT ${Limit.suspensionSlice})`,
    destination,
  );
}

function resumeSome(work: Work, destination: string): number {
  const changed = work.db.run(
    `UPDATE entry SET state = 'waiting', due_at = min(next_at, expires_at, coalesce(warn_at, expires_at)) WHERE id IN
     (SELECT id FROM entry WHERE destination = ? AND due_at IS NULL AND state = 'suspended'
      LIMIT ${Limit.suspensionSlice})`,
    destination,
  );
  if (changed < Limit.suspensionSlice) work.db.run('DELETE FROM suspension WHERE domain = ?', destination);
  return changed;
}
