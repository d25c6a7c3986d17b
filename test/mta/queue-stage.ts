// A queue runner on its stage: a real store and directory, a DNS that is a table, a clock in hand, and next hops that do
// as a script says, each on an address of its own within 127.0.0.0/8.

import type { Config, RelayConfig } from '../../src/config/config.ts';
import { openDirectory } from '../../src/directory/open.ts';
import { parseMailbox, type ReversePath } from '../../src/formats/address.ts';
import type { MailParameters, RcptParameters } from '../../src/formats/envelope.ts';
import { acceptOf } from '../../src/mta/accept.ts';
import { createQueueRunner, type QueueRunner } from '../../src/mta/queue.ts';
import type { PolicyFetcher } from '../../src/mta/security/policy-fetch.ts';
import { bodyFacts } from '../../src/store/facts.ts';
import type { EntryRow, TransitRow } from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';
import type { DkimSigner } from '../../src/trust/dkim/signer.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeDns } from '../fake-dns.ts';
import { recordingLog } from '../recording-log.ts';
import { type FakeServer, type Script, startFakeServer } from '../smtp/fake-server.ts';
import { storeFolder } from '../store/open-folder.ts';

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
export const QUEUE = {
  retry: [5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE, 120 * MINUTE, 240 * MINUTE],
  expire: 5 * DAY,
  warn: 240 * MINUTE,
};
export const LETTER = 'Message-ID: <letter@here.test>\r\nSubject: hello\r\n\r\nHello.\r\n';

export interface Mail {
  readonly to: readonly (string | readonly [string, RcptParameters])[];
  readonly from?: string | null;
  readonly parameters?: MailParameters;
  readonly content?: string;
}

export interface QueueStage extends AsyncDisposable {
  readonly store: Store;
  readonly clock: FakeClock;
  readonly dns: FakeDns;
  readonly runner: QueueRunner;
  /** Of all next hops. */
  readonly port: number;
  readonly records: Record<string, unknown>[];
  /** A next hop on 127.0.0.`host`, all on one port. */
  hop(host: number, script?: Script): Promise<FakeServer>;
  /** Makes a domain whose MX are these, best first. */
  domain(name: string, ...servers: number[]): void;
  put(mail: Mail): Promise<void>;
  /** Resolves when `condition` holds; looked at after each change of the queue. */
  until(condition: (entries: readonly EntryRow[]) => boolean): Promise<readonly EntryRow[]>;
  entries(): Promise<readonly { entry: EntryRow; transit: TransitRow }[]>;
  /** Octets of alice's messages here. */
  inbox(): Promise<string[]>;
  /** Another runner over the same store, as after a kill -9: what the first one was about is forgotten. */
  successor(): Promise<Pick<QueueStage, 'until'> & AsyncDisposable>;
  /** Moves the clock until idle connections have been closed. */
  partFrom(server: FakeServer): Promise<void>;
  /** Moves the clock to the next time at which something is to be done, and lets it be done. */
  pass(): Promise<void>;
}

