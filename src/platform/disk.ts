// What the file system says of the disk that a path is on.

import { statfs } from 'node:fs/promises';

/** Octets that its owner may still write, and of the disk; null where it cannot be known. */
export async function diskOf(path: string): Promise<{ readonly free: number; readonly size: number } | null> {
  try {
    const { bavail, blocks, bsize } = await statfs(path);
    return { free: bavail * bsize, size: blocks * bsize };
  } catch {
    // Whoever writes will see what is wrong.
    return null;
  }
}
