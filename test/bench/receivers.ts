// The hosts that a relay load goes to, the same for every server under load: one that takes all in clear, one that wants
// STARTTLS, and twenty that share five hundred domains and turn a tenth of the messages away at first.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../process/postfix.ts';
import { Sink } from './sink.ts';

/** Where the mail for a domain goes, by port of a loopback address. */
export interface Route {
  readonly domain: string;
  readonly host: string;
  readonly port: number;
}

/** How long a server is told to wait with what was turned away, seconds. */
export const RETRY = 3;
const HOSTS = 20;
const DOMAINS = 500;

export class Receivers implements AsyncDisposable {
  readonly #sinks: readonly Sink[];
  readonly routes: readonly Route[];

  private constructor(sinks: readonly Sink[], routes: readonly Route[]) {
    this.#sinks = sinks;
    this.routes = routes;
  }

  static async open(): Promise<Receivers> {
    const sinks: Sink[] = [];
    const routes: Route[] = [];
    const add = async (options: Parameters<typeof Sink.open>[0], host = '127.0.0.1'): Promise<number> => {
      const sink = await Sink.open({ ...options, address: host });
      sinks.push(sink);
      return sink.port;
    };
    routes.push({ domain: 'remote.test', host: '127.0.0.1', port: await add({}) });
    routes.push({ domain: 'secure.test', host: '127.0.0.1', port: await add({ tls: await makeIdentity() }) });
    const known = new Set<string>();
    const defers = (recipient: string): boolean => {
      if (!isDeferred(Number(/^r(\d+)/.exec(recipient)?.[1] ?? 0)) || known.has(recipient)) return false;
      known.add(recipient);
      return true;
    };
    for (let at = 0; at < HOSTS; at++) {
      const host = `127.0.1.${at + 1}`;
      const port = await add({ defers }, host);
      for (let domain = at; domain < DOMAINS; domain += HOSTS) routes.push({ domain: domainOf(domain), host, port });
    }
    return new Receivers(sinks, routes);
  }

  /** Called with the head of each message. */
  set onMessage(listener: (head: string) => void) {
    for (const sink of this.#sinks) sink.onMessage = listener;
  }

  /** Of all hosts, so far. */
  get counts(): { readonly connections: number; readonly resumed: number; readonly deferrals: number } {
    const sum = (of: 'connections' | 'resumed' | 'deferrals') => this.#sinks.reduce((all, sink) => all + sink[of], 0);
    return { connections: sum('connections'), resumed: sum('resumed'), deferrals: sum('deferrals') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sink of this.#sinks) await sink[Symbol.asyncDispose]();
  }
}

/** A recipient in one of the many domains. @param batch tells recipients of one load from those of another */
export function manyDomains(number: number, batch: string): string {
  return `r${number}.${batch}@${domainOf(number % DOMAINS)}`;
}

/** A tenth, spread over all domains. */
function isDeferred(number: number): boolean {
  return (number + Math.floor(number / DOMAINS)) % 10 === 0;
}

function domainOf(number: number): string {
  return `d${String(number).padStart(3, '0')}.test`;
}

/** A certificate that nobody vouches for, as many a mail server has. */
async function makeIdentity(): Promise<{ cert: string; key: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-sink-'));
  try {
    await makeCertificate(folder);
    const read = (name: string) => readFile(join(folder, name), 'utf8');
    return { cert: await read('cert.pem'), key: await read('key.pem') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
