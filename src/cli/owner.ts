// Whose a store is where no server runs: what root's verbs leave there must be its user's, or the server could not open its
// own store any more.

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Root goes on, for good, as the user whose folder this is, or is to be: whose is the nearest one above it that is there.
 * Nothing happens to others, nor where it is root's.
 * @throws NodeJS.ErrnoException
 */
export async function becomeOwner(folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await nearest(folder);
  if (uid === 0) return;
  process.setgroups?.([]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

async function nearest(folder: string): Promise<{ readonly uid: number; readonly gid: number }> {
  try {
    return await stat(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // the file system's
    const above = dirname(folder);
    if (code !== 'ENOENT' || above === folder) throw error;
    return await nearest(above);
  }
}
