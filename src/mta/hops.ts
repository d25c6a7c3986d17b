// Connections to next hops: opened as their TLS rung says, kept for a moment when idle, and not tried again for a while
// where nobody answered. An opportunistic handshake that fails is followed by a new connection in clear (RFC 7435 §3).

import { setMaxListeners } from 'node:events';
import type { SecureContext } from 'node:tls';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { isLoopback } from '../platform/source.ts';
import { ConnectionFailure } from '../smtp/client/channel.ts';
import { type ConnectionTarget, openConnection, type SmtpConnection } from '../smtp/client/connection.ts';
import { clientContexts } from '../smtp/client/secure-context.ts';
import type { NextHop } from './route.ts';

/** ms. `dead` is shorter than the shortest sensible retry: it spares the others of a batch, not the next try. `login`: a
 * password does not become right by being said again, and who says it too often is locked out. */
const TIMES = { dead: 60_000, login: 900_000, clear: 600_000, idle: 2_000 } as const;
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
  readonly log: Log;
  /** Certificates in PEM that are trusted beside the system's, where one is checked. */
  readonly authorities?: readonly string[];
}

export class Hops {
  readonly #options: HopsOptions;
  readonly #context: (verify: boolean) => SecureContext;
  readonly #open = new Set<SmtpConnection>();
  readonly #idle: { readonly key: string; readonly connection: SmtpConnection; readonly cancel: () => void }[] = [];
  readonly #dead = new Map<string, Memory>();
  /** Hosts whose TLS does not work. */
  readonly #clear = new Map<string, Memory>();
  readonly #ending = new AbortController();
  #closed = false;

  constructor(options: HopsOptions) {
    this.#options = options;
    this.#context = clientContexts(options.authorities);
    // One listener a connection.
    setMaxListeners(0, this.#ending.signal);
  }

  /** An idle connection to this host, ready for MAIL; undefined: there is none. */
  reuse(hop: NextHop): SmtpConnection | undefined {
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

  /** A new connection, ready for MAIL. @throws ConnectionFailure, at once for a host that was dead a moment ago */
  async connect(hop: NextHop): Promise<SmtpConnection> {
    const key = keyOf(hop);
    const dead = this.#remembered(this.#dead, key);
    if (dead !== undefined) throw dead;
    try {
      const connection = await this.#openByRung(hop, key);
      for (const other of this.#open) if (!other.alive) this.#open.delete(other);
      this.#open.add(connection);
      return connection;
    } catch (error) {
      if (error instanceof ConnectionFailure) this.#failed(hop, key, error);
      throw error;
    }
  }

  /** Takes a connection back that is not needed now; it is closed politely if nobody asks for it soon. */
  keep(hop: NextHop, connection: SmtpConnection): void {
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

  async #openByRung(hop: NextHop, key: string): Promise<SmtpConnection> {
    if (hop.tls !== 'opportunistic') return this.#openAs(hop, rungOf(hop));
    if (this.#remembered(this.#clear, key) !== undefined) return this.#openAs(hop, CLEAR);
    try {
      return await this.#openAs(hop, OFFERED);
    } catch (error) {
      if (!(error instanceof ConnectionFailure) || error.kind !== 'handshake') throw error;
      const connection = await this.#openAs(hop, CLEAR);
      this.#remember(this.#clear, key, error, TIMES.clear);
      return connection;
    }
  }

  #openAs({ name, address, port, credentials }: NextHop, rung: Rung): Promise<SmtpConnection> {
    const { hostname, clock } = this.#options;
    const target = { name, address, port, credentials, ...rung };
    const secureContext = this.#context(rung.verify);
    return openConnection(target, { hostname, clock, secureContext, signal: this.#ending.signal });
  }

  #failed(hop: NextHop, key: string, failure: ConnectionFailure): void {
    if (failure.kind === 'login') {
      const { name, port, credentials } = hop;
      this.#options.log.warn(
        { hop: 'MTA→MTA', host: name, port, user: credentials?.user, reason: failure.message },
        'login refused: mail waits until user and password are put right',
      );
      // Where the server has not judged it (a file of ours cannot be read), it may go well in a moment.
      this.#remember(this.#dead, key, failure, failure.reply === undefined ? TIMES.dead : TIMES.login);
    } else if (!this.#inUse(hop)) {
      this.#remember(this.#dead, key, failure, TIMES.dead);
    }
  }

  #drop(connection: SmtpConnection): void {
    connection.destroy();
    this.#open.delete(connection);
  }

  #part(connection: SmtpConnection): void {
    if (!connection.alive) this.#drop(connection);
    else void connection.quit().then(() => this.#open.delete(connection));
  }

  /** True if another connection to the host stands: one that is refused then says nothing about the host. */
  #inUse({ address, port }: NextHop): boolean {
    for (const { target, alive } of this.#open) {
      if (target.address === address && target.port === port && alive) return true;
    }
    return false;
  }

  #remembered(memories: Map<string, Memory>, key: string): ConnectionFailure | undefined {
    const memory = memories.get(key);
    if (memory === undefined) return undefined;
    if (memory.until > this.#options.clock.now()) return memory.failure;
    memories.delete(key);
    return undefined;
  }

  #remember(memories: Map<string, Memory>, key: string, failure: ConnectionFailure, ms: number): void {
    if (memories.size >= LIMITS.memory) {
      // A Map keeps the order of insertion: the oldest goes.
      for (const oldest of memories.keys()) {
        memories.delete(oldest);
        break;
      }
    }
    memories.set(key, { until: this.#options.clock.now() + ms, failure });
  }
}

type Rung = Pick<ConnectionTarget, 'tls' | 'verify'>;
const OFFERED: Rung = { tls: 'offered', verify: false };
const CLEAR: Rung = { tls: 'none', verify: false };

/** What a route's TLS mode asks of the connection. */
function rungOf(hop: NextHop): Rung {
  switch (hop.tls) {
    case 'opportunistic':
      return OFFERED;
    case 'none':
      return CLEAR;
    case 'required':
      return { tls: 'required', verify: false };
    case 'verified':
      return { tls: 'required', verify: true };
    case 'implicit':
      // RFC 8314 §4.4 wants the certificate checked; on this machine nobody is in between.
      return { tls: 'implicit', verify: !isLoopback(hop.address) };
    case 'implicit-unverified':
      return { tls: 'implicit', verify: false };
  }
}

function keyOf({ name, address, port, tls, credentials }: NextHop): string {
  // Verified and named connections are of their name; the rest is of the address only.
  return `${address}|${port}|${tls}|${tls === 'opportunistic' ? '' : name}|${credentials?.user ?? ''}`;
}
