// The works that a server is measured by, the figures that they give, and what each has to reach against the peer.

import { setTimeout as sleep } from 'node:timers/promises';
import { idle, push } from './loads/idle.ts';
import { type InboundFigures, type InboundOptions, inbound } from './loads/inbound.ts';
import { type RelayFigures, type RelayOptions, relay } from './loads/relay.ts';
import { memoryMiB } from './process-tree.ts';
import { manyDomains, type Receivers } from './receivers.ts';
import type { LoadedServer } from './server.ts';
import { round } from './statistics.ts';

/** What a work gives: named numbers, and why they mean nothing if they do. */
export interface Figures {
  readonly values: Readonly<Record<string, number>>;
  readonly unsound: readonly string[];
  /** What was counted or found: two servers are compared only where it is the same. */
  readonly results?: Readonly<Record<string, number | string>>;
  readonly details: unknown;
}

export interface Work {
  readonly name: string;
  /** @param quick a tenth of the load: does it work at all? */
  run(server: LoadedServer, receivers: Receivers, quick: boolean): Promise<Figures>;
}

interface Losses {
  readonly lost?: number;
  readonly doubled?: number;
  readonly resumed?: number;
  readonly missing?: number;
}

function unsound(figures: Losses): string[] {
  const { lost = 0, doubled = 0, resumed = 0, missing = 0 } = figures;
  return [
    ...(lost > 0 ? [`${lost} messages lost`] : []),
    ...(doubled > 0 ? [`${doubled} messages doubled`] : []),
    ...(resumed > 0 ? [`${resumed} TLS sessions resumed`] : []),
    ...(missing > 0 ? [`${missing} EXISTS missing`] : []),
  ];
}

const SIZE = 10_240;
const SESSIONS = 10;

/** The load for a while that does not count, then the one that does: what a server is once it runs, not while it starts. */
async function steady(
  server: LoadedServer,
  load: Omit<InboundOptions, 'sessions' | 'seconds' | 'size'>,
  quick: boolean,
): Promise<InboundFigures> {
  const options = { ...load, sessions: SESSIONS, size: SIZE };
  await inbound(server, { ...options, seconds: quick ? 0.2 : 3 });
  return await inbound(server, { ...options, seconds: quick ? 1 : 10 });
}

/** As `steady`, for mail that goes out. */
async function steadyRelay(
  server: LoadedServer,
  receivers: Receivers,
  load: Pick<RelayOptions, 'messages' | 'recipient'>,
  quick: boolean,
): Promise<RelayFigures> {
  const options = { ...load, sessions: SESSIONS, size: SIZE };
  await relay(server, receivers, { ...options, messages: quick ? 50 : 1000 });
  return await relay(server, receivers, { ...options, messages: quick ? load.messages / 10 : load.messages });
}

function relayWork(name: string, messages: number, recipient: RelayOptions['recipient']): Work {
  return {
    name,
    async run(server, receivers, quick) {
      const details = await steadyRelay(server, receivers, { messages, recipient }, quick);
      const { arrivedPerSecond, serverCpuMsPerMessage } = details;
      return { values: { arrivedPerSecond, serverCpuMsPerMessage }, unsound: unsound(details), details };
    },
  };
}

