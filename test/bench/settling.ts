// What a server is measured in: with its work behind the scenes done, and where asked, with nothing of its files in the
// kernel's memory.

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cpuSeconds } from './process-tree.ts';
import type { LoadedServer } from './server.ts';

/** Seconds without work that count as rest, and seconds until nobody waits any longer. */
const REST = 3;
const PATIENCE = 600;
/** CPU seconds in one second that are still rest. */
const STILL = 0.02;

/** Waits until the server has caught up with itself. @returns why its figures mean nothing; empty: it has */
export async function settle(server: LoadedServer): Promise<string[]> {
  const pids = await server.pids();
  let still = 0;
  for (let waited = 0; waited < PATIENCE; waited++) {
    const before = cpuSeconds(pids);
    await sleep(1000);
    still = cpuSeconds(pids) - before <= STILL ? still + 1 : 0;
    if (still < REST) continue;
    const behind = (await server.unindexed?.()) ?? 0;
    if (behind === 0) return [];
  }
  const behind = (await server.unindexed?.()) ?? 0;
  return [behind > 0 ? `the search index lacks ${behind} messages` : 'the server did not come to rest'];
}

/** Drops what the kernel keeps of files. What a server keeps in its own memory stays. @returns as `settle` */
export async function dropCaches(): Promise<string[]> {
  try {
    await promisify(execFile)('sync');
    await writeFile('/proc/sys/vm/drop_caches', '3');
    return [];
  } catch {
    return ['caches were not dropped, for which root is needed'];
  }
}
