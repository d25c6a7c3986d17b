// The load of accepted mail: sessions that send one message after another to twenty mailboxes, by port 25 or 465, over
// connections that are kept or opened anew. Ends when every accepted message is in its mailbox.

import { setTimeout as sleep } from 'node:timers/promises';
import { ImapClient } from '../../clients/imap.ts';
import { SmtpClient } from '../../clients/smtp.ts';
import { createBatch } from '../message.ts';
import { cpuSeconds } from '../process-tree.ts';
import { doorOf, Handshakes, type LoadedServer, loginOf, USERS, userAddress } from '../server.ts';
import { type Quantiles, quantiles, round } from '../statistics.ts';
import { Tally } from '../tally.ts';

export interface InboundOptions {
  readonly gate: 25 | 465;
  readonly tls: 'none' | 'starttls' | 'implicit';
  /** `keep`: a session sends all over one connection; `each`: a connection a message. */
  readonly connections: 'keep' | 'each';
  readonly sessions: number;
  /** How long new messages are begun, seconds. */
  readonly seconds: number;
  /** Octets of a message. */
  readonly size: number;
}

export interface InboundFigures {
  readonly accepted: number;
  readonly acceptedPerSecond: number;
  readonly deliveredPerSecond: number;
  readonly serverCpuMsPerMessage: number;
  readonly clientCpuMsPerMessage: number;
  readonly replyMs: Quantiles | null;
  readonly connectMs: Quantiles | null;
  readonly lost: number;
  readonly doubled: number;
  readonly resumed: number;
}

/** ms that delivery may lag behind the last 250. */
const PATIENCE = 300_000;

export async function inbound(server: LoadedServer, options: InboundOptions): Promise<InboundFigures> {
  const batch = createBatch(`in${process.pid}x${Math.round(performance.now())}`, options.size);
  const tally = new Tally();
  const handshakes = new Handshakes();
  const mailboxes = await openMailboxes(server);
  const pids = await server.pids();
  const replyMs: number[] = [];
  const connectMs: number[] = [];
  const sent = new Array<number>(USERS).fill(0);
  let next = 0;

  const clientBegun = process.cpuUsage();
  const cpuBegun = cpuSeconds(pids);
  const begun = performance.now();
  const end = begun + options.seconds * 1000;
  const session = async (id: number): Promise<void> => {
    while (performance.now() < end) {
      const opening = performance.now();
      const login = options.gate === 465 ? loginOf(1 + (id % USERS)) : undefined;
      const client = await SmtpClient.open(doorOf(server, options.gate, options.tls), login);
      connectMs.push(performance.now() - opening);
      if (client.link.secure?.isSessionReused()) handshakes.resumed++;
      else handshakes.full++;
      const from = login?.user ?? 'load@sender.test';
      do {
        const number = next++;
        const user = 1 + (number % USERS);
        const sending = performance.now();
        await client.send(from, [userAddress(user)], batch.content(number, from, userAddress(user)));
        replyMs.push(performance.now() - sending);
        tally.accept(number);
        sent[user - 1] = (sent[user - 1] ?? 0) + 1;
      } while (options.connections === 'keep' && performance.now() < end);
      await client.quit();
    }
  };
  await Promise.all(Array.from({ length: options.sessions }, (_, id) => session(id)));
  const acceptedAfter = (performance.now() - begun) / 1000;
  const clientCpu = process.cpuUsage(clientBegun);

  const giveUp = performance.now() + PATIENCE;
  for (const [index, mailbox] of mailboxes.entries()) {
    while ((await mailbox.client.status('INBOX', 'MESSAGES')) < mailbox.before + (sent[index] ?? 0)) {
      if (performance.now() > giveUp) break;
      await sleep(50);
    }
  }
  const deliveredAfter = (performance.now() - begun) / 1000;
  const cpu = cpuSeconds(pids) - cpuBegun;
  for (const { client, before } of mailboxes) {
    await findAll(client, before, tally, batch.numberOf);
    await client.logout();
  }
  const count = tally.accepted;
  return {
    accepted: count,
    acceptedPerSecond: round(count / acceptedAfter, 1),
    deliveredPerSecond: round(tally.found / deliveredAfter, 1),
    serverCpuMsPerMessage: round((cpu * 1000) / count, 3),
    clientCpuMsPerMessage: round((clientCpu.user + clientCpu.system) / 1000 / count, 3),
    replyMs: quantiles(replyMs),
    connectMs: quantiles(connectMs),
    lost: tally.lost,
    doubled: tally.doubled,
    resumed: handshakes.resumed,
  };
}

async function openMailboxes(server: LoadedServer): Promise<{ client: ImapClient; before: number }[]> {
  const opened: { client: ImapClient; before: number }[] = [];
  for (let user = 1; user <= USERS; user++) {
    const client = await ImapClient.open(doorOf(server, 993, 'implicit'), loginOf(user));
    opened.push({ client, before: await client.status('INBOX', 'MESSAGES') });
  }
  return opened;
}

/** Tells the tally of every message behind the first `before`. */
async function findAll(
  client: ImapClient,
  before: number,
  tally: Tally,
  numberOf: (header: string) => number | null,
): Promise<void> {
  await client.done('EXAMINE INBOX');
  const { status, untagged } = await client.command(`FETCH ${before + 1}:* (BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])`);
  // An empty range is BAD in one server and the last message in another.
  if (status !== 'OK') return;
  for (const response of untagged) {
    const sequence = Number(/^\* (\d+) FETCH/.exec(response.text)?.[1] ?? 0);
    const number = sequence > before ? numberOf(response.literals[0]?.toString('latin1') ?? '') : null;
    if (number !== null) tally.find(number);
  }
}
