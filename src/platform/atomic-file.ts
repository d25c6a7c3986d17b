// A file that comes into being as a whole: readers see the old or the new one, and a crash leaves one of them.

import { randomUUID } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes `text` to `path` by way of a new file beside it, on disk before it gets the name.
 * @throws NodeJS.ErrnoException */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  await place(path, text, mode, rename);
}

/** As replaceFile, where there is no file yet. @throws NodeJS.ErrnoException, with the code EEXIST where there is one */
export async function createFile(path: string, text: string, mode: number): Promise<void> {
  await place(path, text, mode, async (fresh) => {
    await link(fresh, path);
    await rm(fresh);
  });
}

async function place(
  path: string,
  text: string,
  mode: number,
  name: (fresh: string, path: string) => Promise<void>,
): Promise<void> {
  const fresh = `${path}.${randomUUID()}`;
  try {
    const file = await open(fresh, 'wx', mode);
    try {
      // The mode of open is cut by the umask, never widened: a key is 0600 from its first moment.
      await file.chmod(mode);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await name(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
