// Connections to next hops: opened as it is demanded of them, kept for a moment when idle, and not tried again for a while
// where nobody answered. An opportunistic handshake that fails is followed by a new connection in clear (RFC 7435 §3).

import { setMaxListeners } from 'node:events';
import { makeRoom } from '../platform/bounded-memory.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { ConnectionFailure } from '../smtp/client/channel.ts';
import { type ClientTls, hearsHelo, openConnection, type SmtpConnection } from '../smtp/client/connection.ts';
import { QuirkMemory } from '../smtp/client/quirks.ts';
import type { ClientContexts } from '../smtp/client/secure-context.ts';
import type { NextHop } from './route.ts';
import { judgeOf } from './security/judge.ts';
import type { Demand } from './security/rung.ts';

/** ms, a quarter more or less by chance. `dead` is shorter than the shortest sensible retry: it spares the others of a
 * batch, not the next try. `login`: a password does not become right by being said again, and who says it too often is
 * locked out. */
const TIMES = { dead: 60_000, login: 900_000, clear: 600_000, idle: 2_000, leaving: 2_000 } as const;
const JITTER = 0.25;
/** Hosts that are remembered, and idle connections that are kept. */
const LIMITS = { memory: 5_000, idle: 50 } as const;

/** What is known of a host since it was last tried. */
interface Memory {
  readonly until: number;
  readonly failure: ConnectionFailure;
}

export interface HopsOptions {
  readonly hostname: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  readonly contexts: ClientContexts;
}

/** A host, and what a connection to it must be. */
export interface ProtectedHop extends Pick<NextHop, 'name' | 'address' | 'port' | 'credentials'> {
  readonly demand: Demand;
}

export class Hops {
  readonly #options: HopsOptions;
  readonly #open = new Set<SmtpConnection>();
  /** Those that said QUIT a moment ago: a host may count them still. */
  readonly #leaving = new Set<SmtpConnection>();
  readonly #idle: { readonly key: string; readonly connection: SmtpConnection; readonly cancel: () => void }[] = [];
  readonly #dead = new Map<string, Memory>();
  /** Connections being opened, by host. */
  readonly #opening = new Map<string, number>();
  /** Hosts whose TLS does not work. */
  readonly #clear = new Map<string, Memory>();
  readonly #quirks: QuirkMemory;
  readonly #ending = new AbortController();
  #closed = false;

  constructor(options: HopsOptions) {
    this.#options = options;
    this.#quirks = new QuirkMemory(options.clock);
    // One listener a connection.
    setMaxListeners(0, this.#ending.signal);
  }

  /** An idle connection to this host, ready for MAIL; undefined: there is none. */
  reuse(hop: ProtectedHop): SmtpConnection | undefined {
    const key = keyOf(hop);
    for (let at = this.#idle.length - 1; at >= 0; at--) {
      const kept = this.#idle[at];
      if (kept?.key !== key) continue;
      this.#idle.splice(at, 1);
      kept.cancel();
      if (kept.connection.usable) return kept.connection;
      this.#drop(kept.connection);
    }
    return undefined;
  }

  /** A new connection, ready for MAIL. @throws ConnectionFailure, at once for a host that was dead a moment ago
   * @param signal ends the opening, not what was opened */
  async connect(hop: ProtectedHop, signal?: AbortSignal): Promise<SmtpConnection> {
    const key = keyOf(hop);
    const dead = this.#remembered(this.#dead, key);
    if (dead !== undefined) throw dead;
    this.#opening.set(key, (this.#opening.get(key) ?? 0) + 1);
    try {
      const connection = await this.#openByDemand(hop, key, signal);
      this.#opened(key);
      this.#dead.delete(key);
      for (const other of this.#open) if (!other.alive) this.#open.delete(other);
      this.#open.add(connection);
      return connection;
    } catch (error) {
      this.#opened(key);
      if (error instanceof ConnectionFailure) this.#failed(hop, key, error);
      throw error;
    }
  }

  /** Takes a connection back that is not needed now; it is closed politely if nobody asks for it soon. */
  keep(hop: ProtectedHop, connection: SmtpConnection): void {
    if (!connection.usable || this.#closed || this.#idle.length >= LIMITS.idle) {
      this.#part(connection);
      return;
    }
    const kept = {
      key: keyOf(hop),
      connection,
      cancel: this.#options.clock.after(TIMES.idle, () => {
        this.#idle.splice(this.#idle.indexOf(kept), 1);
        this.#part(connection);
      }),
    };
    this.#idle.push(kept);
  }

  /** An operator wants a try now: what was learnt of dead hosts is forgotten. */
  forget(): void {
    this.#dead.clear();
  }

