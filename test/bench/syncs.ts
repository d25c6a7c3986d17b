// Does a server put mail on disk before it says that it has it? Traces its processes for a few messages, one after another, and
// counts completed fsync and fdatasync calls. Done beside the timed loads, since strace slows what it watches.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { SmtpClient } from '../clients/smtp.ts';
import { createBatch } from './message.ts';
import { descendants } from './process-tree.ts';
import { doorOf, type LoadedServer, userAddress } from './server.ts';

export interface SyncFigures {
  readonly messages: number;
  readonly syncs: number;
}

const MESSAGES = 20;

/** @param send puts one message there, and waits until the server has said that it is */
export async function countSyncs(server: LoadedServer, send: (number: number) => Promise<void>): Promise<SyncFigures> {
  const pids = descendants(await server.pids());
  const names = pids.flatMap((pid) => ['-p', String(pid)]);
  const trace = spawn('strace', ['-f', '-q', '-e', 'trace=fsync,fdatasync', '-e', 'signal=none', ...names], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let syncs = 0;
  const attached = new Promise<void>((resolve, reject) => {
    trace.on('error', reject);
    trace.on('exit', () => reject(new Error('strace ended at once')));
    // With -q strace says nothing when it has attached: the first traced system call of a busy server would. A settled
    // time is enough here, since too short a one only counts too few.
    setTimeout(resolve, 1500);
  });
  createInterface({ input: trace.stderr }).on('line', (line) => {
    if (/\b(?:fsync|fdatasync)(?:\(| resumed).*= 0$/.test(line)) syncs++;
  });
  await attached;
  for (let number = 0; number < MESSAGES; number++) await send(number);
  trace.kill('SIGINT');
  await once(trace, 'exit');
  return { messages: MESSAGES, syncs };
}

/** The same of messages that come by SMTP. */
export async function countDeliverySyncs(server: LoadedServer): Promise<SyncFigures> {
  const batch = createBatch('sync', 2048);
  const client = await SmtpClient.open(doorOf(server, 25, 'none'));
  const figures = await countSyncs(server, async (number) => {
    const content = batch.content(number, 'load@sender.test', userAddress(19));
    await client.send('load@sender.test', [userAddress(19)], content);
  });
  await client.quit();
  return figures;
}
