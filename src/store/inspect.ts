// The reads alone, for a verb that looks at a store while a server may run on it. It takes no lock and writes nothing.

import { existsSync } from 'node:fs';
import { Connection } from './engine.ts';
import { storeFiles } from './folder.ts';
import { Limit } from './limits.ts';
import { MailboxIndex } from './reads/mailbox-index.ts';
import { createReads } from './reads/reads.ts';
import { Summaries } from './reads/summaries.ts';
import { migrations, schemaVersion } from './schema/migrations.ts';
import { type Reads, StoreError } from './store.ts';

export interface StoreReader extends AsyncDisposable {
  readonly read: Reads;
  close(): Promise<void>;
}

/** Opens a store for reading. There are no summaries. @throws StoreError missing: no store; refused: another version */
export async function openReads(folder: string): Promise<StoreReader> {
  const files = storeFiles(folder);
  if (!existsSync(files.mail)) throw new StoreError('missing', `There is no store in ${folder}`);
  const db = new Connection(files.mail, { readOnly: true, wait: Limit.checkpointWait });
  const version = schemaVersion(db);
  if (version !== migrations.length) {
    db.close();
    throw new StoreError(
      'refused',
      `The store in ${folder} has version ${version}; this program reads version ${migrations.length}`,
    );
  }
  const nothing = { keep: () => {}, derive: async () => undefined, released: () => {} };
  const summaries = new Summaries(db, files.derived, null, nothing);
  // Each read sees the newest state, so that the index of a mailbox is as good as its MODSEQ.
  const read = createReads(db, new MailboxIndex(), summaries, () => undefined);
  const close = async () => db.close();
  return { read, close, [Symbol.asyncDispose]: close };
}
