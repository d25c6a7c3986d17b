// kill -9 of the server, and of who hands over, at random moments: a message that was left in the spool is in the mailbox
// once, whether the server was asked to take it, found it at its start, or was killed between its store and the spool.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { leave, spooledIds } from '../../src/msa/spool.ts';
import { connectControl } from '../../src/platform/control.ts';
import { launch } from '../cli/postern.ts';
import { ImapClient } from '../clients/imap.ts';
import { PASSWORD, Program, userAddress, userName } from '../process/program.ts';
import { moment } from './server-load.ts';

const RUNS = Number(process.env.CRASH_RUNS ?? 5);
/** Programs that hand over side by side. */
const SENDERS = 4;

const placeIn = (data: string) => ({ folder: join(data, 'spool'), open: false });

/** Hands over until the server is gone, as the verb does. @returns numbers of what was left */
async function load(data: string, next: () => number): Promise<number[]> {
  const left: number[] = [];
  const sender = async (): Promise<void> => {
    for (;;) {
      const number = next();
      const content = Buffer.from(`Subject: number ${number}\r\n\r\n${'x'.repeat((number * 7919) % 300_000)}\r\n`);
      const envelope = { version: 1, user: 'user01', from: userAddress(1), fullName: null, body: '7BIT' } as const;
      const id = await leave(
        placeIn(data),
        { ...envelope, recipients: [userAddress(2)], createdAt: Date.now() },
        content,
      );
      left.push(number);
      const client = await connectControl(join(data, 'postern.sock'));
      if (client === null) return;
      await using _ = client;
      await client.request('take-spooled', id);
    }
  };
  // The server goes away under each of them.
  await Promise.allSettled(Array.from({ length: SENDERS }, sender));
  return left;
}

/** The verb itself, killed at some moment. @returns whether it had said that all is well */
async function killed(program: Program, number: number): Promise<boolean> {
  const args = [launch, '--config', program.config, 'sendmail', userAddress(2)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.on('error', () => undefined);
  child.stdin.end(`Subject: number ${number}\n\nx\n`);
  const ended = once(child, 'exit');
  await sleep(150 + moment() / 2);
  child.kill('SIGKILL');
  const [code] = await ended;
  return code === 0;
}

it('what was left in the spool arrives once', { timeout: RUNS * 60_000 }, async () => {
  await using program = await Program.start();
  const data = join(program.folder, 'data');
  const certain = new Set<number>();
  const perhaps = new Set<number>();
  let last = 0;
  const next = (): number => ++last;
  for (let run = 0; run < RUNS; run++) {
    const verb = next();
    const loading = load(data, next);
    const ending = killed(program, verb);
    await sleep(moment());
    await program.kill();
    for (const number of await loading) certain.add(number);
    if (await ending) certain.add(verb);
    else perhaps.add(verb);
    await program.start();
  }
  await expect.poll(() => spooledIds(placeIn(data).folder)).toEqual([]);
  using client = await ImapClient.open(
    { port: program.port(993), tls: 'implicit' },
    { user: userName(2), password: PASSWORD },
  );
  const arrived = (await client.messages('INBOX')).map((each) =>
    Number(/^Subject: number (\d+)\r$/m.exec(String(each))?.[1]),
  );
  expect(arrived.length).toBe(new Set(arrived).size);
  expect([...certain].filter((number) => !arrived.includes(number))).toEqual([]);
  expect(arrived.filter((number) => !certain.has(number) && !perhaps.has(number))).toEqual([]);
  console.info(`${RUNS} kills: ${certain.size} left, ${arrived.length} arrived, none doubled`);
});
