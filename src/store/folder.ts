// The store's files in the data folder.

import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

export interface StoreFiles {
  readonly mail: string;
  readonly derived: string;
  readonly lock: string;
}

export function storeFiles(folder: string): StoreFiles {
  return {
    mail: join(folder, 'mail.db'),
    derived: join(folder, 'derived.db'),
    lock: join(folder, 'lock.db'),
  };
}

/** Makes the folder, for its owner alone. */
export function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
}
