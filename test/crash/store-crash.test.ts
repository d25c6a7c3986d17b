// kill -9 at random moments of a load on the store: every message that was acknowledged is there once and whole, in the
// mailbox and in the queue, and nothing is there twice. POSTERN_CRASH_RUNS says how often.

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { MessageRow } from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';
import { bodyOctets, mailboxOf } from '../store/mail.ts';
import { storeFolder } from '../store/open-folder.ts';

const RUNS = Number(process.env.POSTERN_CRASH_RUNS ?? 10);
const CHILD = fileURLToPath(new URL('./store-child.ts', import.meta.url));

/** Lets a child send, and kills it behind a random acknowledgement. @returns what it acknowledged */
async function killedRun(folder: string, from: number): Promise<readonly number[]> {
  const child = spawn(process.execPath, [CHILD, folder, String(from)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const killAfter = randomInt(1, 400);
  let output = '';
  let lines = 0;
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    output += text;
    lines += text.split('\n').length - 1;
    if (lines >= killAfter) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  expect(signal).toBe('SIGKILL');
  // A line that was cut is no acknowledgement.
  return output.split('\n').slice(0, -1).map(Number);
}

async function subjectOf(store: Store, row: MessageRow): Promise<number> {
  const text = Buffer.from(await bodyOctets(store, row.body, row.size)).toString('latin1');
  expect(text.endsWith('end')).toBe(true);
  expect(text).toHaveLength(row.size);
  return Number(/^Subject: (\d+)\r\n/.exec(text)?.[1]);
}

async function delivered(store: Store): Promise<readonly number[]> {
  const [alice] = await store.read.accounts();
  const inbox = await mailboxOf(store, alice?.id ?? (0 as never));
  const { uids } = await store.read.uids(inbox.id);
  expect(inbox.messages).toBe(uids.length);
  const numbers: number[] = [];
  for (let at = 0; at < uids.length; at += 500) {
    const { rows } = await store.read.messages(inbox.id, uids.slice(at, at + 500));
    for (const row of rows) numbers.push(await subjectOf(store, row));
  }
  return numbers;
}

async function queued(store: Store): Promise<readonly number[]> {
  const numbers: number[] = [];
  for (let after = 0; ; ) {
    const page = await store.read.queue.list({ after: after as never, limit: 500 });
    for (const { entry } of page) numbers.push(Number(entry.recipient.localPart.slice(1)));
    const last = page.at(-1);
    if (last === undefined) return numbers;
    after = last.entry.id;
  }
}

const sorted = (numbers: readonly number[]) => [...numbers].sort((one, other) => one - other);

it(`loses and doubles nothing in ${RUNS} kills`, { timeout: 30_000 + RUNS * 5_000 }, async () => {
  await using place = await storeFolder();
  const acknowledged: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    acknowledged.push(...(await killedRun(place.folder, run * 1_000_000)));
    await using store = await place.open();
    const found = sorted(await delivered(store));
    expect(found).toEqual([...new Set(found)]);
    expect(sorted(await queued(store))).toEqual(found);
    const there = new Set(found);
    expect(acknowledged.filter((number) => !there.has(number))).toEqual([]);
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(RUNS);
});
