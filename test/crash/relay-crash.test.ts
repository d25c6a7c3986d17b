// kill -9 of the sender, of the receiver, or of both, at random moments while one relays to the other: whatever the sender
// took is in the receiver's mailbox, whole. It is there twice only where the sender did not read the receiver's 250, or was
// killed before it had put on disk that it did. CRASH_RUNS says how often somebody is killed; the result is printed.

import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { QueuePage } from '../../src/cli/administration.ts';
import { connectControl } from '../../src/platform/control.ts';
import { ImapClient } from '../clients/imap.ts';
import { SmtpClient } from '../clients/smtp.ts';
import { PASSWORD, Program, userAddress, userName } from '../process/program.ts';
import { contentOf, numberOf } from './server-load.ts';
import { type Passage, SmtpTap } from './smtp-tap.ts';

const RUNS = Number(process.env.CRASH_RUNS ?? 5);
/** Connections that submit side by side, and messages that each of them brings between two kills. */
const SENDERS = 3;
const MESSAGES = 15;
/** Messages that are read from the mailbox at a time. */
const PAGE = 200;
const PATIENCE = 120_000;

/** Submits numbered messages until that is enough, or the sender is gone. @param taken where those are noted that got 250 */
async function load(sender: Program, next: () => number, taken: Set<number>): Promise<void> {
  const login = { user: userName(1), password: PASSWORD };
  const submit = async (): Promise<void> => {
    using client = await SmtpClient.open({ port: sender.port(465), tls: 'implicit' }, login);
    for (let brought = 0; brought < MESSAGES; brought++) {
      const number = next();
      const content = [Buffer.from(contentOf(number))];
      await client.sendChunks(userAddress(1), ['user01@remote.test'], content);
      taken.add(number);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: SENDERS }, submit));
  // A refusal would be a finding; a connection that broke is what is expected.
  for (const end of ends) {
    if (end.status === 'rejected' && end.reason?.name === 'UnexpectedReply') throw end.reason;
  }
}

/** Makes all due now, as `queue retry --all` does. @returns how many entries there are, up to a page */
async function retry(sender: Program): Promise<number> {
  await using client = await connectControl(join(sender.folder, 'data', 'postern.sock'));
  if (client === null) throw new Error('the sender runs');
  // What the other end gives for this name.
  const { rows } = (await client.request('queue', { filter: {}, after: null })) as QueuePage;
  const entries = rows.map(({ entry }) => entry.id);
  await client.request('execute', { kind: 'queue-control', entries, action: 'retry', now: Date.now() });
  return rows.length;
}

/** How often each number is in the mailbox. */
async function copiesIn(receiver: Program): Promise<Map<number, number>> {
  const copies = new Map<number, number>();
  const door = { port: receiver.port(993), tls: 'implicit' } as const;
  using client = await ImapClient.open(door, { user: userName(1), password: PASSWORD });
  await client.done('EXAMINE INBOX');
  const messages = await client.status('INBOX', 'MESSAGES');
  for (let first = 1; first <= messages; first += PAGE) {
    const range = `${first}:${Math.min(messages, first + PAGE - 1)}`;
    for (const { literals } of await client.done(`FETCH ${range} (BODY.PEEK[])`)) {
      const number = numberOf(literals[0]?.toString('latin1') ?? '');
      copies.set(number, (copies.get(number) ?? 0) + 1);
    }
  }
  return copies;
}

/** Of a message that was brought several times: may it have been? An acknowledged one is brought again only by a sender that
 * was killed since, and was the last of its connection: no courier runs ahead of the disk by more than that. */
function isNeedless(earlier: Passage, later: Passage): boolean {
  if (!earlier.acknowledged) return false;
  return earlier.connection.life === later.connection.life || earlier.connection.last !== earlier;
}

it(`relays all and doubles nothing without need in ${RUNS} kills`, { timeout: 240_000 + RUNS * 20_000 }, async () => {
  await using tap = await SmtpTap.open();
  await using receiver = await Program.start({ domain: 'remote.test' });
  tap.target = receiver.port(25);
  const route = ['domain = "remote.test"', 'host = "127.0.0.1"', `port = ${tap.port}`, 'tls = "none"'];
  await using sender = await Program.start({ more: ['[[relay.route]]', ...route].join('\n') });
  const taken = new Set<number>();
  let last = 0;
  const kills = { sender: 0, receiver: 0 };
  while (kills.sender + kills.receiver < RUNS) {
    const loading = load(sender, () => ++last, taken);
    // Somebody dies while mail is on its way, however fast this machine is.
    await Promise.race([tap.begun(randomInt(1, 30)), loading]);
    await sleep(randomInt(0, 20));
    const dice = randomInt(0, 5);
    const [sends, receives] = [dice !== 0 && dice !== 1, dice !== 2 && dice !== 3];
    await Promise.all([sends && sender.kill(), receives && receiver.kill()]);
    await loading;
    if (sends) tap.life++;
    await Promise.all([sends && sender.start(), receives && receiver.start()]);
    tap.target = receiver.port(25);
    kills.sender += Number(sends);
    kills.receiver += Number(receives);
    await retry(sender);
  }
  for (const deadline = Date.now() + PATIENCE; (await retry(sender)) > 0; await sleep(200)) {
    if (Date.now() > deadline) throw new Error('the queue does not empty');
  }
  expect(await sender.stop()).toBe(0);

  const copies = await copiesIn(receiver);
  const seen = tap.passages.flatMap((passage) => (passage.number === null ? [] : [[passage.number, passage] as const]));
  const passages = new Map(
    [...Map.groupBy(seen, ([number]) => number)].map(([number, all]) => [number, all.map(([, passage]) => passage)]),
  );
  expect(tap.passages.filter(({ acknowledged, number }) => acknowledged && number === null)).toEqual([]);
  expect([...taken].filter((number) => !copies.has(number))).toEqual([]);
  // What the receiver took it has, as often as it took it.
  const acknowledged = (number: number) => passages.get(number)?.filter((each) => each.acknowledged).length ?? 0;
  expect([...passages.keys()].filter((number) => (copies.get(number) ?? 0) < acknowledged(number))).toEqual([]);
  const needless = [...passages.values()].flatMap((all) =>
    all.slice(0, -1).filter((earlier, at) => isNeedless(earlier, all[at + 1] ?? earlier)),
  );
  expect(needless.map(({ number }) => number)).toEqual([]);
  expect(taken.size).toBeGreaterThan(RUNS);

  const doubled = [...copies].filter(([, count]) => count > 1);
  const extra = doubled.reduce((sum, [, count]) => sum + count - 1, 0);
  const uncommitted = doubled.reduce((sum, [number]) => sum + Math.max(0, acknowledged(number) - 1), 0);
  console.info(
    `${kills.sender} kills of the sender and ${kills.receiver} of the receiver: ${taken.size} taken, none lost; ` +
      `${extra} copies too many, ${extra - uncommitted} of them since 250 was never read, ` +
      `${uncommitted} since the sender was killed before it had settled what it read`,
  );
});
