// A folder made with all that are missing above it, by single steps. Node's own `recursive` is not used: where a system
// answers ENOENT to whoever makes something in a folder that is there, as Linux does in /proc, it tries again without end.

import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder, at once, so that a start need not wait for its turn; one that is there is left as it is.
 * @param mode of all that are made, cut by the umask
 * @returns whether it was made
 * @throws NodeJS.ErrnoException
 */
export function makeFolders(path: string, mode: number): boolean {
  try {
    return makeOne(path, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // the file system's
    const above = dirname(path);
    if (code !== 'ENOENT' || above === path) throw error;
    makeFolders(above, mode);
    return makeOne(path, mode);
  }
}

function makeOne(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    if (isFolder(path)) return false;
    throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
