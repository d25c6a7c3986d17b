// A Maildir of a user's own, as programs that bring mail from a server to a disk keep it.

import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** Makes a mailbox. @returns its path */
export async function makeMaildir(path: string): Promise<string> {
  for (const part of ['cur', 'new', 'tmp']) await mkdir(join(path, part), { recursive: true });
  return path;
}

/** Path of each message of a mailbox, by its subject. */
export async function pathsBySubject(mailbox: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const part of ['cur', 'new']) {
    for (const name of await readdir(join(mailbox, part))) {
      const octets = await readFile(join(mailbox, part, name), 'utf8');
      found.set(/^Subject: (.*?)\r?$/m.exec(octets)?.[1] ?? '', join(mailbox, part, name));
    }
  }
  return found;
}

/** Gives a message flags, such as `FS`, as a mail program does that shows the mailbox. */
export async function flagFile(path: string, flags: string): Promise<void> {
  await rename(path, `${path.replace(/\/new\//, '/cur/').replace(/:2,.*$/, '')}:2,${flags}`);
}