export const works: readonly Work[] = [
  {
    name: 'start',
    async run(server) {
      await server.restart();
      const readyMs = await server.restart();
      await sleep(2000);
      const details = { readyMs: round(readyMs, 0), memoryMiB: round(memoryMiB(await server.pids()), 1) };
      return { values: details, unsound: [], details };
    },
  },
  {
    name: 'inbound',
    async run(server, _, quick) {
      const details = await steady(server, { gate: 25, tls: 'none', connections: 'keep' }, quick);
      const { deliveredPerSecond, serverCpuMsPerMessage } = details;
      return { values: { deliveredPerSecond, serverCpuMsPerMessage }, unsound: unsound(details), details };
    },
  },
  {
    name: 'inbound-starttls',
    async run(server, _, quick) {
      const details = await steady(server, { gate: 25, tls: 'starttls', connections: 'each' }, quick);
      return { values: { deliveredPerSecond: details.deliveredPerSecond }, unsound: unsound(details), details };
    },
  },
  {
    name: 'submission',
    async run(server, _, quick) {
      const details = await steady(server, { gate: 465, tls: 'implicit', connections: 'each' }, quick);
      return { values: { deliveredPerSecond: details.deliveredPerSecond }, unsound: unsound(details), details };
    },
  },
  relayWork('relay', 2_000, (number) => `r${number % 500}@remote.test`),
  relayWork('relay-starttls', 2_000, (number) => `r${number % 500}@secure.test`),
  relayWork('relay-domains', 10_000, manyDomains),
  {
    name: 'push',
    async run(server, _, quick) {
      const details = await push(server, quick ? 5 : 100);
      const { p50 = Number.NaN, p99 = Number.NaN } = details.afterReplyMs ?? {};
      return { values: { p50, p99 }, unsound: unsound(details), details };
    },
  },
  {
    name: 'idle',
    async run(server, _, quick) {
      const load = quick
        ? { connections: 50, messages: 50, settle: 2 }
        : { connections: 1000, messages: 1000, settle: 60 };
      const details = await idle(server, load);
      return { values: { memoryMiB: details.memoryMiB }, unsound: unsound(details), details };
    },
  },
];

/** What Postern has to reach: a factor against the peer's median, or a bound of its own. */
export interface Goal {
  readonly work: string;
  readonly value: string;
  readonly title: string;
  readonly unit: string;
  /** `times`: at least so many times the peer; `part`: at most this part of it; `most`: at most so much. */
  readonly kind: 'times' | 'part' | 'most';
  readonly bound: number;
}

export const goals: readonly Goal[] = [
  {
    work: 'inbound',
    value: 'deliveredPerSecond',
    title: 'inbound 25, connections kept',
    unit: '/s',
    kind: 'times',
    bound: 6,
  },
  {
    work: 'inbound',
    value: 'serverCpuMsPerMessage',
    title: 'the same: CPU a message',
    unit: 'ms',
    kind: 'part',
    bound: 0.1,
  },
  {
    work: 'inbound-starttls',
    value: 'deliveredPerSecond',
    title: 'inbound STARTTLS, a connection each',
    unit: '/s',
    kind: 'times',
    bound: 4,
  },
  {
    work: 'submission',
    value: 'deliveredPerSecond',
    title: 'submission 465, a connection each',
    unit: '/s',
    kind: 'times',
    bound: 3,
  },
  { work: 'relay', value: 'arrivedPerSecond', title: 'relay to one host', unit: '/s', kind: 'times', bound: 2.5 },
  {
    work: 'relay',
    value: 'serverCpuMsPerMessage',
    title: 'the same: CPU a message',
    unit: 'ms',
    kind: 'part',
    bound: 0.25,
  },
  {
    work: 'relay-starttls',
    value: 'arrivedPerSecond',
    title: 'relay to one host by STARTTLS',
    unit: '/s',
    kind: 'times',
    bound: 2.5,
  },
  {
    work: 'relay-domains',
    value: 'arrivedPerSecond',
    title: 'relay to 500 domains on 20 hosts, a tenth by the second try',
    unit: '/s',
    kind: 'times',
    bound: 3,
  },
  { work: 'idle', value: 'memoryMiB', title: '1,000 idle IMAP connections', unit: 'MiB', kind: 'most', bound: 80 },
  { work: 'push', value: 'p50', title: 'EXISTS after the 250, p50', unit: 'ms', kind: 'most', bound: 5 },
  { work: 'push', value: 'p99', title: 'EXISTS after the 250, p99', unit: 'ms', kind: 'most', bound: 50 },
  { work: 'start', value: 'readyMs', title: 'exec to ready, second start', unit: 'ms', kind: 'most', bound: 600 },
  { work: 'start', value: 'memoryMiB', title: 'memory of the idle server', unit: 'MiB', kind: 'most', bound: 120 },
];
