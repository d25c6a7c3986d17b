// The program as people run it: one verb in a process of its own, with an environment that holds nothing else of Postern.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const launch = join(import.meta.dirname, '../../src/launch.js');

export interface Ended {
  /** null: a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; null: it stays open, and nothing comes. */
  readonly input?: string | null;
  /** Arguments of node itself. */
  readonly node?: readonly string[];
  /** Another file than the program's own. */
  readonly script?: string;
  /** Another node. */
  readonly executable?: string;
}

/** Nobody waits longer for a verb. */
const PATIENCE = 60_000;

export async function postern(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { cwd = tmpdir(), env = {}, input = '', node = [], script = launch, executable = process.execPath } = options;
  const child = spawn(executable, [...node, script, ...args], { cwd, env: { ...bare(), ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined);
  if (input !== null) child.stdin.end(input);
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  child.stdin.destroy();
  return { code: typeof code === 'number' ? code : null, stdout, stderr };
}

/** The environment without what would change the configuration. */
export function bare(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:POSTERN_|VITEST|NODE_OPTIONS|NODE_ENV)/.test(name)),
  );
}

export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly config: string;
  /** A verb over this configuration. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended>;
}

/** A folder with a configuration of one IMAP gate, where nothing runs. @param more TOML after everything else */
export async function site(more = ''): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-cli-'));
  const config = join(folder, 'postern.toml');
  const lines = [
    'hostname = "mail.example.test"',
    'domains = ["example.test"]',
    `data = ${JSON.stringify(join(folder, 'data'))}`,
    '[tls]',
    `folder = ${JSON.stringify(join(folder, 'certs'))}`,
    '[[account]]',
    'address = "alice@example.test"',
    'password = "wonderland"',
    'aliases = ["postmaster@example.test"]',
  ];
  const listener = ['[[listener]]', 'role = "imap"', 'port = 0', 'tls = "implicit"'];
  await writeFile(config, `${[...lines, ...(more.includes('[[listener]]') ? [] : listener), more].join('\n')}\n`);
  return {
    folder,
    config,
    run: (args, options) => postern(['--config', config, ...args], { cwd: folder, ...options }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** Lines of a text, without the empty ones. */
export const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');
