// The agents of a server, wired: the one place that knows them and every protocol. It opens the directory, puts the right
// agent behind each listener, and takes everything down again in the order in which mail flows.

import { controlHandlers, controlPath } from './cli/administration.ts';
import type { Config } from './config/config.ts';
import { type OpenDirectory, openDirectory } from './directory/open.ts';
import { domainsLosingPostmaster, domainsWithoutPostmaster } from './directory/postmaster.ts';
import { type Seeded, seedAccounts } from './directory/seed.ts';
import type { TokenIssuer } from './directory/token/issuer.ts';
import { openTokenIssuer } from './directory/token/open.ts';
import { type Doors, openDoors } from './doors.ts';
import { createLocalSubmission } from './msa/local.ts';
import { originOf } from './msa/qualification.ts';
import { spoolPlace } from './msa/spool.ts';
import { createMsa } from './msa/submit.ts';
import { createQueueRunner } from './mta/queue.ts';
import { createMta } from './mta/receive.ts';
import { createRoom } from './mta/room.ts';
import { createTlsReportInbox } from './mta/tls-report/inbox.ts';
import { createTlsReportPoster } from './mta/tls-report/post.ts';
import { createTlsReporter } from './mta/tls-report/reporter.ts';
import { readAuthorities } from './platform/authorities.ts';
import type { CertificateKeeper } from './platform/certificates.ts';
import type { Clock } from './platform/clock.ts';
import { serveControl } from './platform/control.ts';
import { diskOf } from './platform/disk.ts';
import type { Dns } from './platform/dns.ts';
import type { Listener } from './platform/listener.ts';
import type { Log } from './platform/log.ts';
import { createDns } from './platform/resolver.ts';
import { clientContexts } from './smtp/client/secure-context.ts';
import type { Store } from './store/store.ts';
import { dkimFolder } from './trust/dkim/keys.ts';
import { createDkimSigner, type DkimSigner } from './trust/dkim/signer.ts';

/** ms that sessions and the relay get to finish; what is left of the five seconds is the store's. */
const GRACE = 3_000;

/** What agents stand on. Theirs is none of it to close. */
export interface Ground {
  readonly store: Store;
  readonly keeper: CertificateKeeper;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1): the jitter of retries and the order of equal MX. */
  readonly random: () => number;
  /** Absent: the resolvers that are configured. */
  readonly dns?: Dns;
}

export interface Agents extends AsyncDisposable {
  readonly directory: OpenDirectory;
  readonly listeners: readonly Listener[];
  /** Takes the accounts of `config` anew. @throws Error: a domain of ours would lose its postmaster */
  seed(config: Config): Promise<void>;
}

/**
 * Starts what a configuration names. When it resolves, every listener accepts; disposing stops accepting, ends the
 * sessions politely, and finishes what is being relayed.
 * @throws Error with a text for people: a port that is taken, a domain without a postmaster
 */
