// A store whose files can grow no more: what was accepted is there, what was not is not, and the server lives. The limit
// of the process on the size of a file (RLIMIT_FSIZE) stands for the end of the disk.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { acceptance, delivery, mailboxOf } from '../store/mail.ts';
import { storeFolder } from '../store/open-folder.ts';

const CHILD = fileURLToPath(new URL('./store-full-child.ts', import.meta.url));
/** Blocks of 512 octets: 6 MB. */
const BLOCKS = 12_000;

it('writes nothing by halves where nothing can be written, and goes on where it can', async () => {
  await using place = await storeFolder();
  const script = `ulimit -f ${BLOCKS} && exec "$0" "$@"`;
  const child = spawn('/bin/sh', ['-c', script, process.execPath, CHILD, place.folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  expect(code).toBe(0);
  const { accepted, refused, there } = JSON.parse(output);
  expect(accepted).toBeGreaterThan(10);
  expect(refused).toBe(50);
  expect(there).toBe(accepted);
  const store = await place.open();
  const [alice] = await store.read.accounts();
  const owner = alice?.id ?? (0 as never);
  expect((await mailboxOf(store, owner)).messages).toBe(accepted);
  await store.execute(await acceptance(store, new Uint8Array(300_000), [delivery(owner)]));
  expect((await mailboxOf(store, owner)).messages).toBe(accepted + 1);
});
