// The child of store-full.test.ts: fills a store until nothing more can be written, and says what was accepted.

import { writeSync } from 'node:fs';
import { pino } from 'pino';
import { systemClock } from '../../src/platform/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { acceptance, account, delivery } from '../store/mail.ts';

const [, , folder = ''] = process.argv;
const log = pino({ level: 'silent' });
const store = await openStore({ folder, log, clock: systemClock, deriver: null, walCap: 2_097_152 });
const alice = await account(store);
let accepted = 0;
let refused = 0;
for (let at = 0; refused < 50 && at < 2_000; at++) {
  const content = new Uint8Array(at % 9 === 0 ? 300_000 : 40_000).fill(at);
  try {
    await store.execute(await acceptance(store, content, [delivery(alice)]));
    accepted += 1;
  } catch {
    refused += 1;
  }
}
const row = await store.read.account(alice);
writeSync(1, JSON.stringify({ accepted, refused, there: row?.usedMessages }));
await store.close();
