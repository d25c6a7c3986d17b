// Reads of the queue.

import { formatAddress, type ReversePath } from '../../formats/address.ts';
import type { Connection } from '../engine.ts';
import { Limit } from '../limits.ts';
import type { Attempt, BodyId, EntryId, EntryRow, EntryState, TransitId, TransitRow } from '../rows.ts';
import type { QueueFilter, QueueReads, QueueStatus } from '../store.ts';
import { ENTRIES, queueSql } from './queue-sql.ts';
import type { Snapshots } from './snapshot.ts';

interface Entry {
  readonly id: EntryId;
  readonly transit: TransitId;
  readonly recipient: string;
  readonly parameters: string;
  readonly destination: string;
  readonly state: EntryState;
  readonly attempts: number;
  readonly created_at: number;
  readonly next_at: number;
  readonly expires_at: number;
  readonly warn_at: number | null;
  readonly last: string | null;
}

interface Transit {
  readonly id: TransitId;
  readonly body: BodyId;
  readonly prefix: Uint8Array | null;
  readonly size: number;
  readonly header_size: number;
  readonly reverse_path: string;
  readonly parameters: string;
  readonly message_id: string;
  readonly origin: string;
  readonly created_at: number;
}

type Queued = Awaited<ReturnType<QueueReads['due']>>[number];

const COUNT = `SELECT count(*) AS count FROM
    (SELECT 1 FROM entry WHERE destination = ? LIMIT ${Limit.sortedEntries + 1})`;
/** A negative limit is none. */
const SIZE = 'SELECT count(*) AS entries FROM (SELECT 1 FROM entry LIMIT 0 + ?)';
const STATES = 'SELECT state, count(*) AS count FROM entry GROUP BY state';
const BUSIEST = `SELECT destination, count(*) AS entries FROM entry GROUP BY destination
  ORDER BY entries DESC, destination LIMIT 20`;

export function queueReads(snapshots: Snapshots): QueueReads {
  const read = <T>(look: (db: Connection) => T): Promise<T> => Promise.resolve().then(() => snapshots.read(look));
  return {
    dueDestinations: (now, limit) =>
      read((db) => {
        // Those that are in hand are among them: with a page of them nobody else would be found.
        const most = Math.max(0, Math.min(limit, Limit.dueDestinations));
        const longest = db.all<{ destination: string; seen: number }>(queueSql.longestDue, now);
        // Where a few destinations fill the window, all of them are looked at.
        const whole = longest.length >= most || (longest[0]?.seen ?? 0) < Limit.dueWindow;
        const rows = whole ? longest : db.all<{ destination: string }>(queueSql.destinations, now, most);
        return rows.slice(0, most).map((row) => row.destination);
      }),
    due: (destination, now, limit, but = []) => {
      const inHand = JSON.stringify([...but]);
      return read((db) => withTransits(db, db.all<Entry>(queueSql.due, destination, now, inHand, page(limit))));
    },
    nextAt: (after = -1) =>
      read((db) => {
        return db.get<{ due: number | null }>(queueSql.nextAt, after)?.due ?? null;
      }),
    list: ({ destination, after, limit }) =>
      read((db) => {
        const from = after ?? 0;
        const rows =
          destination === undefined
            ? db.all<Entry>(`${ENTRIES} WHERE id > ? ORDER BY id LIMIT 0 + ?`, from, page(limit))
            : db.all<Entry>(
                `${ENTRIES} WHERE destination = ? AND id > ? ORDER BY id LIMIT 0 + ?`,
                destination,
                from,
                page(limit),
              );
        return withTransits(db, rows);
      }),
    entry: (id) =>
      read((db) => {
        const [found] = withTransits(db, db.all<Entry>(`${ENTRIES} WHERE id = ?`, id));
        return found === undefined ? undefined : { ...found, attempts: attemptsOf(db, id) };
      }),
    transit: (id) => read((db) => transitOf(db, id)),
    find: (filter, after) => read((db) => find(db, filter, after)),
    status: () => read(status),
    size: (most = -1) => read((db) => db.get<{ entries: number }>(SIZE, most)?.entries ?? 0),
  };
}

