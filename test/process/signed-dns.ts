// A DNS of the tests' own, with DNSSEC: zones signed by BIND's tools and served by NSD, and Unbound in front of them,
// which validates. A zone may be signed well, not at all, by a key that nobody trusts, or with signatures that are over.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { systemClock } from '../../src/platform/clock.ts';
import { createDns } from '../../src/platform/resolver.ts';

const run = promisify(execFile);

export type Signing = 'signed' | 'unsigned' | 'untrusted' | 'expired';

export interface Zone {
  readonly name: string;
  readonly signing: Signing;
  /** Lines of a zone file behind SOA and NS; names are relative to the zone. */
  readonly records: readonly string[];
}

/** ms for both servers to answer. */
const PATIENCE = 60_000;

export class SignedDns implements AsyncDisposable {
  readonly #folder: string;
  readonly #children: ChildProcess[] = [];
  readonly #said: string[] = [];
  /** Of the validating resolver, on 127.0.0.1. */
  readonly port: number;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  /** Starts both; the resolver answers when this resolves. @throws Error with what they said */
  static async start(zones: readonly Zone[]): Promise<SignedDns> {
    const folder = await mkdtemp(join(tmpdir(), 'postern-dns-'));
    const [authority, resolver] = await freeTwice();
    const dns = new SignedDns(folder, resolver);
    try {
      const anchors = await Promise.all(zones.map((zone) => writeZone(folder, zone)));
      await writeFile(join(folder, 'nsd.conf'), nsd(folder, authority, zones));
      await writeFile(join(folder, 'unbound.conf'), unbound(folder, resolver, authority, zones, anchors));
      dns.#spawn('nsd', '-d', '-c', join(folder, 'nsd.conf'));
      dns.#spawn('unbound', '-d', '-p', '-c', join(folder, 'unbound.conf'));
      await dns.#answering(zones);
    } catch (error) {
      const said = dns.#said.join('').slice(-2_000);
      await dns[Symbol.asyncDispose]();
      throw new Error(`the signed DNS does not start: ${said}`, { cause: error });
    }
    return dns;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exit = once(child, 'exit');
        child.kill('SIGTERM');
        await exit;
      }),
    );
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #spawn(command: string, ...args: string[]): void {
    const child = spawn(command, args, { cwd: this.#folder, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => this.#said.push(String(text)));
    child.on('error', (error) => this.#said.push(error.message));
    this.#children.push(child);
  }

  async #answering(zones: readonly Zone[]): Promise<void> {
    const known = zones.find(({ signing }) => signing === 'signed')?.name ?? '';
    const resolvers = [{ address: '127.0.0.1', port: this.port, trusted: true }];
    for (const end = Date.now() + PATIENCE; ; await sleep(50)) {
      const answer = await createDns({ resolvers, clock: systemClock })
        .ipv4(`up.${known}`)
        .catch(() => null);
      if (answer?.secure && answer.records.length > 0) return;
      if (Date.now() > end) throw new Error('no secure answer');
    }
  }
}

/** Writes and signs a zone. @returns the file with what the resolver trusts; null: the zone is known to be unsigned */
async function writeZone(folder: string, { name, signing, records }: Zone): Promise<string | null> {
  const file = join(folder, `${name}.zone`);
  const head = ['$TTL 60', `@ SOA ns.${name}. hostmaster.${name}. 1 3600 600 86400 60`, `@ NS ns.${name}.`];
  await writeFile(file, [...head, 'ns A 127.0.0.1', 'up A 127.0.0.1', ...records, ''].join('\n'));
  if (signing === 'unsigned') {
    await copyFile(file, `${file}.signed`);
    return null;
  }
  const key = await makeKey(folder, name);
  await appendFile(file, await readFile(join(folder, `${key}.key`)));
  const over = signing === 'expired' ? ['-s', '20200101000000', '-e', '20200201000000'] : [];
  await run('dnssec-signzone', ['-z', '-P', ...over, '-o', name, '-f', `${file}.signed`, file, key], { cwd: folder });
  // A key that has signed nothing: the zone's own leads nowhere.
  return join(folder, `${signing === 'untrusted' ? await makeKey(folder, name) : key}.key`);
}

async function makeKey(folder: string, zone: string): Promise<string> {
  const { stdout } = await run('dnssec-keygen', ['-K', folder, '-a', 'ECDSAP256SHA256', '-f', 'KSK', zone]);
  return stdout.trim();
}

const nsd = (folder: string, port: number, zones: readonly Zone[]): string =>
  [
    'server:',
    `  ip-address: 127.0.0.1\n  port: ${port}\n  username: ""\n  chroot: ""\n  zonesdir: "${folder}"`,
    `  pidfile: "${folder}/nsd.pid"\n  xfrdfile: "${folder}/xfrd.state"\n  zonelistfile: "${folder}/zone.list"`,
    `  xfrdir: "${folder}"\n  server-count: 1`,
    'remote-control:\n  control-enable: no',
    ...zones.map(({ name }) => `zone:\n  name: ${name}\n  zonefile: ${name}.zone.signed`),
    '',
  ].join('\n');

const unbound = (
  folder: string,
  port: number,
  authority: number,
  zones: readonly Zone[],
  anchors: readonly (string | null)[],
): string =>
  [
    'server:',
    `  interface: 127.0.0.1@${port}\n  access-control: 127.0.0.0/8 allow\n  do-not-query-localhost: no\n  do-ip6: no`,
    `  directory: "${folder}"\n  pidfile: "${folder}/unbound.pid"\n  username: ""\n  chroot: ""\n  use-syslog: no`,
    '  module-config: "validator iterator"\n  local-zone: "test." nodefault\n  num-threads: 1\n  verbosity: 1',
    ...anchors.flatMap((anchor) => (anchor === null ? [] : [`  trust-anchor-file: "${anchor}"`])),
    ...zones.flatMap(({ name, signing }) => (signing === 'unsigned' ? [`  domain-insecure: "${name}"`] : [])),
    'remote-control:\n  control-enable: no',
    ...zones.map(({ name }) => `stub-zone:\n  name: "${name}"\n  stub-addr: 127.0.0.1@${authority}`),
    '',
  ].join('\n');

/** Two ports that nobody has at this moment. */
async function freeTwice(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = servers.map(async (server) => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  const [one = 0, other = 0] = await Promise.all(ports);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return [one, other];
}
