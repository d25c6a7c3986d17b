// A Postfix of the tests' own: configuration, queue, log and ports in a temporary folder, started and stopped by its
// master's pid. Needs Debian's package and root. Its defaults are kept, above all those about durability.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface PostfixOptions {
  /** Lines of main.cf beyond those that every instance has. `@FOLDER@` stands for the folder. */
  readonly main: readonly string[];
  /** Network listeners of master.cf: `-o` options by service name `smtpd`, one listener each. */
  readonly listeners: readonly {
    readonly address?: string;
    readonly port: number;
    readonly options?: readonly string[];
  }[];
  /** Lookup tables by name, made by postmap: `hash:@FOLDER@/etc/<name>`. */
  readonly tables?: Readonly<Record<string, string>>;
}

const services = `
pickup     unix  n - n 60    1 pickup
cleanup    unix  n - n -     0 cleanup
qmgr       unix  n - n 300   1 qmgr
tlsmgr     unix  - - n 1000? 1 tlsmgr
rewrite    unix  - - n -     - trivial-rewrite
bounce     unix  - - n -     0 bounce
defer      unix  - - n -     0 bounce
trace      unix  - - n -     0 bounce
verify     unix  - - n -     1 verify
flush      unix  n - n 1000? 0 flush
proxymap   unix  - - n -     - proxymap
proxywrite unix  - - n -     1 proxymap
smtp       unix  - - n -     - smtp
relay      unix  - - n -     - smtp
showq      unix  n - n -     - showq
error      unix  - - n -     - error
retry      unix  - - n -     - error
discard    unix  - - n -     - discard
virtual    unix  - n n -     - virtual
lmtp       unix  - - n -     - lmtp
anvil      unix  - - n -     1 anvil
scache     unix  - - n -     1 scache
postlog    unix-dgram n - n - 1 postlogd
`;

/** Ports that nobody listens on at this moment, below those that Linux gives to whoever asks for any. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  const ports: number[] = [];
  while (ports.length < count) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    const server = createServer();
    const free = await once(server.listen(port, '127.0.0.1'), 'listening').catch(() => null);
    if (free === null) continue;
    servers.push(server);
    ports.push(port);
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return ports;
}

/** Does anybody accept on this port of this machine? */
export function connects(port: number, address = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

export async function allConnect(ports: readonly number[]): Promise<boolean> {
  return (await Promise.all(ports.map((port) => connects(port)))).every(Boolean);
}

/** A self-signed P-256 certificate `cert.pem` and its `key.pem` for localhost, made by openssl. */
export async function makeCertificate(folder: string): Promise<void> {
  const names = 'subjectAltName=DNS:localhost,DNS:peer.other.test,IP:127.0.0.1';
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  await run('openssl', ['req', '-x509', ...kind, '-subj', '/CN=localhost', '-addext', names, ...files]);
}

export class Postfix implements AsyncDisposable {
  readonly folder: string;
  readonly version: string;

  private constructor(folder: string, version: string) {
    this.folder = folder;
    this.version = version;
  }

  /** Starts it; all listeners accept when this resolves. @throws Error with the log's end */
  static async start(options: PostfixOptions): Promise<Postfix> {
    if (userInfo().uid !== 0) throw new Error('Postfix starts only as root');
    const folder = await mkdtemp(join(tmpdir(), 'postern-postfix-'));
    // The daemons run as another user and have to reach the queue.
    await chmod(folder, 0o755);
    const etc = join(folder, 'etc');
    for (const name of [etc, join(folder, 'queue'), join(folder, 'data')]) await mkdir(name);
    const ids = await run('id', ['-u', 'postfix']);
    await chown(join(folder, 'data'), Number(ids.stdout), 0);
    await makeCertificate(etc);
    const place = (text: string): string => text.replaceAll('@FOLDER@', folder);
    await writeFile(join(etc, 'main.cf'), place(`${[...base, ...options.main].join('\n')}\n`));
    const listeners = options.listeners.map(({ address = '127.0.0.1', port, options: more = [] }) =>
      [`${address}:${port} inet n - n - - smtpd`, ...more.map((option) => `  -o ${option}`)].join('\n'),
    );
    await writeFile(join(etc, 'master.cf'), `${listeners.join('\n')}${services}`);
    for (const [name, table] of Object.entries(options.tables ?? {})) {
      await writeFile(join(etc, name), table);
      await run('postmap', ['-c', etc, `hash:${join(etc, name)}`]);
    }
    const { stdout } = await run('postconf', ['-c', etc, '-h', 'mail_version']);
    const postfix = new Postfix(folder, stdout.trim());
    try {
      await postfix.start();
    } catch (error) {
      const said = await postfix.log();
      await postfix[Symbol.asyncDispose]();
      throw new Error(`Postfix does not start: ${said.slice(-2000)}`, { cause: error });
    }
    return postfix;
  }

  async start(): Promise<void> {
    await run('postfix', ['-c', join(this.folder, 'etc'), 'start']);
  }

  async stop(): Promise<void> {
    const pid = await this.pid().catch(() => 0);
    await run('postfix', ['-c', join(this.folder, 'etc'), 'stop']).catch(() => undefined);
    for (let tries = 0; tries < 600 && pid !== 0 && alive(pid); tries++) await sleep(50);
  }

  /** Of the master. */
  async pid(): Promise<number> {
    return Number((await readFile(join(this.folder, 'queue/pid/master.pid'), 'utf8')).trim());
  }

  log(): Promise<string> {
    return readFile(join(this.folder, 'maillog'), 'utf8').catch(() => '');
  }

  /** Tries the deferred again now. */
  async flush(): Promise<void> {
    await run('postqueue', ['-c', join(this.folder, 'etc'), '-f']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

const base = [
  'compatibility_level = 3.6',
  'queue_directory = @FOLDER@/queue',
  'data_directory = @FOLDER@/data',
  'command_directory = /usr/sbin',
  'daemon_directory = /usr/lib/postfix/sbin',
  'mail_owner = postfix',
  'setgid_group = postdrop',
  'inet_interfaces = 127.0.0.1',
  'inet_protocols = ipv4',
  'mydestination =',
  'alias_maps =',
  'alias_database =',
  'local_recipient_maps =',
  'biff = no',
  'maillog_file = @FOLDER@/maillog',
  'maillog_file_prefixes = @FOLDER@',
  'smtpd_tls_cert_file = @FOLDER@/etc/cert.pem',
  'smtpd_tls_key_file = @FOLDER@/etc/key.pem',
];

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
