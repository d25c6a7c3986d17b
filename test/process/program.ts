// The real program as a process of its own: a configuration in a temporary folder, `src/launch.js serve` over it,
// the ports that its table prints. For tests that kill, trace or measure it. Linux only where it reads /proc.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '../..');
export const PASSWORD = 'secret';

export interface ProgramOptions {
  /** Whose mail it takes: `example.test`. */
  readonly domain?: string;
  /** user01 of the domain to this one; user01 is postmaster. */
  readonly users?: number;
  /** File of who vouches for users by certificate, on every gate but 25. */
  readonly clientAuthority?: string;
  /** More TOML, after everything else. */
  readonly more?: string;
  /** Command words in front of node, such as `strace -D -f`, that leave it the process that was started. */
  readonly under?: readonly string[] | ((folder: string) => readonly string[]);
  /** Node is called with the file, instead of the file by its name. */
  readonly node?: boolean;
  /** ms from start to `ready` before giving up. */
  readonly patience?: number;
  readonly logLevel?: string;
  /** Called with each line of standard output. */
  readonly onLine?: (line: string) => void;
}

/** The gates of the configuration that `toml` writes, by their numbers in the world outside. */
export type Gate = 25 | 465 | 587 | 993 | 143 | 995 | 110;

export const userName = (number: number): string => `user${String(number).padStart(2, '0')}`;
export const userAddress = (number: number): string => `${userName(number)}@example.test`;

const listeners: readonly { readonly gate: Gate; readonly role: string; readonly tls: string }[] = [
  { gate: 25, role: 'transfer', tls: 'offered' },
  { gate: 465, role: 'submission', tls: 'implicit' },
  { gate: 587, role: 'submission', tls: 'required' },
  { gate: 993, role: 'imap', tls: 'implicit' },
  { gate: 143, role: 'imap', tls: 'required' },
  { gate: 995, role: 'pop3', tls: 'implicit' },
  { gate: 110, role: 'pop3', tls: 'required' },
];

function toml(folder: string, options: ProgramOptions): string {
  const quote = JSON.stringify;
  const { domain = 'example.test' } = options;
  const lines = [
    `hostname = ${quote(`mail.${domain}`)}`,
    `domains = [${quote(domain)}]`,
    `data = ${quote(join(folder, 'data'))}`,
    '[tls]',
    `folder = ${quote(join(folder, 'certs'))}`,
    '[limits]',
    'connections = 5000',
    'connections_per_source = 5000',
    '[log]',
    `level = ${quote(options.logLevel ?? 'warn')}`,
  ];
  for (const { role, tls } of listeners) {
    lines.push('[[listener]]', `role = "${role}"`, 'address = "127.0.0.1"', 'port = 0', `tls = "${tls}"`);
    const { clientAuthority } = options;
    if (clientAuthority !== undefined && role !== 'transfer') lines.push(`client_ca = ${quote(clientAuthority)}`);
  }
  for (let number = 1; number <= (options.users ?? 2); number++) {
    lines.push('[[account]]', `address = "${userName(number)}@${domain}"`, `password = "${PASSWORD}"`);
    if (number === 1) lines.push(`aliases = ["postmaster@${domain}"]`);
  }
  return `${lines.join('\n')}\n${options.more ?? ''}\n`;
}

/** The running program. Ports are read from its table, which comes before `ready`. */
export class Program implements AsyncDisposable {
  readonly folder: string;
  readonly config: string;
  readonly #options: ProgramOptions;
  #child: ChildProcess | null = null;
  #ports = new Map<Gate, number>();
  /** ms from exec to `ready`, of the last start. */
  readyAfter = 0;
  /** Lines of standard output and error since the last start, the newest thousand. */
  readonly output: string[] = [];

  private constructor(folder: string, options: ProgramOptions) {
    this.folder = folder;
    this.config = join(folder, 'postern.toml');
    this.#options = options;
  }

  /** Writes the configuration and starts the program. @throws Error with its output, if it does not become ready */
  static async start(options: ProgramOptions = {}): Promise<Program> {
    const folder = await mkdtemp(join(tmpdir(), 'postern-program-'));
    const program = new Program(folder, options);
    try {
      await writeFile(program.config, toml(folder, options));
      await program.start();
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
    return program;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the program does not run');
    return pid;
  }

  port(gate: Gate): number {
    const port = this.#ports.get(gate);
    if (port === undefined) throw new Error(`the program shows no port ${gate}`);
    return port;
  }

  /** Starts over the folder as it is, after `kill` or `stop`. */
  async start(): Promise<void> {
    const { under = [], node = false } = this.#options;
    const [command = '', ...rest] = [
      ...(typeof under === 'function' ? under(this.folder) : under),
      ...(node ? [process.execPath] : []),
      join(root, 'src/launch.js'),
      'serve',
      '--config',
      this.config,
    ];
    this.output.length = 0;
    this.#ports = new Map();
    const begun = performance.now();
    const child = spawn(command, rest, {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: cleanEnvironment(),
    });
    this.#child = child;
    const patience = this.#options.patience ?? 60_000;
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${why}\n${this.output.join('\n')}`));
      const timer = setTimeout(() => fail(`not ready after ${patience} ms`), patience);
      child.on('error', (error) => fail(error.message));
      child.on('exit', (code, signal) => fail(`ended with ${code ?? signal}`));
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          this.#hear(line);
          if (stream === child.stdout && /\bready\b/.test(line)) {
            clearTimeout(timer);
            resolve();
          }
        });
      }
    });
    this.readyAfter = performance.now() - begun;
  }

  /** SIGTERM, and the exit code (null: a signal ended it). */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exit = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const [code] = await exit;
    clearTimeout(timer);
    return typeof code === 'number' ? code : null;
  }

  async kill(): Promise<void> {
    await this.stop('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  #hear(line: string): void {
    this.output.push(line);
    if (this.output.length > 1000) this.output.shift();
    this.#options.onLine?.(line);
    for (const { gate, role, tls } of listeners) {
      const found = new RegExp(`\\b${role}\\b.*?127\\.0\\.0\\.1:(\\d+).*\\b${tls}\\b`).exec(line)?.[1];
      if (found !== undefined && !this.#ports.has(gate)) this.#ports.set(gate, Number(found));
    }
  }
}

/** The environment without what would change the configuration. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:POSTERN_|VITEST|NODE_OPTIONS|NODE_ENV)/.test(name));
  // The file finds its node by name: the one that runs the tests.
  return { ...Object.fromEntries(kept), PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
}