export async function startAgents(config: Config, ground: Ground): Promise<Agents> {
  const { store, keeper, log, clock, random } = ground;
  const opened = new AsyncDisposableStack();
  try {
    tellReleased(await seedAccounts(store, config.accounts), log);
    const directory = opened.use(
      await openDirectory({ ...config, issuer: await issuerOf(config, clock), store, clock, log }),
    );
    await demandPostmasters(config, directory);

    const dkim = signerOf(config, clock);
    const agent = {
      store,
      directory,
      hostname: config.hostname,
      limits: config.limits,
      queue: config.queue,
      room: createRoom({ store, disk: () => diskOf(config.data), limits: config.limits, clock, log }),
      dkim,
      clock,
      log,
    };
    const dns = ground.dns ?? createDns({ resolvers: config.relay.resolvers, clock });
    const authorities = await readAuthorities(config.relay.authorities, 'relay.ca');
    const queue = createQueueRunner({ store, directory, clock, random, dns, config, log, dkim, authorities });
    await queue.start();
    opened.defer(() => queue.close(GRACE));

    const reports = config.test.catchAll ? null : createTlsReportInbox({ ...config, store, dns, clock, log });
    const doors: Doors = await openDoors(config, {
      receivers: {
        transfer: (submissionPorts) => createMta({ ...agent, submissionPorts, reports }),
        submission: createMsa({
          ...agent,
          showClient: config.submission.showClient,
          routed: new Set(config.relay.routes.map(({ domain }) => domain.toLowerCase())),
          test: config.test,
        }),
      },
      keeper,
      store,
      directory,
      clock,
      log,
    });
    // At the same time, since neither waits for the other: what the doors still accept is in the store.
    opened.defer(async () => {
      await Promise.all([doors.close(GRACE), queue.close(GRACE)]);
    });

    const local = createLocalSubmission({ ...agent, spool: spoolPlace(config), origin: originOf(config) });
    await local.prepare();
    opened.defer(() => local.close());
    if (config.tlsReports.enabled && !config.test.catchAll) {
      const hosts = { dns, clock, contexts: clientContexts(authorities), loopback: config.relay.loopback };
      const { tlsReports, queue: times } = config;
      const post = createTlsReportPoster(hosts);
      const reporter = createTlsReporter({ ...agent, tlsReports, queue: times, dkim, dns, random, post });
      reporter.start();
      opened.defer(() => reporter.close());
    }
    opened.use(
      await serveControl(controlPath(config), {
        ...controlHandlers({ config, store, listeners: doors.listeners, kick: () => queue.kick() }),
        'take-spooled': (id) => local.take(String(id)),
      }),
    );
    // Behind the socket: what was left before somebody could ask is there by now.
    local.start();

    return {
      directory,
      listeners: doors.listeners,
      async seed(fresh) {
        const rows = await store.read.accounts();
        const losing = config.test.catchAll ? [] : domainsLosingPostmaster(rows, fresh.accounts, config.domains);
        if (losing.length > 0) throw withoutPostmaster(losing);
        const seeded = await seedAccounts(store, fresh.accounts);
        log.info({ put: seeded.put }, 'accounts read again');
        tellReleased(seeded, log);
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

function tellReleased({ released }: Seeded, log: Log): void {
  if (released.length === 0) return;
  log.warn(
    { accounts: released },
    'these accounts have left the configuration: they keep their mail, and no password opens them until "postern account passwd"; ' +
      '"postern account remove" removes them',
  );
}

/** Whose tokens are taken. @throws Error with a text for people: an authority that cannot be read */
async function issuerOf({ oauth }: Config, clock: Clock): Promise<TokenIssuer | null> {
  if (oauth === null) return null;
  const contexts = clientContexts(await readAuthorities(oauth.authorities, 'oauth.ca'));
  return openTokenIssuer(oauth, { clock, secureContext: () => contexts({ floor: 'strict', authorities: true }) });
}

/** With catch-all nothing leaves, and every domain is ours; where none is, nobody can sign. */
function signerOf({ data, domains, dkim, test }: Config, clock: Clock): DkimSigner | null {
  if (!dkim.enabled || test.catchAll || domains.length === 0) return null;
  return createDkimSigner({ ...dkim, folder: dkimFolder(data), domains, clock });
}

/** RFC 5321 §4.5.1: a server that takes mail for a domain takes mail for its postmaster. */
async function demandPostmasters(config: Config, directory: OpenDirectory): Promise<void> {
  if (config.test.catchAll) return;
  const missing = await domainsWithoutPostmaster(directory, config.domains);
  if (missing.length > 0) throw withoutPostmaster(missing);
}

function withoutPostmaster(domains: readonly string[]): Error {
  const wanted = domains.map((domain) => `postmaster@${domain}`);
  return new Error(
    `nobody is ${wanted.join(', ')} (RFC 5321 §4.5.1 wants a postmaster for each domain): add ` +
      `aliases = ${JSON.stringify(wanted)} to an [[account]], or run "postern account add ${wanted[0]}"`,
  );
}