export async function queueStage(
  options: {
    readonly relay?: Partial<RelayConfig> | ((port: number) => Partial<RelayConfig>);
    readonly wrap?: (store: Store) => Store;
    /** Who may vouch for a certificate, in PEM. */
    readonly authorities?: readonly string[];
    readonly fetchPolicy?: PolicyFetcher;
    readonly dkim?: DkimSigner;
    /** ms since the epoch, at which the clock stands. */
    readonly now?: number;
  } = {},
): Promise<QueueStage> {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await storeFolder());
  const clock = new FakeClock(options.now ?? Date.UTC(2026, 0, 1));
  const real = await folder.open({ clock });
  const store = options.wrap?.(real) ?? real;
  const records: Record<string, unknown>[] = [];
  const log = recordingLog(records);
  await store.execute({
    kind: 'put-account',
    address: 'alice@here.test',
    aliases: ['postmaster@here.test'],
    quota: null,
    password: null,
    seeded: false,
    existing: 'fail',
  });
  const directory = stack.use(
    await openDirectory({
      store,
      domains: ['here.test'],
      hostname: 'mail.here.test',
      test: { catchAll: false, anyPassword: false },
      clock,
      log,
    }),
  );
  const first = await startFakeServer();
  const { port } = first;
  await first.close();
  const dns = new FakeDns();
  const config: Pick<Config, 'hostname' | 'queue' | 'relay' | 'listeners'> = {
    hostname: 'mail.here.test',
    queue: QUEUE,
    listeners: [],
    relay: {
      smarthosts: [],
      authorities: [],
      port,
      loopback: true,
      forbidDowngrade: false,
      resolvers: [],
      routes: [],
      perDestination: 3,
      concurrency: 10,
      ...(typeof options.relay === 'function' ? options.relay(port) : options.relay),
    },
  };
  const { authorities = [], fetchPolicy, dkim = null } = options;
  const shared = {
    directory,
    clock,
    random: () => 0.5,
    dns,
    config,
    log,
    dkim,
    authorities,
    ...(fetchPolicy === undefined ? {} : { fetchPolicy }),
  };
  const runner = createQueueRunner({ store, ...shared });
  stack.defer(async () => {
    let closed = false;
    void runner.close(0).then(() => {
      closed = true;
    });
    while (!closed) {
      clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  await runner.start();
  let number = 0;

  const stage: QueueStage = {
    store,
    clock,
    dns,
    runner,
    port,
    records,
    async hop(host, script = {}) {
      const server = await startFakeServer(script, `127.0.0.${host}`, port);
      stack.defer(() => server.close());
      return server;
    },
    domain(name, ...servers) {
      dns.set(name, { mx: servers.map((host, index) => ({ preference: index, exchange: `mx${host}.test` })) });
      for (const host of servers) dns.set(`mx${host}.test`, { ipv4: [`127.0.0.${host}`] });
    },
    async put({ to, from = 'alice@here.test', parameters = {}, content = LETTER }) {
      const octets = Buffer.from(content, 'utf8');
      const staging = store.stage();
      await staging.write(octets);
      const arrival = {
        messageId: `m${++number}`,
        origin: {
          role: 'submission' as const,
          session: 's',
          remoteAddress: null,
          localPort: 465,
          account: null,
          tls: null,
        },
        reversePath: mailbox(from),
        parameters,
        locals: [],
        remotes: to.map((one) => {
          const [address, rcpt] = typeof one === 'string' ? [one, {}] : one;
          return { address: mailbox(address) ?? { localPart: address, domain: '' }, parameters: rcpt };
        }),
        content: { body: staging.finish(), facts: bodyFacts(octets) },
        now: clock.now(),
      };
      await store.execute<'accept'>(acceptOf(arrival, QUEUE));
    },
    async entries() {
      return await store.read.queue.list({ limit: 500 });
    },
    async until(condition) {
      let wake = (): void => {};
      const stop = store.follow({ kind: 'queue' }, () => wake());
      try {
        for (;;) {
          const changed = new Promise<void>((resolve) => {
            wake = resolve;
          });
          const entries = (await stage.entries()).map(({ entry }) => entry);
          if (condition(entries)) return entries;
          await changed;
        }
      } finally {
        stop();
      }
    },
    async inbox() {
      const [account] = await store.read.accounts();
      if (account === undefined) throw new Error('alice has an account');
      const box = await store.read.mailboxByName(account.id, 'INBOX');
      if (box === undefined) throw new Error('alice has an INBOX');
      const { uids } = await store.read.uids(box.id);
      const { rows } = await store.read.messages(box.id, uids);
      return await Promise.all(
        rows.map(async ({ prefix, body, size }) => {
          const octets = await store.read.body(body, 0, size - prefix.length);
          return Buffer.concat([prefix, octets]).toString('utf8');
        }),
      );
    },
    async successor() {
      const next = createQueueRunner({ store: real, ...shared });
      await next.start();
      return { until: stage.until, [Symbol.asyncDispose]: () => next.close(0) };
    },
    async partFrom(server) {
      while (!server.sessions.every(({ closed }) => closed)) {
        clock.advance(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async pass() {
      const next = await store.read.queue.nextAt();
      if (next === null) throw new Error('nothing is queued');
      const before = (await stage.entries()).map(({ entry }) => JSON.stringify(entry)).join();
      clock.advance(Math.max(0, next - clock.now()));
      await stage.until((entries) => entries.map((entry) => JSON.stringify(entry)).join() !== before);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
  return stage;
}

function mailbox(text: string | null): ReversePath {
  return text === null ? null : parseMailbox(text);
}
