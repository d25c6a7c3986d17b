// One or two complete servers in one process: free ports, a temporary folder, a DNS that is a table, a clock in hand.
// The way from one server to the other is a wire that a test can cut. Knows the configuration, no protocol.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Config } from '../src/config/config.ts';
import { startServer } from '../src/serve.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeDns } from './fake-dns.ts';
import { Wire } from './wire.ts';
import { configOf } from './world/config.ts';
import { LiveServer, type Server } from './world/server.ts';

export { type Gate, PASSWORD } from './world/config.ts';
export { addressOf, loginOf, type Server } from './world/server.ts';

export interface WorldOptions {
  /** 1 by default. The second is mail.other.test, with carol and dave. */
  readonly servers?: 1 | 2;
  /** Changes the first and the second server's configuration. */
  readonly configure?: (config: Config, name: 'here' | 'there') => Config;
  /** Of the log records that are kept; `debug` by default. */
  readonly level?: string;
}

export interface World extends AsyncDisposable {
  readonly here: Server;
  /** @throws Error in a world of one server */
  readonly there: Server;
  readonly clock: FakeClock;
  readonly dns: FakeDns;
  /** Log records of both servers, in order, parsed. */
  readonly records: readonly Record<string, unknown>[];
}

/** Starts a world. Use it by `await using`. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const stack = new AsyncDisposableStack();
  try {
    const clock = new FakeClock();
    const dns = new FakeDns();
    const records: Record<string, unknown>[] = [];
    const log = pino(
      { level: options.level ?? 'debug', base: null },
      { write: (line: string) => void records.push(JSON.parse(line) as Record<string, unknown>) }, // pino writes objects
    );
    const start = async (name: 'here' | 'there'): Promise<LiveServer> => {
      const folder = await mkdtemp(join(tmpdir(), 'postern-world-'));
      stack.defer(() => rm(folder, { recursive: true, force: true }));
      const wayOut = stack.use(await Wire.open());
      const plain = configOf(name, folder, wayOut.port);
      const config = options.configure?.(plain, name) ?? plain;
      const live = new LiveServer(config, wayOut, () => startServer(config, { log, clock, dns, random: () => 0.5 }));
      stack.defer(() => live.running.close());
      await live.start();
      dns.set(live.domain, { mx: [{ preference: 10, exchange: config.hostname }] });
      dns.set(config.hostname, { ipv4: ['127.0.0.1'] });
      return live;
    };
    const here = await start('here');
    const there = options.servers === 2 ? await start('there') : null;
    if (there) {
      here.leadsTo(there);
      there.leadsTo(here);
    }
    const disposal = stack.move();
    return {
      here,
      get there(): Server {
        if (!there) throw new Error('this world has one server');
        return there;
      },
      clock,
      dns,
      records,
      [Symbol.asyncDispose]: () => disposal.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
