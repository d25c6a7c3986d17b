// A client that reads 1 KB/s of a 50 MB FETCH: the others hardly notice, nothing piles up in memory, and the log of the
// store is emptied behind its back.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { ImapClient } from '../clients/imap.ts';
import { occupied } from '../fuzz/occupied.ts';
import { dial, type Gate, openGate, PASSWORD } from './gate.ts';

const MiB = 1_048_576;
const BODY = 50 * MiB;
const WAL_CAP = 16 * MiB;
/** Octets that are written meanwhile: were the log pinned, it would grow to as much. */
const WRITTEN = 64 * MiB;
const LETTER = MiB / 4;
/** What may be written between two looks at the log. */
const LOOK = 16 * MiB;

const OTHERS = 4;
const NOOPS = 100;
/** What the others may wait for a NOOP, at the 99th percentile, ms, beyond what they wait without the slow client: the
 * machine may be busy with others. */
const MOST_WAIT = 50;
/** Whoever is held up by the slow client waits in each round. */
const ROUNDS = 8;

const login = { user: 'alice@example.test', password: PASSWORD };

let gate: Gate;

beforeAll(async () => {
  gate = await openGate({ clock: systemClock, walCap: WAL_CAP });
  await gate.fill('Archive', [Buffer.alloc(BODY, 'Subject: x\r\n\r\nAll work and no play makes Jack a dull boy.\r\n')]);
});
afterAll(() => gate[Symbol.asyncDispose]());

const logSize = () => statSync(join(gate.folder, 'mail.db-wal')).size;

async function open(): Promise<ImapClient> {
  const client = await ImapClient.open({ port: gate.port }, login);
  await client.done('SELECT Archive');
  return client;
}

async function noops(client: ImapClient, times: number[]): Promise<void> {
  for (let count = 0; count < NOOPS; count++) {
    const started = performance.now();
    await client.done('NOOP');
    times.push(performance.now() - started);
  }
}

/** The 99th percentile of a round of NOOPs of each client, ms. */
async function waitOf(clients: readonly ImapClient[]): Promise<number> {
  const times: number[] = [];
  await Promise.all(clients.map((client) => noops(client, times)));
  times.sort((one, other) => one - other);
  return times[Math.floor(times.length * 0.99)] ?? Number.POSITIVE_INFINITY;
}

test('a slow reader leaves the others alone, and the log', async () => {
  const others = await Promise.all(Array.from({ length: OTHERS }, open));
  const alone = Math.min(await waitOf(others), await waitOf(others));
  const before = await occupied();
  const slow = await dial(gate.port);
  slow.pause();
  slow.write(`a LOGIN ${login.user} ${login.password}\r\nb SELECT Archive\r\nc FETCH 1 BODY.PEEK[]\r\n`);
  const trickle = setInterval(() => slow.read(1_024), 1_000);
  await expect.poll(() => gate.imap.sessions).toBe(OTHERS + 1);

  let largest = 0;
  const write = async () => {
    for (let written = 0; written < WRITTEN / ROUNDS; written += LETTER) {
      await gate.fill('INBOX', [Buffer.alloc(LETTER, 'x')]);
      largest = Math.max(largest, logSize());
    }
  };
  const waits: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [wait] = await Promise.all([waitOf(others), write()]);
    waits.push(wait);
  }
  expect(Math.min(...waits)).toBeLessThan(alone + MOST_WAIT);
  expect(largest).toBeLessThanOrEqual(WAL_CAP + LOOK);
  expect((await occupied()) - before).toBeLessThan(4 * MiB);
  // Nothing is held open in the store: what one session writes, another sees.
  await others[0]?.done('STORE 1 +FLAGS.SILENT (\\Flagged)');
  expect((await others[1]?.done('NOOP'))?.[0]?.text).toMatch(/^\* 1 FETCH \(FLAGS \(\\Flagged\b/);
  // Nor has the slow one been given up.
  expect(slow.destroyed).toBe(false);
  clearInterval(trickle);
  slow.destroy();
  for (const client of others) client[Symbol.dispose]();
  await expect.poll(() => gate.imap.sessions).toBe(0);
});
