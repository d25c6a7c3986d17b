// The queue runner: sees what falls due, gives each destination a lane and each lane its connections, and sleeps in
// between. It follows the store's feed, so that what is accepted now is on its way now; all state is in the store.

import { networkInterfaces } from 'node:os';
import type { Config } from '../config/config.ts';
import type { Directory } from '../directory/directory.ts';
import { type Clock, within } from '../platform/clock.ts';
import type { Dns } from '../platform/dns.ts';
import type { Log } from '../platform/log.ts';
import { plainAddress } from '../platform/source.ts';
import { clientContexts } from '../smtp/client/secure-context.ts';
import { type Store, StoreError } from '../store/store.ts';
import type { DkimSigner } from '../trust/dkim/signer.ts';
import { Connections } from './connections.ts';
import { Hops } from './hops.ts';
import { Lane, type LaneOptions } from './lane.ts';
import { Paces } from './pace.ts';
import { createRelease } from './release.ts';
import { createRouter } from './route.ts';
import type { PolicyFetcher } from './security/policy-fetch.ts';
import { createSecurity, type Security } from './security/security.ts';
import { createSettler } from './settle.ts';

export interface QueueOptions {
  readonly store: Pick<Store, 'execute' | 'read' | 'stage' | 'follow'>;
  readonly directory: Directory;
  readonly clock: Clock;
  /** In [0, 1): jitter, and the order of equal MX hosts. */
  readonly random: () => number;
  readonly dns: Dns;
  readonly config: Pick<Config, 'hostname' | 'queue' | 'relay' | 'listeners'>;
  readonly log: Log;
  /** Signs reports; null: they go out unsigned. */
  readonly dkim: DkimSigner | null;
  /** Certificates in PEM that are trusted beside the machine's, where one is checked. */
  readonly authorities?: readonly string[];
  /** How MTA-STS policies come; absent: over HTTPS. */
  readonly fetchPolicy?: PolicyFetcher;
}

export interface QueueRunner {
  /** Begins with what is due. */
  start(): Promise<void>;
  /** An operator's hand: looks at the queue at once, and at hosts that were dead a moment ago. */
  kick(): void;
  /** Begins nothing any more, and gives transactions under way `graceMs` to end. Idempotent. */
  close(graceMs: number): Promise<void>;
}

/** ms until due work is looked for again that could not be begun for want of a connection. */
const RECHECK = 15_000;
/** Connections that wait for slow hosts, beside those that work: a socket and a timer each. */
const WAITING = 200;
/** ms for lanes to see that their connections are gone. */
const PARTING = 500;

export function createQueueRunner(options: QueueOptions): QueueRunner {
  return new Runner(options);
}

class Runner implements QueueRunner {
  readonly #options: QueueOptions;
  readonly #hops: Hops;
  readonly #security: Security;
  readonly #shared: LaneOptions;
  readonly #lanes = new Map<string, { readonly lane: Lane; readonly ended: Promise<void> }>();
  readonly #connections: Connections;
  readonly #paces: Paces;
  /** Destinations are due that have no lane. */
  #crowded = false;
  #looking: Promise<void> = Promise.resolve();
  #busy = false;
  #again = false;
  #alarm: { readonly at: number; readonly cancel: () => void } | null = null;
  #unfollow: (() => void) | null = null;
  #closing = false;
  #closed: Promise<void> | null = null;

  constructor(options: QueueOptions) {
    const { store, directory, clock, random, dns, config, log, dkim, authorities = [] } = options;
    const { hostname, queue, relay } = config;
    this.#options = options;
    const contexts = clientContexts(authorities);
    this.#hops = new Hops({ hostname, clock, random, log, contexts });
    this.#paces = new Paces(relay.perDestination, clock, random);
    this.#connections = new Connections({
      clock,
      most: relay.concurrency,
      waiting: WAITING,
      crowded: () => this.#crowded,
      room: () => {
        if (this.#crowded) void this.#look();
      },
    });
    const { fetchPolicy } = options;
    const { loopback } = relay;
    this.#security = createSecurity({ store, dns, clock, log, contexts, loopback, fetchPolicy });
    const { policies, memory, journal } = this.#security;
    const schedule = { queue, random };
    const { settle, notices } = createSettler({
      store,
      directory,
      hostname,
      queue,
      clock,
      log,
      dkim,
      closing: () => this.#closing,
    });
    this.#shared = {
      store,
      clock,
      log,
      router: createRouter({
        dns,
        policies,
        memory,
        random,
        hostname,
        relay,
        isOurs: ownPorts(config.listeners),
      }),
      relay: { hops: this.#hops, journal, store, clock, log },
      schedule,
      settle,
      notices,
      deliverHere: createRelease({ store, directory, hostname, queue, clock, log, dkim }),
      acquire: () => (this.#closing ? null : this.#connections.take()),
      crowded: () => this.#crowded,
    };
  }

