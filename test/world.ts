// One or two complete servers in one process: free ports, a temporary folder, a DNS that is a table, a clock in hand.
// The way from one server to the other is a wire that a test can cut. Knows the configuration, no protocol.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../src/config/config.ts';
import { startServer } from '../src/serve.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeDns } from './fake-dns.ts';
import { recordingLog } from './recording-log.ts';
import { Wire } from './wire.ts';
import { configOf } from './world/config.ts';
import { LiveServer, type Server } from './world/server.ts';

export { type Gate, PASSWORD } from './world/config.ts';
export { addressOf, loginOf, type Server } from './world/server.ts';

/** pino's number for `error`: a fault of ours, which no peer's doing may cause. */
const ERROR = 50;

export interface WorldOptions {
  /** 1 by default. The second is mail.other.test, with carol and dave. */
  readonly servers?: 1 | 2;
  /** Changes the first and the second server's configuration. */
  readonly configure?: (config: Config, name: 'here' | 'there') => Config;
  /** Done once a server's folder is there, before it starts. */
  readonly before?: (config: Config) => Promise<void>;
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

/** Starts a world. Use it by `await using`; its end throws if a server has logged an error of its own. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const stack = new AsyncDisposableStack();
  try {
    const clock = new FakeClock();
    const dns = new FakeDns();
    const records: Record<string, unknown>[] = [];
    const log = recordingLog(records, options.level);
    stack.defer(() => {
      const errors = records.filter(({ level }) => Number(level) >= ERROR);
      if (errors.length > 0) throw new Error(`a server logged an error of its own: ${JSON.stringify(errors)}`);
    });
    const start = async (name: 'here' | 'there'): Promise<LiveServer> => {
      const folder = await mkdtemp(join(tmpdir(), 'postern-world-'));
      stack.defer(() => rm(folder, { recursive: true, force: true }));
      const wayOut = stack.use(await Wire.open());
      const plain = configOf(name, folder, wayOut.port);
      const config = options.configure?.(plain, name) ?? plain;
      await options.before?.(config);
      const live = new LiveServer(config, wayOut, () => startServer(config, { log, clock, dns, random: () => 0.5 }));
      stack.defer(() => ended(live.running.close(), clock));
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

/** Waits for a server to end while time passes, so that no peer keeps it: the grace that it gives is over in a moment. */
async function ended(closing: Promise<void>, clock: FakeClock): Promise<void> {
  let open = true;
  const closed = closing.finally(() => {
    open = false;
  });
  while (open) {
    clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
}