  /** Parts with the idle connections. */
  async retire(): Promise<void> {
    this.#closed = true;
    await Promise.all(
      this.#idle.splice(0).map(async ({ connection, cancel }) => {
        cancel();
        await connection.quit();
        this.#open.delete(connection);
      }),
    );
  }

  /** Closes everything at once, also what is being opened. */
  destroy(): void {
    this.#closed = true;
    this.#ending.abort();
  }

  /** Why the host's TLS is not used, where it is offered and does not work. */
  brokenTls(hop: ProtectedHop): ConnectionFailure | undefined {
    return this.#remembered(this.#clear, keyOf(hop));
  }

  async #openByDemand(hop: ProtectedHop, key: string, signal: AbortSignal | undefined): Promise<SmtpConnection> {
    if (hop.demand.tls !== 'offered') return this.#openAs(hop, hop.demand.tls, signal);
    if (this.#remembered(this.#clear, key) !== undefined) return this.#openAs(hop, 'none', signal);
    try {
      return await this.#openAs(hop, 'offered', signal);
    } catch (error) {
      if (!(error instanceof ConnectionFailure) || error.kind !== 'handshake') throw error;
      const connection = await this.#openAs(hop, 'none', signal);
      this.#remember(this.#clear, key, error, TIMES.clear);
      return connection;
    }
  }

  async #openAs(
    { address, port, credentials, demand }: ProtectedHop,
    tls: ClientTls,
    signal: AbortSignal | undefined,
  ): Promise<SmtpConnection> {
    const { hostname, clock, contexts } = this.#options;
    const quirks = this.#quirks.of(`${address} ${port}`);
    const judge = judgeOf(demand, () => clock.now());
    const target = { name: demand.serverName, address, port, credentials, quirks, tls, judge };
    const { by } = demand.authentication;
    const secureContext = contexts({
      // What is only reported must not keep a host from an old TLS.
      floor: by === 'nobody' || demand.testing ? 'any' : 'strict',
      authorities: by === 'authorities',
    });
    const ends = AbortSignal.any(signal === undefined ? [this.#ending.signal] : [this.#ending.signal, signal]);
    const context = { hostname, clock, secureContext, signal: ends };
    try {
      return await openConnection(target, context);
    } catch (error) {
      // It has hung up on EHLO once more. Asked each time, so that it is soon encrypted again where it was only overloaded.
      if (!(error instanceof ConnectionFailure) || error.kind !== 'closed' || !hearsHelo(target)) throw error;
      return await openConnection(target, context);
    }
  }

  #failed(hop: ProtectedHop, key: string, failure: ConnectionFailure): void {
    if (failure.kind === 'login') {
      const { name, port, credentials } = hop;
      this.#options.log.warn(
        { hop: 'MTA→MTA', host: name, port, user: credentials?.user, reason: failure.message },
        'login refused: mail waits until user and password are put right',
      );
      // Where the server has not judged it (a file of ours cannot be read), it may go well in a moment.
      this.#remember(this.#dead, key, failure, failure.reply === undefined ? TIMES.dead : TIMES.login);
    } else if (!this.isBusy(hop, failure)) {
      this.#remember(this.#dead, key, failure, TIMES.dead);
    }
  }

  #drop(connection: SmtpConnection): void {
    connection.destroy();
    this.#open.delete(connection);
  }

  #part(connection: SmtpConnection): void {
    if (!connection.alive) this.#drop(connection);
    else {
      this.#leaving.add(connection);
      void connection.quit().then(() => {
        this.#open.delete(connection);
        this.#options.clock.after(TIMES.leaving, () => this.#leaving.delete(connection));
      });
    }
  }

  /** True if another connection to the host stands, or is being opened to one that speaks: a failure then says nothing
   * about the host, unless it is of how the host shows itself, which will be the same on the next connection. */
  isBusy(hop: ProtectedHop, { kind, reply }: ConnectionFailure): boolean {
    if (kind === 'certificate' || kind === 'unencrypted' || kind === 'login') return false;
    const { address, port } = hop;
    const isThere = ({ target }: SmtpConnection) => target.address === address && target.port === port;
    for (const connection of this.#open) if (connection.alive && isThere(connection)) return true;
    for (const connection of this.#leaving) if (isThere(connection)) return true;
    return reply !== undefined && this.#opening.has(keyOf(hop));
  }

  #opened(key: string): void {
    const others = (this.#opening.get(key) ?? 0) - 1;
    if (others > 0) this.#opening.set(key, others);
    else this.#opening.delete(key);
  }

  #remembered(memories: Map<string, Memory>, key: string): ConnectionFailure | undefined {
    const memory = memories.get(key);
    if (memory === undefined) return undefined;
    if (memory.until > this.#options.clock.now()) return memory.failure;
    memories.delete(key);
    return undefined;
  }

  #remember(memories: Map<string, Memory>, key: string, failure: ConnectionFailure, ms: number): void {
    makeRoom(memories, LIMITS.memory);
    const { clock, random } = this.#options;
    memories.set(key, { until: clock.now() + ms * (1 + JITTER * (2 * random() - 1)), failure });
  }
}

function keyOf({ address, port, credentials, demand }: ProtectedHop): string {
  return `${address}|${port}|${demand.key}|${credentials?.user ?? ''}`;
}
