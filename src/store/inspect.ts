// The reads alone, for a verb that looks at a store while a server may run on it, or start. It takes no lock, so that it may
// stay open for as long as somebody reads what it gave, and changes nothing: an empty log may be left behind.

import { existsSync } from 'node:fs';
import { Connection, unopened } from './engine.ts';
import { checkFileSystem } from './exclusion.ts';
import { storeFiles } from './folder.ts';
import { Limit } from './limits.ts';
import { MailboxIndex } from './reads/mailbox-index.ts';
import { createReads } from './reads/reads.ts';
import { Summaries } from './reads/summaries.ts';
import { migrations, refuseNewer, schemaVersion } from './schema/migrations.ts';
import { type Reads, StoreError } from './store.ts';

export interface StoreReader extends AsyncDisposable {
  readonly read: Reads;
  close(): Promise<void>;
}

/** Opens a store for reading. There are no summaries.
 * @throws StoreError missing: no store; refused: another version, or on a network drive */
export async function openReads(folder: string): Promise<StoreReader> {
  const files = storeFiles(folder);
  if (!existsSync(files.mail)) throw new StoreError('missing', `There is no store in ${folder}`);
  checkFileSystem(folder);
  const db = openMail(files.mail);
  const nothing = { keep: () => {}, derive: async () => undefined, released: () => {} };
  const summaries = new Summaries(db, files.derived, null, nothing);
  // Each read sees the newest state, so that the index of a mailbox is as good as its MODSEQ.
  const read = createReads(db, new MailboxIndex(), summaries, () => undefined);
  const close = async () => db.close();
  return { read, close, [Symbol.asyncDispose]: close };
}

function openMail(file: string): Connection {
  let db: Connection | undefined;
  try {
    db = new Connection(file, { readOnly: true, wait: Limit.checkpointWait });
    const version = schemaVersion(db);
    refuseNewer(version);
    if (version === migrations.length) return db;
    throw new StoreError(
      'refused',
      `The store, ${file}, has version ${version}; this program reads version ${migrations.length}: start its server, which ` +
        'brings the store up to date',
    );
  } catch (error) {
    db?.close();
    throw unopened(error, file);
  }
}
