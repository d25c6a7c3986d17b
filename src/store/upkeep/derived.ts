// derived.db: what can be computed again, the summaries of bodies and the search index (text-index.ts). Its own file,
// never waited for; one that is missing, damaged, of another deriver or ahead of mail.db (which was restored, then) is
// made anew.

import { existsSync, rmSync } from 'node:fs';
import { Connection, isDamaged } from '../engine.ts';
import type { BodyId, Commit } from '../rows.ts';
import { dropTexts, TEXT_SCHEMA } from './text-index.ts';

const LAYOUT = 3;

const SCHEMA = `
CREATE TABLE about (
  id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL, deriver INTEGER NOT NULL, commit_number INTEGER NOT NULL
) STRICT;
CREATE TABLE summary (body INTEGER PRIMARY KEY, octets BLOB NOT NULL) STRICT;
${TEXT_SCHEMA}
PRAGMA user_version = ${LAYOUT};
`;

/** Which store the summaries belong to, and how far it is. */
export interface Origin {
  readonly epoch: string;
  readonly commit: Commit;
}

/** The store that a mail.db is. */
export function originOf(mail: Connection): Origin {
  const row = mail.get<{ epoch: string; commit: Commit }>('SELECT epoch, commit_number AS "commit" FROM meta');
  if (row === undefined) throw new Error('The store has no meta row');
  return row;
}

/**
 * Opens derived.db for writing.
 * @returns undefined: it is not there, does not fit or is damaged, so that it is to be made anew
 * @throws where it cannot be had now, and may be later: it is locked, or the disk is full
 */
export function openDerived(path: string, origin: Origin, deriver: number): Connection | undefined {
  if (!existsSync(path)) return undefined;
  let db: Connection | undefined;
  try {
    db = configured(path);
    if (fits(db, origin, deriver)) return db;
  } catch (error) {
    if (!isDamaged(error)) {
      db?.close();
      throw error;
    }
  }
  db?.close();
  return undefined;
}

/**
 * Makes derived.db anew. No other connection of this process may have the old one open, or be opening it: SQLite finds
 * the shared memory by the file's name, and would cut that of the new file short under whoever uses it, which ends the
 * process.
 */
export function makeDerived(path: string, origin: Origin, deriver: number): Connection {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
  const db = configured(path);
  try {
    inTransaction(db, () => {
      db.exec(SCHEMA);
      db.run('INSERT INTO about (id, epoch, deriver, commit_number) VALUES (1, ?, ?, ?)', origin.epoch, deriver, 0);
    });
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function configured(path: string): Connection {
  const db = new Connection(path, { wait: 1_000, cache: 4_096 });
  try {
    // The defaults of checkpoints are right here: nobody waits for this thread.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function fits(db: Connection, origin: Origin, deriver: number): boolean {
  const layout = db.get<{ user_version: number }>('PRAGMA user_version')?.user_version;
  if (layout !== LAYOUT) return false;
  const about = db.get<{ epoch: string; deriver: number; seen: number }>(
    'SELECT epoch, deriver, commit_number AS seen FROM about',
  );
  return about?.epoch === origin.epoch && about.deriver === deriver && about.seen <= origin.commit;
}

/** Keeps summaries, and how far the store was when they were computed. */
export function keepSummaries(
  db: Connection,
  commit: Commit,
  summaries: readonly (readonly [BodyId, Uint8Array])[],
): void {
  inTransaction(db, () => {
    for (const [body, octets] of summaries) {
      db.run('INSERT OR REPLACE INTO summary (body, octets) VALUES (?, ?)', body, octets);
    }
    db.run('UPDATE about SET commit_number = ?', commit);
  });
}

/** Forgets what was derived of bodies that are gone. */
export function forgetBodies(db: Connection, bodies: readonly BodyId[]): void {
  inTransaction(db, () => {
    for (const body of bodies) db.run('DELETE FROM summary WHERE body = ?', body);
    dropTexts(db, bodies);
  });
}

/** All of it, or nothing. */
export function inTransaction(db: Connection, action: () => void): void {
  db.run('BEGIN IMMEDIATE');
  try {
    action();
    db.run('COMMIT');
  } finally {
    if (db.inTransaction) db.run('ROLLBACK');
  }
}

/** A summary that is kept. */
export function keptSummary(db: Connection, body: BodyId): Uint8Array | undefined {
  return db.get<{ octets: Uint8Array }>('SELECT octets FROM summary WHERE body = ?', body)?.octets;
}

/** Ids this close together are read in one scan. */
const DENSE = 4;

/** Those of the bodies that have a summary. What lies together is read together. */
export function keptSummaries(db: Connection, bodies: readonly BodyId[]): ReadonlyMap<BodyId, Uint8Array> {
  const found = new Map<BodyId, Uint8Array>();
  const first = Math.min(...bodies);
  const last = Math.max(...bodies);
  if (bodies.length < 2 || last - first >= DENSE * bodies.length) {
    for (const body of bodies) {
      const summary = keptSummary(db, body);
      if (summary) found.set(body, summary);
    }
    return found;
  }
  const rows = db.all<{ body: BodyId; octets: Uint8Array }>(
    'SELECT body, octets FROM summary WHERE body BETWEEN ? AND ?',
    first,
    last,
  );
  for (const { body, octets } of rows) found.set(body, octets);
  return found;
}
