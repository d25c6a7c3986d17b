// `npm run bench:queue`: what a long queue costs the real program: its start, its memory, its looks at what is due; and then
// how fast it leaves when one host takes it all. Prints JSON.
//
//   npm run bench:queue -- [--entries 100000] [--destinations 1000]

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { systemClock } from '../../src/platform/clock.ts';
import { bodyFacts } from '../../src/store/facts.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { Program } from '../process/program.ts';
import { memoryMiB } from './process-tree.ts';
import { Sink } from './sink.ts';
import { quantiles, round } from './statistics.ts';

const { values } = parseArgs({
  options: { entries: { type: 'string', default: '100000' }, destinations: { type: 'string', default: '1000' } },
});
const [entries, destinations] = [Number(values.entries), Number(values.destinations)];
const RECIPIENTS = 10;
const HOUR = 3_600_000;

const opened = (folder: string): Promise<Store> =>
  openStore({ folder: join(folder, 'data'), log: pino({ level: 'silent' }), clock: systemClock, deriver: null });

/** Puts messages of 10 recipients into the queue, of all destinations in turn, due at some time in the next hour. */
async function fill(store: Store, now: number): Promise<void> {
  const octets = Buffer.from(`Subject: bench\r\nMessage-ID: <bench@example.test>\r\n\r\n${'x'.repeat(500)}\r\n`);
  let number = 0;
  const put = async (): Promise<void> => {
    const staging = store.stage();
    await staging.write(Buffer.from(octets));
    await store.execute<'accept'>({
      kind: 'accept',
      body: staging.finish(),
      facts: bodyFacts(octets),
      messageId: `bench-${number}`,
      now,
      deliveries: [],
      dispatch: {
        prefix: new Uint8Array(0),
        reversePath: { localPart: 'user01', domain: 'example.test' },
        parameters: {},
        origin: { role: 'submission', session: 's', remoteAddress: '::1', localPort: 465, account: null, tls: null },
        entries: Array.from({ length: RECIPIENTS }, () => {
          const at = number++;
          const destination = `d${(at * 7919) % destinations}.test`;
          return {
            recipient: { localPart: `r${at}`, domain: destination },
            parameters: {},
            destination,
            nextAt: now + HOUR + (at % HOUR),
            expiresAt: now + 120 * HOUR,
            warnAt: now + 4 * HOUR,
          };
        }),
      },
    });
  };
  while (number < entries) await Promise.all(Array.from({ length: 200 }, put));
}

async function timed(look: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await look();
  return performance.now() - begun;
}

/** ms of each look that the runner takes, over a queue of which all is due. */
async function looks(store: Store, now: number): Promise<Record<string, unknown>> {
  const { queue } = store.read;
  const due = now + 3 * HOUR;
  const several = async (look: (round: number) => Promise<unknown>) => {
    const samples: number[] = [];
    for (let at = 0; at < 50; at++) samples.push(await timed(() => look(at)));
    return quantiles(samples);
  };
  return {
    dueDestinations: await several(() => queue.dueDestinations(due, 51)),
    due: await several((at) => queue.due(`d${at}.test`, due, 200)),
    nextAt: await several((at) => queue.nextAt(now + HOUR + at)),
    size: await several(() => queue.size(500_000)),
    status: await several(() => queue.status()),
  };
}

async function settled(program: Program): Promise<number> {
  await sleep(3_000);
  return memoryMiB([program.pid]);
}

await using sink = await Sink.open();
const more = `[relay]\nsmarthost = "smtp://127.0.0.1:${sink.port}?tls=none"\n`;
await using program = await Program.start({ more });
const starts = { empty: program.readyAfter, long: 0 };
await program.stop();
await program.start();
starts.empty = Math.min(starts.empty, program.readyAfter);
const idle = await settled(program);
await program.stop();

const now = Date.now();
let store = await opened(program.folder);
const filled = await timed(() => fill(store, now));
const reads = await looks(store, now);
await store.close();

await program.start();
starts.long = program.readyAfter;
const waiting = await settled(program);
await program.stop();

let arrived = 0;
sink.onMessage = () => {
  arrived++;
};
store = await opened(program.folder);
const retry = async (): Promise<void> => {
  for (let after = 0; after < entries; after += 500) {
    const ids = Array.from({ length: 500 }, (_, at) => (after + at + 1) as never);
    await store.execute<'queue-control'>({ kind: 'queue-control', entries: ids, action: 'retry', now });
  }
};
const kicked = await timed(retry);
await store.close();
const begun = performance.now();
await program.start();
const startDue = program.readyAfter;
let peak = 0;
while (arrived < entries && performance.now() - begun < 600_000) {
  await sleep(500);
  peak = Math.max(peak, memoryMiB([program.pid]));
}
const seconds = (performance.now() - begun) / 1_000;
await program.stop();

console.log(
  JSON.stringify(
    {
      entries,
      destinations,
      startMs: { empty: round(starts.empty), waiting: round(starts.long), due: round(startDue) },
      memoryMiB: { idle: round(idle), waiting: round(waiting), leaving: round(peak) },
      readsMs: reads,
      fillMs: round(filled),
      retryAllMs: round(kicked),
      leaving: { transactions: arrived, seconds: round(seconds), perSecond: round(arrived / seconds) },
    },
    null,
    2,
  ),
);