  async start(): Promise<void> {
    this.#unfollow = this.#options.store.follow({ kind: 'queue' }, (change) => {
      if (change.kind !== 'queue') return;
      if (change.byHand) for (const { lane } of this.#lanes.values()) lane.reconsider();
      this.#hear(change.nextAt, change.destinations);
    });
    await this.#look();
  }

  kick(): void {
    this.#hops.forget();
    void this.#look();
  }

  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    this.#closing = true;
    this.#unfollow?.();
    this.#alarm?.cancel();
    this.#security.stop();
    await this.#looking;
    for (const { lane } of this.#lanes.values()) lane.stop();
    this.#shared.notices.hurry();
    const ended = Promise.all([...this.#lanes.values()].map((each) => each.ended)).then(() => this.#hops.retire());
    await within(this.#options.clock, graceMs, ended);
    this.#hops.destroy();
    // Without connections a lane ends by itself; one that waits for the DNS finds the store closed.
    await within(this.#options.clock, PARTING, ended);
    await this.#security.close();
  }

  /** What was put into the queue for now is begun without a look at the queue, which may be long. */
  #hear(nextAt: number, destinations: readonly string[]): void {
    if (destinations.length === 0 || nextAt > this.#options.clock.now()) {
      this.#expect(nextAt);
      return;
    }
    for (const destination of destinations) {
      // Where others wait for a connection, a new destination gets in line: who has waited longest is the store's to say.
      if (!this.#crowded || this.#lanes.has(destination)) this.#serve(destination);
    }
  }

  /** Something falls due at `at`, ms since the epoch. */
  #expect(at: number): void {
    if (this.#closing || at === Number.POSITIVE_INFINITY) return;
    const { clock } = this.#options;
    const now = clock.now();
    if (at <= now) {
      void this.#look();
    } else if (this.#alarm === null || at < this.#alarm.at) {
      this.#alarm?.cancel();
      const cancel = clock.after(at - now, () => {
        this.#alarm = null;
        void this.#look();
      });
      this.#alarm = { at, cancel };
    }
  }

  /** Gives what is due to its lanes. Calls while it runs make it run once more. Never rejects. */
  #look(): Promise<void> {
    if (this.#closing) return Promise.resolve();
    this.#again = true;
    if (!this.#busy) {
      this.#busy = true;
      this.#looking = this.#lookAgain();
    }
    return this.#looking;
  }

  async #lookAgain(): Promise<void> {
    const { store, clock, log } = this.#options;
    try {
      while (this.#again && !this.#closing) {
        this.#again = false;
        const now = clock.now();
        // Those that have a lane are among the answers.
        const limit = this.#lanes.size + this.#connections.free + 1;
        const due = await store.read.queue.dueDestinations(now, limit);
        this.#crowded = false;
        // Who has a lane may be due only until the disk has what came of it. Whatever else is, the look at the lane's
        // end finds.
        for (const destination of due) if (!this.#lanes.has(destination)) this.#serve(destination);
        const next = await store.read.queue.nextAt(now);
        if (next !== null) this.#expect(next);
        // What is due already is in a lane's hands, or waits for one to end.
        if (due.length > 0) this.#expect(now + RECHECK);
      }
    } catch (error) {
      if (this.#closing || (error instanceof StoreError && error.kind === 'closed')) return;
      log.error({ err: error }, 'the queue cannot be read');
      this.#expect(clock.now() + RECHECK);
    } finally {
      // In the same turn as the last look at `#again`, so that no call falls in between.
      this.#busy = false;
    }
  }

  #serve(destination: string): void {
    const busy = this.#lanes.get(destination);
    if (busy !== undefined) {
      busy.lane.nudge();
      return;
    }
    const place = this.#shared.acquire();
    if (place === null) {
      this.#crowded = true;
    } else {
      const lane = new Lane(destination, this.#paces.of(destination), this.#shared);
      const ended = lane.run(place).then((well) => {
        this.#lanes.delete(destination);
        // Its connection is free for another, and something may have come for itself since its last page.
        if (well) void this.#look();
        else this.#expect(this.#options.clock.now() + RECHECK);
      });
      this.#lanes.set(destination, { lane, ended });
    }
  }
}

/** Tells whether an address and port are a transfer listener of this server (RFC 5321 §5.1: no mail to ourselves). */
function ownPorts(listeners: QueueOptions['config']['listeners']): (address: string, port: number) => boolean {
  const own = new Set<string>();
  for (const { role, addresses, port } of listeners) {
    if (role !== 'transfer') continue;
    for (const address of addresses) {
      const all = address === '0.0.0.0' || address === '::';
      for (const each of all ? interfaceAddresses() : [address]) own.add(`${plainAddress(each)} ${port}`);
    }
  }
  return (address, port) => own.has(`${address} ${port}`);
}

function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
}
