// What becomes of the sessions when the store thread ends under them.

import { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { Feed } from '../../src/store/front/feed.ts';
import { Front } from '../../src/store/front/front.ts';
import { StagingBudget } from '../../src/store/front/staging.ts';
import { MailboxIndex } from '../../src/store/reads/mailbox-index.ts';
import type { Commit } from '../../src/store/rows.ts';
import type { Reads } from '../../src/store/store.ts';

/** A front over a writer that ends, without a word, at its first command, or when it is told to.
 * @param broken it says at once that it does nothing any more
 * @param order takes who has closed, one after the other */
function begin({ feed = new Feed(1 as Commit), broken = false, order = [] as string[] } = {}) {
  const code = `const { parentPort, workerData } = require('node:worker_threads');
  if (workerData) parentPort.postMessage({ kind: 'broken', failure: { kind: 'failed', message: '', detail: '' } });
  parentPort.on('message', (parcel) => {
    if (parcel.some(({ id }) => id > 0)) process.exit(7);
    if (parcel.some(({ id }) => id === 'close')) parentPort.close();
  })`;
  const given = { unlocked: false };
  const writer = new Worker(code, { eval: true, workerData: broken });
  writer.once('exit', () => order.push('writer'));
  const front = new Front({
    writer,
    feed,
    index: new MailboxIndex(),
    // Nothing is read here.
    read: {} as Reads,
    budget: new StagingBudget(1_000, 1_000),
    clock: systemClock,
    log: pino({ level: 'silent' }),
    closeReaders: async () => {
      order.push('readers');
    },
    unlock: () => {
      given.unlocked = true;
    },
  });
  return { front, given };
}

it('answers whoever waits, and says that the store failed', async () => {
  const feed = new Feed(1 as Commit);
  const { front, given } = begin({ feed });
  const told = feed.reached(2 as Commit);
  const commands = Array.from({ length: 3 }, () => front.execute({ kind: 'discard', stage: 1 }));
  for (const command of commands) await expect(command).rejects.toMatchObject({ kind: 'failed' });
  await told;
  expect((await front.failed).kind).toBe('failed');
  await expect(front.execute({ kind: 'discard', stage: 1 })).rejects.toMatchObject({ kind: 'failed' });
  await front.close();
  expect(given.unlocked).toBe(true);
});

it('lets go of what reads before the writer does, so that the log is tidied, but not where nothing more may be done', async () => {
  for (const broken of [false, true]) {
    const order: string[] = [];
    const { front } = begin({ broken, order });
    if (broken) await front.failed;
    await front.close();
    expect(order).toEqual(broken ? ['writer', 'readers'] : ['readers', 'writer']);
  }
});

it('is closed where that happens while it closes', async () => {
  const { front, given } = begin();
  const command = front.execute({ kind: 'discard', stage: 1 });
  const closed = front.close();
  await expect(command).rejects.toMatchObject({ kind: 'failed' });
  await closed;
  expect(given.unlocked).toBe(true);
});
