// An Exim of the tests' own: configuration, spool, log, mailboxes and ports in a temporary folder; run in the foreground
// from wherever it was unpacked. Needs root, and the user Debian-exim, whom Debian's program asks for.

import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { foreground } from './foreground.ts';
import { allConnect, makeCertificate } from './postfix.ts';
import { unpacked } from './unpacked.ts';

const run = promisify(execFile);
export const EXIM = unpacked('exim4');
const USER = 'Debian-exim';

export interface EximOptions {
  readonly ports: readonly number[];
  /** What it has mailboxes for: whoever is asked for, but `gone`, and `busy` only when told so. */
  readonly domains: readonly string[];
  /** Lines of the main part beyond those that every instance has. `@FOLDER@` stands for the folder. */
  readonly main?: readonly string[];
  /** Certificates that it trusts, in PEM: `@FOLDER@/ca.pem`. */
  readonly authority: string;
  /** Options of the transport to all other domains, by local part of the sender, each to this port of 127.0.0.1. */
  readonly onward: number;
  readonly transports: Readonly<Record<string, readonly string[]>>;
}

export class Exim implements AsyncDisposable {
  readonly folder: string;
  readonly #running: AsyncDisposable;

  private constructor(folder: string, running: AsyncDisposable) {
    this.folder = folder;
    this.#running = running;
  }

  /** All ports accept when this resolves. @throws Error with what it said */
  static async start(options: EximOptions): Promise<Exim> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'postern-exim-'));
    stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
    await chmod(folder, 0o755);
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, USER])).stdout)),
    );
    for (const name of ['spool', 'log', 'mail']) {
      await mkdir(join(folder, name));
      await chown(join(folder, name), uid ?? 0, gid ?? 0);
    }
    await writeFile(join(folder, 'busy'), '');
    await writeFile(join(folder, 'ca.pem'), options.authority, { mode: 0o644 });
    await makeCertificate(folder);
    await chown(join(folder, 'key.pem'), uid ?? 0, gid ?? 0);
    const file = join(folder, 'exim.conf');
    await writeFile(file, configuration(options).replaceAll('@FOLDER@', folder), { mode: 0o644 });
    const log = join(folder, 'log/mainlog');
    stack.use(await foreground(EXIM, ['-C', file, '-bdf', '-q1s'], () => allConnect(options.ports), { log }));
    return new Exim(folder, stack.move());
  }

  log(): Promise<string> {
    return readFile(join(this.folder, 'log/mainlog'), 'utf8').catch(() => '');
  }

  /** From now on it takes mail for `busy`. */
  async takeAll(): Promise<void> {
    await rm(join(this.folder, 'busy'));
  }

  /** What it has for an address, with LF. */
  async mailbox(address: string): Promise<string[]> {
    const folder = join(this.folder, 'mail/new');
    const names = await readdir(folder).catch(() => []);
    const all = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    return all.filter((octets) => octets.includes(`\nEnvelope-to: ${address}\n`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
  }
}

const configuration = ({ ports, domains, main = [], onward, transports }: EximOptions): string =>
  `
${isAbsolute(EXIM) ? `exim_path = ${EXIM}` : ''}
spool_directory = @FOLDER@/spool
log_file_path = @FOLDER@/log/%slog
pid_file_path = @FOLDER@/spool/pid
primary_hostname = exim.other.test
qualify_domain = ${domains[0]}
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${ports.join(' : ')}
domainlist ours = ${domains.join(' : ')}
tls_certificate = @FOLDER@/cert.pem
tls_privatekey = @FOLDER@/key.pem
log_selector = +incoming_port +received_recipients +smtp_confirmation +tls_cipher
deliver_drop_privilege = true
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
acl_smtp_rcpt = rcpt
${main.join('\n')}
begin acl
rcpt:
  warn  control = dkim_disable_verify
  defer local_parts = busy
        domains = +ours
        condition = \${if exists{@FOLDER@/busy}}
        message = 4.2.1 come back later
  deny  local_parts = gone
        domains = +ours
        message = 5.1.1 nobody of this name
  accept domains = +ours
  accept hosts = 127.0.0.1
begin routers
here:
  driver = accept
  domains = +ours
  transport = mailbox
${Object.keys(transports)
  .map((name) => `by_${name}:\n  senders = ^${name}@\n${route(name)}`)
  .join('')}
by_others:
${route('others')}
begin transports
mailbox:
  driver = appendfile
  directory = @FOLDER@/mail
  maildir_format
  user = ${USER}
  delivery_date_add
  envelope_to_add
  return_path_add
${Object.entries({ others: [], ...transports })
  .map(([name, lines]) => {
    const options = ['driver = smtp', `port = ${onward}`, 'allow_localhost', ...lines];
    return `to_${name}:\n  ${options.join('\n  ')}`;
  })
  .join('\n')}
begin retry
* * F,1h,1s
`;

const route = (name: string): string =>
  ['driver = manualroute', 'route_list = * 127.0.0.1', 'self = send', `transport = to_${name}`]
    .map((line) => `  ${line}\n`)
    .join('');
