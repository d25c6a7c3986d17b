// The child of store-crash.test.ts. It accepts messages for alice and for the queue, many at a time, and prints the
// number and UID of each once it is acknowledged; beside them actors do everything else. It is never asked to stop.

import { writeSync } from 'node:fs';
import { pino } from 'pino';
import { systemClock } from '../../src/platform/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { acceptance, delivery, dispatchTo, octets } from '../store/mail.ts';
import { Actor } from './store-actor.ts';

const [, , folder = '', from = '0'] = process.argv;
const store = await openStore({ folder, log: pino({ level: 'silent' }), clock: systemClock, deriver: null });
const { account } = await store.execute({
  kind: 'put-account',
  address: 'alice@example.test',
  aliases: [],
  quota: null,
  password: null,
  seeded: false,
  existing: 'keep',
});

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Synchronous: what is printed was acknowledged before the kill. */
function say(line: unknown): void {
  let left = octets(`${JSON.stringify(line)}\n`);
  while (left.length > 0) {
    try {
      left = left.subarray(writeSync(1, left));
    } catch (error) {
      // The pipe is full while the parent is busy.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

let next = Number(from);

async function sender(): Promise<never> {
  for (;;) {
    const number = next++;
    // Some bodies go ahead in chunks.
    const filler = 'x'.repeat(number % 40 === 0 ? 300_000 : number % 5_000);
    const content = octets(`Subject: ${number}\r\n\r\n${filler}end`);
    const command = await acceptance(store, content, [delivery(account)], dispatchTo(`n${number}@remote.test`));
    const { placed } = await store.execute(command);
    say({ number, uid: placed[0]?.uid });
  }
}

async function actor(name: string): Promise<never> {
  return await new Actor(store, account, name).run((about, step, uids) => say({ actor: name, about, step, uids }));
}

await Promise.all([
  ...Array.from({ length: 5 }, sender),
  ...Array.from({ length: 5 }, (_, at) => actor(`r${from}-${at}`)),
]);
