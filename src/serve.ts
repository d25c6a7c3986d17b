// Starts a server: the store and the keys, which take time that is not ours, while the agents are loaded; then the agents
// on top of them.

import type { Config, ListenerConfig } from './config/config.ts';
import { placeText } from './config/place.ts';
import type { Settings } from './config/schema.ts';
import type { OpenDirectory } from './directory/open.ts';
import { watchCertificates } from './platform/certificate-watch.ts';
import { type ClientAuthorities, createTlsKeeper } from './platform/certificates.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import type { Dns } from './platform/dns.ts';
import type { Listener } from './platform/listener.ts';
import type { Log } from './platform/log.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';

/** What the world gives to a server: tests put their own in. */
export interface Surroundings {
  readonly log: Log;
  readonly clock?: Clock;
  readonly dns?: Dns;
  /** In [0, 1): the jitter of retries and the order of equal MX. */
  readonly random?: () => number;
}

/** The settings that `reload` takes from a configuration; all others are those of the start. Of the files that settings name,
 * the certificates are read again. */
export const RELOADED: readonly string[] = ['account'] satisfies readonly (keyof Settings)[];

export interface RunningServer extends AsyncDisposable {
  readonly config: Config;
  readonly store: Store;
  readonly directory: OpenDirectory;
  readonly listeners: readonly Listener[];
  /** Takes the certificates and the accounts anew, from the files and from `config`; open sessions live on. */
  reload(config: Config): Promise<void>;
  /** Stops accepting, ends the sessions politely, finishes what is being relayed, commits. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts everything that a configuration names. When it resolves, every listener accepts.
 * @throws Error with a text for people: a port that is taken, a store that another server holds, a bad certificate
 */
export async function startServer(config: Config, surroundings: Surroundings): Promise<RunningServer> {
  const { log, clock = systemClock, random = Math.random } = surroundings;
  const opened = new AsyncDisposableStack();
  try {
    // At the same time; the store is waited for first, so that it is closed again whatever else fails.
    const opening = openStore({
      folder: config.data,
      log,
      clock,
      deriver: new URL('./imap/render/summary.ts', import.meta.url),
    });
    const clients = config.listeners.flatMap((listener) => clientsOf(listener));
    // A second server on this data must not leave certificates of its own behind.
    const keeping = createTlsKeeper({ ...config.tls, clients, hostname: config.hostname, log, clock, alone: opening });
    keeping.catch(() => undefined);
    // Most of the program: behind the threads, which start on other cores, and loaded while they do.
    const loading = import('./agents.ts');
    loading.catch(() => undefined);
    const store = opened.use(await opening);
    const keeper = await keeping;
    opened.use(watchCertificates(keeper, clock, log));
    const { startAgents } = await loading;
    const agents = opened.use(await startAgents(config, { ...surroundings, store, keeper, clock, random, log }));

    let closing: Promise<void> | null = null;
    const close = () => {
      closing ??= opened.disposeAsync();
      return closing;
    };
    return {
      config,
      store,
      directory: agents.directory,
      listeners: agents.listeners,
      async reload(fresh) {
        await keeper.reload();
        await agents.seed(fresh);
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

function clientsOf({ clients }: ListenerConfig): ClientAuthorities[] {
  return clients === null ? [] : [{ ...clients, place: clients.place && placeText(clients.place) }];
}
