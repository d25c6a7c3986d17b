// The load of outgoing mail: messages submitted on 465 for another domain, timed from the first submission to the last
// arrival at its host.

import { setTimeout as sleep } from 'node:timers/promises';
import { SmtpClient } from '../../clients/smtp.ts';
import { createBatch } from '../message.ts';
import { cpuSeconds } from '../process-tree.ts';
import type { Receivers } from '../receivers.ts';
import { doorOf, type LoadedServer, loginOf, USERS, userAddress } from '../server.ts';
import { round } from '../statistics.ts';
import { Tally } from '../tally.ts';

export interface RelayOptions {
  readonly messages: number;
  readonly sessions: number;
  readonly size: number;
  /** @param batch tells the recipients of one load from those of another */
  readonly recipient: (number: number, batch: string) => string;
}

export interface RelayFigures {
  readonly messages: number;
  readonly arrivedPerSecond: number;
  readonly submittedPerSecond: number;
  readonly serverCpuMsPerMessage: number;
  readonly connections: number;
  /** Answers of 451. */
  readonly deferrals: number;
  readonly lost: number;
  readonly doubled: number;
  /** TLS sessions with the hosts that were no full handshakes. */
  readonly resumed: number;
}

const PATIENCE = 300_000;
/** ms after the last arrival in which a second copy would come. */
const AFTERMATH = 1000;

export async function relay(server: LoadedServer, receivers: Receivers, options: RelayOptions): Promise<RelayFigures> {
  const name = `out${process.pid}x${Math.round(performance.now())}`;
  const batch = createBatch(name, options.size);
  const tally = new Tally();
  const pids = await server.pids();
  const before = receivers.counts;
  let lastAt = 0;
  receivers.onMessage = (head) => {
    const number = batch.numberOf(head);
    if (number !== null) tally.find(number);
    lastAt = performance.now();
  };
  const cpuBegun = cpuSeconds(pids);
  const begun = performance.now();
  let next = 0;
  const session = async (id: number): Promise<void> => {
    const login = loginOf(1 + (id % USERS));
    const client = await SmtpClient.open(doorOf(server, 465, 'implicit'), login);
    while (next < options.messages) {
      const number = next++;
      const to = options.recipient(number, name);
      await client.send(userAddress(1 + (id % USERS)), [to], batch.content(number, login.user, to));
      tally.accept(number);
    }
    await client.quit();
  };
  await Promise.all(Array.from({ length: options.sessions }, (_, id) => session(id)));
  const submitted = (performance.now() - begun) / 1000;
  const giveUp = performance.now() + PATIENCE;
  while (!tally.complete && performance.now() < giveUp) await sleep(20);
  const cpu = cpuSeconds(pids) - cpuBegun;
  await sleep(AFTERMATH);
  receivers.onMessage = () => undefined;
  const after = receivers.counts;
  return {
    messages: tally.accepted,
    arrivedPerSecond: round(tally.found / ((lastAt - begun) / 1000), 1),
    submittedPerSecond: round(tally.accepted / submitted, 1),
    serverCpuMsPerMessage: round((cpu * 1000) / tally.accepted, 3),
    connections: after.connections - before.connections,
    deferrals: after.deferrals - before.deferrals,
    lost: tally.lost,
    doubled: tally.doubled,
    resumed: after.resumed - before.resumed,
  };
}
