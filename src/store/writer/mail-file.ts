// mail.db as the writer opens it: with the log that it keeps itself, at the newest schema, and known as the one that was here
// last or as a backup that was put back.

import { type Connection, isDiskFull, storeError } from '../engine.ts';
import { Limit } from '../limits.ts';
import type { WriterData } from '../protocol.ts';
import { migrate } from '../schema/migrations.ts';
import type { Ballast } from './ballast.ts';
import { noticeRestore, renewNumber } from './restored.ts';

/** @param Kind of the connection @throws StoreError, or what the engine throws */
export function openMail(
  data: WriterData,
  Kind: typeof Connection,
  ballast: Ballast,
  warn: (text: string) => void,
): Connection {
  try {
    return openFile(data, Kind, warn);
  } catch (error) {
    if (isDiskFull(error) && ballast.drop()) return openFile(data, Kind, warn);
    throw error;
  }
}

function openFile(
  { path, walCap, epoch }: WriterData,
  Kind: typeof Connection,
  warn: (text: string) => void,
): Connection {
  const db = new Kind(path, { wait: Limit.checkpointWait, cache: 8_192 });
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL');
    // A log that grew over its cap behind a slow reader gives the room back when it begins anew.
    db.exec(`PRAGMA journal_size_limit = ${walCap}`);
    migrate(db);
    if (noticeRestore(db, epoch)) {
      warn('mail.db is not the one that was here last: every UIDVALIDITY has risen, and mail programs begin anew');
    }
    renew(db, epoch, warn);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Without a new number a backup of this run would not be known as one: no reason not to run. @returns what failed */
export function renew(db: Connection, epoch: string, warn: (text: string) => void): unknown {
  try {
    renewNumber(db, epoch);
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    warn(`${epoch} could not be written: ${storeError(error).message}`);
    return error;
  }
  return undefined;
}
