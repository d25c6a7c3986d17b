// Was mail.db put back from a backup? A number that is new at each start and each end, and in each minute that has changed
// anything, stands in the database and in a file beside it; a copy of the database from before has another one. Then every
// UIDVALIDITY rises (RFC 3501 §2.3.1.1): UIDs that clients have seen since the backup would else be given out again.

import { randomInt } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Connection } from '../engine.ts';

/** More than were given out since any backup, of UIDVALIDITYs, mailboxes, e-mails and bodies, so that none comes twice: what
 * was derived of a body that is lost is never taken for that of another. */
const VALIDITIES_LOST = 100_000;
const MAILBOXES_LOST = 1_000_000;
const EMAILS_LOST = 4_294_967_296;
const BODIES_LOST = 4_294_967_296;

/**
 * To be called with an open store, before anything else is done to it.
 * @param beside the file that tells
 * @returns whether it was put back, and every UIDVALIDITY has risen
 */
export function noticeRestore(db: Connection, beside: string): boolean {
  const known = remembered(beside);
  const number = numberOf(db);
  // Without the file nobody knows, as it is with a backup in a new folder; but a store that never had a number is new.
  const restored = known === null ? number !== 0 : !known.includes(number);
  if (restored) raiseEverything(db);
  return restored;
}

/** The next number, in both places: a copy that was made until now is known to be one. A crash in between leaves the file
 * with both numbers, the old one and the one that was to come. @throws what the file system or the engine throws */
export function renewNumber(db: Connection, beside: string): void {
  const before = numberOf(db);
  const next = randomInt(1, 0x7fff_ffff);
  write(beside, `${before}\n${next}\n`);
  // In the header of the database: durable and undone with the transaction, like any row. On disk before the file forgets
  // the old one.
  db.exec(`PRAGMA synchronous = FULL; BEGIN IMMEDIATE; PRAGMA application_id = ${next}; COMMIT`);
  write(beside, `${next}\n`);
}

function numberOf(db: Connection): number {
  return db.get<{ application_id: number }>('PRAGMA application_id')?.application_id ?? 0;
}

function remembered(beside: string): readonly number[] | null {
  try {
    return readFileSync(beside, 'latin1').trim().split('\n').map(Number);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // the file system's
    if (code === 'ENOENT') return null;
    throw error;
  }
}

function raiseEverything(db: Connection): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    db.run(
      `UPDATE meta SET uid_validity = max(uid_validity, unixepoch()) + ?, mailbox = mailbox + ?, email = email + ?,
       body = body + ?`,
      VALIDITIES_LOST,
      MAILBOXES_LOST,
      EMAILS_LOST,
      BODIES_LOST,
    );
    db.run(
      `UPDATE mailbox SET uid_validity = (SELECT uid_validity FROM meta) + place
       FROM (SELECT id AS which, row_number() OVER (ORDER BY id) AS place FROM mailbox) WHERE id = which`,
    );
    db.run('UPDATE meta SET uid_validity = uid_validity + (SELECT count(*) FROM mailbox)');
    db.exec('COMMIT');
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** The old file or the new one, on disk. */
function write(path: string, text: string): void {
  const file = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
