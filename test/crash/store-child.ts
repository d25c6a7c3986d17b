// The child of store-crash.test.ts: accepts messages for alice and for the queue, many at a time, and prints the number
// of each once it is acknowledged. It is never asked to stop.

import { writeSync } from 'node:fs';
import { pino } from 'pino';
import { systemClock } from '../../src/platform/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { acceptance, delivery, dispatchTo, octets } from '../store/mail.ts';

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

let next = Number(from);

async function sender(): Promise<never> {
  for (;;) {
    const number = next++;
    // Every tenth body goes ahead in chunks.
    const filler = 'x'.repeat(number % 10 === 0 ? 400_000 : number % 5_000);
    const content = octets(`Subject: ${number}\r\n\r\n${filler}end`);
    const command = await acceptance(store, content, [delivery(account)], dispatchTo(`n${number}@remote.test`));
    await store.execute(command);
    // Synchronous: what is printed was acknowledged before the kill.
    writeSync(1, `${number}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, sender));