/** Entries behind an id: from the queue as it is, or, where that is less, put in order from those of one destination. */
function entriesAfter(db: Connection, destination: string | undefined, after: EntryId | 0): readonly Entry[] {
  const few =
    destination !== undefined && (db.get<{ count: number }>(COUNT, destination)?.count ?? 0) <= Limit.sortedEntries;
  if (!few) return db.all<Entry>(`${ENTRIES} WHERE id > ? ORDER BY id LIMIT ${Limit.pageRows}`, after);
  const sql = `${ENTRIES} WHERE destination = ? AND id > ? ORDER BY id LIMIT ${Limit.pageRows}`;
  return db.all<Entry>(sql, destination, after);
}

function find(db: Connection, filter: QueueFilter, after: EntryId | null): Awaited<ReturnType<QueueReads['find']>> {
  const looked = entriesAfter(db, filter.destination, after ?? 0);
  const { destination, state, until, message } = filter;
  const likely = looked.filter(
    (row) =>
      (destination === undefined || row.destination === destination) &&
      (state === undefined || row.state === state) &&
      (until === undefined || row.created_at <= until),
  );
  const rows = withTransits(db, likely).filter(
    ({ entry, transit }) =>
      (message === undefined || transit.messageId === message) &&
      isMeant(filter.recipient, entry.recipient) &&
      isMeant(filter.sender, transit.reversePath),
  );
  return { rows, next: looked.length < Limit.pageRows ? null : (looked.at(-1)?.id ?? null) };
}

/** Does a filter's text mean this address? */
function isMeant(text: string | undefined, path: ReversePath): boolean {
  if (text === undefined) return true;
  if (path === null) return text === '<>';
  const wanted = text.toLowerCase();
  return wanted.startsWith('@')
    ? wanted === `@${path.domain.toLowerCase()}`
    : wanted === formatAddress(path).toLowerCase();
}

function status(db: Connection): QueueStatus {
  const states = { waiting: 0, held: 0, suspended: 0 };
  for (const { state, count } of db.all<{ state: EntryState; count: number }>(STATES)) states[state] = count;
  const transits = db.get<{ messages: number; octets: number | null }>(
    'SELECT count(*) AS messages, sum(size) AS octets FROM transit',
  );
  return {
    entries: states.waiting + states.held + states.suspended,
    messages: transits?.messages ?? 0,
    octets: transits?.octets ?? 0,
    states,
    oldest: db.get<{ oldest: number }>('SELECT created_at AS oldest FROM entry ORDER BY id LIMIT 1')?.oldest ?? null,
    suspended: db.all(`SELECT domain AS destination, since FROM suspension ORDER BY domain LIMIT ${Limit.pageRows}`),
    destinations: db.all(BUSIEST),
    tallies: Object.fromEntries(
      db.all<{ name: string; count: number }>('SELECT name, count FROM tally').map(({ name, count }) => [name, count]),
    ),
  };
}

function page(limit: number): number {
  return Math.max(0, Math.min(limit, Limit.pageRows));
}

function attemptsOf(db: Connection, entry: EntryId): readonly Attempt[] {
  const rows = db.all<{ attempt: string }>(queueSql.attempts, entry);
  return rows.map((row) => JSON.parse(row.attempt));
}

/** Entries with their transits, each of which is read once. */
function withTransits(db: Connection, entries: readonly Entry[]): readonly Queued[] {
  const transits = new Map<TransitId, TransitRow | undefined>();
  return entries.flatMap((entry) => {
    if (!transits.has(entry.transit)) transits.set(entry.transit, transitOf(db, entry.transit));
    const transit = transits.get(entry.transit);
    return transit === undefined ? [] : [{ entry: entryRow(entry), transit }];
  });
}

function transitOf(db: Connection, id: TransitId): TransitRow | undefined {
  const row = db.get<Transit>(queueSql.transit, id);
  if (row === undefined) return undefined;
  return {
    id: row.id,
    body: row.body,
    prefix: row.prefix ?? new Uint8Array(0),
    size: row.size,
    headerSize: row.header_size,
    reversePath: JSON.parse(row.reverse_path),
    parameters: JSON.parse(row.parameters),
    messageId: row.message_id,
    origin: JSON.parse(row.origin),
    createdAt: row.created_at,
  };
}

function entryRow(row: Entry): EntryRow {
  return {
    id: row.id,
    transit: row.transit,
    recipient: JSON.parse(row.recipient),
    parameters: JSON.parse(row.parameters),
    destination: row.destination,
    state: row.state,
    attempts: row.attempts,
    createdAt: row.created_at,
    nextAt: row.next_at,
    expiresAt: row.expires_at,
    warnAt: row.warn_at,
    last: row.last === null ? null : JSON.parse(row.last),
  };
}
