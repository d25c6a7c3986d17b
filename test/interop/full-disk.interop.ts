// A disk that others have filled to the last page, as a real file system has it: nothing more is taken, everything can be
// read, and mail can be deleted. Needs root, for a file system of the test's own.

import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ImapClient } from '../clients/imap.ts';
import { PASSWORD, Program, userAddress } from '../process/program.ts';

const MIB = 1_048_576;
const MESSAGE = Buffer.from(`Subject: x\r\n\r\n${`${'y'.repeat(70)}\r\n`.repeat(1_400)}`);
const MOUNT = 'mkdir "$0/data" && mount -t tmpfs -o size=96m tmpfs "$0/data" && exec "$@"';

/** Writes to a file until no page is left, as a log that nobody looks at does. */
function fill(folder: string): void {
  const file = openSync(join(folder, 'log'), 'a');
  try {
    for (;;) writeSync(file, Buffer.alloc(4_096, 'z'));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(file);
  }
}

test('mail can be deleted, also while others take each page that is given up', async () => {
  await using program = await Program.start({
    under: (folder) => ['unshare', '--mount', 'sh', '-c', MOUNT, folder],
    logLevel: 'warn',
  });
  const data = join('/proc', String(program.pid), 'root', program.folder, 'data');
  // The server makes it when it has run for a minute.
  writeFileSync(join(data, 'ballast'), Buffer.alloc(16 * MIB));
  const door = { port: program.port(993), tls: 'implicit' } as const;
  using client = await ImapClient.open(door, { user: userAddress(1), password: PASSWORD });
  const append = () => client.command(`APPEND INBOX {${MESSAGE.length}+}`, [MESSAGE]);
  for (let number = 0; number < 40; number++) expect((await append()).status).toBe('OK');
  fill(data);
  await client.done('SELECT INBOX');
  expect(await append()).toMatchObject({ status: 'NO', text: expect.stringMatching(/^\[UNAVAILABLE\]/) });
  for (let round = 0; round < 6; round++) {
    await client.done('STORE 1:5 +FLAGS.SILENT (\\Deleted)');
    await client.done('EXPUNGE');
    fill(data);
  }
  const left = await client.done('FETCH 1:* BODY.PEEK[]');
  expect(left.map(({ literals }) => literals[0]?.equals(MESSAGE))).toEqual(Array(10).fill(true));
  expect(program.output.filter((line) => line.includes('is given up'))).toHaveLength(1);
});
