// Brings a store's schema from the version that its file says (user_version) to the one that this program knows. Each
// step is one transaction; a store of a newer version is left alone.

import type { Connection } from '../engine.ts';
import { StoreError } from '../store.ts';
import { versionOne } from './version-1.ts';
import { versionTwo } from './version-2.ts';
import { versionThree } from './version-3.ts';
import { versionFour } from './version-4.ts';
import { versionFive } from './version-5.ts';
import { versionSix } from './version-6.ts';
import { versionSeven } from './version-7.ts';
import { versionEight } from './version-8.ts';
import { versionNine } from './version-9.ts';

/** Step n leads from version n to version n + 1. Steps that were released are never changed again. */
export const migrations: readonly string[] = [
  versionOne,
  versionTwo,
  versionThree,
  versionFour,
  versionFive,
  versionSix,
  versionSeven,
  versionEight,
  versionNine,
];

/** The version of an open store; 0: nothing there yet. */
export function schemaVersion(connection: Connection): number {
  return connection.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
}

/** Runs what is missing of `steps`. @throws StoreError refused, for a store of a newer version or no store */
export function migrate(connection: Connection, steps: readonly string[] = migrations): void {
  const version = schemaVersion(connection);
  refuseNewer(version, steps.length);
  if (version === 0 && connection.get('SELECT 1 FROM sqlite_schema') !== undefined) {
    throw new StoreError('refused', 'mail.db is a database of something else');
  }
  for (let at = version; at < steps.length; at++) {
    connection.exec('BEGIN IMMEDIATE');
    try {
      connection.exec(steps[at] ?? '');
      connection.exec(`PRAGMA user_version = ${at + 1}`);
      connection.exec('COMMIT');
    } catch (error) {
      if (connection.inTransaction) connection.exec('ROLLBACK');
      throw error;
    }
  }
}

/** @throws StoreError refused */
export function refuseNewer(version: number, known: number = migrations.length): void {
  if (version <= known) return;
  throw new StoreError(
    'refused',
    `This store has version ${version}; this program knows versions up to ${known}. Start a newer Postern on it.`,
  );
}
