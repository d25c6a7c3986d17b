// kill -9 at random moments of a load on the whole program, and now and then of its start: whatever got 250 is in each
// mailbox once and whole, and reaches the other server at least once. A message arrives there twice only where its 250
// came too late to be kept. CRASH_RUNS says how often.

import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { Sink } from '../bench/sink.ts';
import { ImapClient } from '../clients/imap.ts';
import { PASSWORD, Program, userName } from '../process/program.ts';
import { isSubmitted, load, moment, Numbers, numberOf, Sent } from './server-load.ts';

const RUNS = Number(process.env.CRASH_RUNS ?? 5);
/** Every so many kills one comes while the program starts. */
const STARTS = 5;
const PATIENCE = 60_000;

/** A message that came to the other server, over which connection, and when that was: after how many kills. */
interface Arrival {
  readonly connection: number;
  readonly kills: number;
}

class Arrivals {
  readonly byNumber = new Map<number, Arrival[]>();
  /** The last message of each connection. */
  readonly #last = new Map<number, number>();
  #wake: () => void = () => undefined;

  note(number: number, arrival: Arrival): void {
    const known = this.byNumber.get(number);
    if (known === undefined) this.byNumber.set(number, [arrival]);
    else known.push(arrival);
    this.#last.set(arrival.connection, number);
    this.#wake();
  }

  /** Resolves once all of these have arrived. @throws Error that tells how many are missing */
  async all(numbers: ReadonlySet<number>): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    const missing = (): number[] => [...numbers].filter((number) => !this.byNumber.has(number));
    while (missing().length > 0) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`never relayed: ${missing().slice(0, 20).join(' ')} (${missing().length})`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, Math.min(left, 1_000)).unref();
      });
    }
  }

  /** Numbers that came more than once without need. A courier takes the next message only when the last is settled on
   * disk, so a kill can double nothing but the last message of a connection that it cut. */
  get needless(): number[] {
    return [...this.byNumber].flatMap(([number, arrivals]) =>
      arrivals.slice(0, -1).some((earlier, at) => {
        const later = arrivals[at + 1];
        return later === undefined || this.#last.get(earlier.connection) !== number || earlier.kills === later.kills;
      })
        ? [number]
        : [],
    );
  }

  get doubled(): number {
    return [...this.byNumber.values()].filter((arrivals) => arrivals.length > 1).length;
  }
}

/** The mailbox of a user, read further after each kill. */
class Inbox {
  readonly numbers = new Set<number>();
  readonly #user: string;
  #uid = 0;

  constructor(user: string) {
    this.#user = user;
  }

  /** Reads what is new; what was there before must be there still. */
  async read(program: Program): Promise<void> {
    const door = { port: program.port(993), tls: 'implicit' } as const;
    const client = await ImapClient.open(door, { user: this.#user, password: PASSWORD });
    await client.done('EXAMINE INBOX');
    const found = await client.done(`UID FETCH ${this.#uid + 1}:* (UID BODY.PEEK[])`);
    for (const { text, literals } of found) {
      const uid = Number(/\bUID (\d+)/.exec(text)?.[1]);
      if (uid <= this.#uid) continue; // "*" is the last one, new or not
      const number = numberOf(literals[0]?.toString('latin1') ?? '');
      expect(this.numbers, 'twice in the mailbox').not.toContain(number);
      this.numbers.add(number);
      this.#uid = uid;
    }
    expect(await client.status('INBOX', 'MESSAGES')).toBe(this.numbers.size);
    await client.logout();
  }
}

function expectAll(found: ReadonlySet<number>, acknowledged: ReadonlySet<number>): void {
  expect([...acknowledged].filter((number) => !found.has(number))).toEqual([]);
}

it(`loses nothing and doubles nothing here in ${RUNS} kills`, { timeout: 120_000 + RUNS * 20_000 }, async () => {
  await using sink = await Sink.open();
  const arrivals = new Arrivals();
  let kills = 0;
  sink.onMessage = (head, connection) => {
    arrivals.note(Number(/^Subject: (\d+)\r$/m.exec(head)?.[1]), { connection, kills });
  };
  const route = ['domain = "remote.test"', 'host = "127.0.0.1"', `port = ${sink.port}`, 'tls = "none"'];
  await using program = await Program.start({ more: ['[[relay.route]]', ...route].join('\n') });
  const inboxes = [new Inbox(userName(1)), new Inbox(userName(2))] as const;
  const numbers = new Numbers();
  const sent = new Sent();
  const check = async (): Promise<void> => {
    await Promise.all(inboxes.map((inbox) => inbox.read(program)));
    for (const inbox of inboxes) expectAll(inbox.numbers, sent.inbound);
    expectAll(inboxes[0].numbers, sent.submitted);
  };

  while (kills < RUNS) {
    const sending = load(program, numbers, sent);
    // Every other one dies with some behind it, however slow this machine is.
    if (kills % 2 === 0) await Promise.race([sent.more(4), sending]);
    else await sleep(randomInt(50, 150));
    await sleep(moment());
    await program.kill();
    kills++;
    await sending;
    if (kills % STARTS === 0 && kills < RUNS) {
      // Rejects where the kill is faster than the start.
      const starting = program.start().catch(() => undefined);
      await sleep(randomInt(0, 600));
      await program.kill();
      kills++;
      await starting;
    }
    await program.start();
    await check();
  }

  const here = new Set([...inboxes[0].numbers].filter(isSubmitted));
  await arrivals.all(here);
  expect(await program.stop()).toBe(0);
  // What was queued was queued with its copy for the mailbox, or not at all.
  expectAll(here, new Set(arrivals.byNumber.keys()));
  expect(arrivals.needless).toEqual([]);
  expect(sent.inbound.size).toBeGreaterThan(RUNS);
  expect(sent.submitted.size).toBeGreaterThan(RUNS);
  const store = await openStore({
    folder: `${program.folder}/data`,
    log: pino({ level: 'silent' }),
    clock: systemClock,
    deriver: null,
  });
  expect(await store.read.queue.list({ after: 0 as never, limit: 10 })).toEqual([]);
  await store[Symbol.asyncDispose]();
  console.info(
    `${kills} kills: ${sent.inbound.size} + ${sent.submitted.size} acknowledged, ${here.size} relayed, ` +
      `${arrivals.doubled} of them twice`,
  );
});
