// The store's files in the data folder.

import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../platform/folder.ts';
import { StoreError } from './store.ts';

export interface StoreFiles {
  readonly mail: string;
  readonly derived: string;
  readonly lock: string;
  /** Tells whether mail.db was put back from a backup. */
  readonly epoch: string;
  /** Room for the day on which the disk is full. */
  readonly ballast: string;
}

export function storeFiles(folder: string): StoreFiles {
  return {
    mail: join(folder, 'mail.db'),
    derived: join(folder, 'derived.db'),
    lock: join(folder, 'lock.db'),
    epoch: join(folder, 'epoch'),
    ballast: join(folder, 'ballast'),
  };
}

/** Makes the folder, for its owner alone. @throws StoreError refused: it cannot be made, or is another user's */
export function makeFolder(folder: string): void {
  try {
    makeFolders(folder, 0o700);
    chmodSync(folder, 0o700);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException; // the file system's
    throw new StoreError(
      'refused',
      `The data folder, ${folder}, cannot be made this user's own (${code}): change its owner, or set data to another one`,
      { cause },
    );
  }
}
