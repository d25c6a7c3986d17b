// What waiting clients cost, and how soon they hear: memory of idle IMAP connections, and the time from the sender's 250
// to EXISTS.

import { setTimeout as sleep } from 'node:timers/promises';
import { ImapClient } from '../../clients/imap.ts';
import { SmtpClient } from '../../clients/smtp.ts';
import { createBatch } from '../message.ts';
import { cpuSeconds, memoryMiB } from '../process-tree.ts';
import { doorOf, type LoadedServer, loginOf, userAddress } from '../server.ts';
import { type Quantiles, quantiles, round } from '../statistics.ts';

export interface IdleOptions {
  readonly connections: number;
  /** Messages in each INBOX. */
  readonly messages: number;
  /** Seconds in IDLE before memory is read. */
  readonly settle: number;
}

export interface IdleFigures {
  readonly connections: number;
  readonly memoryMiB: number;
  readonly memoryKiBPerConnection: number;
  readonly idleCpuPercent: number;
  readonly resumed: number;
}

/** Mailboxes that the connections share. */
const OWNERS = 4;
/** Connections being opened at a time. */
const OPENING = 10;

export async function idle(server: LoadedServer, options: IdleOptions): Promise<IdleFigures> {
  await fill(server, options.messages);
  await server.restart();
  await sleep(3000);
  const pids = await server.pids();
  const before = memoryMiB(pids);
  const clients: ImapClient[] = [];
  let resumed = 0;
  let next = 0;
  const open = async (): Promise<void> => {
    while (next < options.connections) {
      const owner = 1 + (next++ % OWNERS);
      const client = await ImapClient.open(doorOf(server, 993, 'implicit'), loginOf(owner));
      if (client.link.secure?.isSessionReused()) resumed++;
      await client.done('SELECT INBOX');
      await client.idle();
      clients.push(client);
    }
  };
  await Promise.all(Array.from({ length: OPENING }, open));
  const cpuBegun = cpuSeconds(pids);
  await sleep(options.settle * 1000);
  const cpu = cpuSeconds(pids) - cpuBegun;
  const used = memoryMiB(pids) - before;
  for (const client of clients) client.link.destroy();
  return {
    connections: clients.length,
    memoryMiB: round(used, 1),
    memoryKiBPerConnection: round((used * 1024) / clients.length, 1),
    idleCpuPercent: round((100 * cpu) / options.settle, 2),
    resumed,
  };
}

export interface PushFigures {
  readonly afterReplyMs: Quantiles | null;
  readonly missing: number;
}

/** ms that EXISTS may take before it counts as missing. */
const PATIENCE = 35_000;

/** One waiting client, deliveries one after another. EXISTS before the 250 counts as 0 ms. */
export async function push(server: LoadedServer, deliveries: number): Promise<PushFigures> {
  const batch = createBatch(`push${process.pid}x${Math.round(performance.now())}`, 4096);
  const waiter = await ImapClient.open(doorOf(server, 993, 'implicit'), loginOf(9));
  await waiter.done('SELECT INBOX');
  await waiter.idle();
  const sender = await SmtpClient.open(doorOf(server, 25, 'none'));
  const waits: number[] = [];
  let missing = 0;
  for (let number = 0; number < deliveries; number++) {
    const exists = arrival(waiter);
    await sender.send('load@sender.test', [userAddress(9)], batch.content(number, 'load@sender.test', userAddress(9)));
    const replied = performance.now();
    const arrived = await Promise.race([exists, sleep(PATIENCE, null)]);
    if (arrived === null) {
      missing++;
      break;
    }
    waits.push(Math.max(0, arrived - replied));
    await sleep(20);
  }
  await sender.quit();
  waiter.link.destroy();
  return { afterReplyMs: quantiles(waits), missing };
}

async function arrival(waiter: ImapClient): Promise<number | null> {
  try {
    for (;;) if (/^\* \d+ EXISTS/.test((await waiter.response()).text)) return performance.now();
  } catch {
    return null;
  }
}

/** Fills the owners' INBOX up to `messages`, each message to all of them at once. */
async function fill(server: LoadedServer, messages: number): Promise<void> {
  const batch = createBatch('fill', 1024);
  const owners = Array.from({ length: OWNERS }, (_, index) => userAddress(index + 1));
  const mailbox = await ImapClient.open(doorOf(server, 993, 'implicit'), loginOf(1));
  const there = await mailbox.status('INBOX', 'MESSAGES');
  const sender = await SmtpClient.open(doorOf(server, 25, 'none'));
  for (let number = there; number < messages; number++) {
    await sender.send('load@sender.test', owners, batch.content(number, 'load@sender.test', 'owners@example.test'));
  }
  await sender.quit();
  while ((await mailbox.status('INBOX', 'MESSAGES')) < messages) await sleep(100);
  await mailbox.logout();
}
