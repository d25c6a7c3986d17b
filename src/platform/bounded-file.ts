// A file read whole, and no further than its reader can use: the paths of configuration and certificates are typed by
// people, and one of them may lead to a device that never ends.

import { open } from 'node:fs/promises';

const STEP = 64 * 1024;

/** The octets of a file. @throws NodeJS.ErrnoException, with the code EFBIG for one that is over `max` octets */
export async function readBounded(path: string, max: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const parts: Buffer[] = [];
    for (let size = 0; ; ) {
      // No position: a pipe has none.
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(STEP), 0, STEP, null);
      if (bytesRead === 0) return Buffer.concat(parts, size);
      size += bytesRead;
      if (size > max) throw Object.assign(new Error(`${path} is over ${max} octets`), { code: 'EFBIG' });
      parts.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
