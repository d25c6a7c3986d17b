// Programs that Postern has not been written with: found on this machine with their version, run as processes, and
// counted for the table. Where one is missing its cases are left out, but with CI=true that is a failure.

import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    program?: string;
    version?: string;
  }
}

const root = join(import.meta.dirname, '../..');

export interface Foreign {
  readonly name: string;
  /** null: it is not here. */
  readonly version: string | null;
}

/** A program of the system. @param version finds the version in what it says when asked, in its first group */
export async function program(name: string, ask: readonly string[], version: RegExp): Promise<Foreign> {
  const [command = name, ...args] = ask;
  const said = await promisify(execFile)(command, args).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: unknown) => (String(error).includes('ENOENT') ? null : String(error)),
  );
  return { name, version: said === null ? null : (version.exec(said)?.[1] ?? 'unknown') };
}

/** A package from npm, which is always here. */
export async function packaged(name: string): Promise<Foreign> {
  const text = await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string }; // The shape that npm gives the file.
  return { name, version };
}

/** The cases of a program: a `describe` that is left out where one of the programs is missing. The first one counts. */
export function cases(programs: readonly [Foreign, ...Foreign[]], body: () => void): void {
  const [{ name, version }] = programs;
  const missing = programs.filter((each) => each.version === null).map((each) => each.name);
  if (missing.length > 0 && process.env.CI === 'true') {
    test(`${name}: ${missing.join(', ')} must be installed`, { meta: { program: name } }, () => {
      expect(missing).toEqual([]);
    });
    return;
  }
  if (missing.length > 0) console.info(`${missing.join(', ')} is not installed: the cases of ${name} are left out`);
  describe.runIf(missing.length === 0)(name, { meta: { program: name, version: version ?? 'missing' } }, body);
}

export interface Finished {
  /** null: a signal ended it. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Both, for a test that fails. */
  readonly said: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** ms until it is killed. */
  readonly patience?: number;
}

/** Runs a program to its end. It finds no configuration of a user's. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, HOME: options.cwd ?? '/nonexistent', LC_ALL: 'C.UTF-8', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.patience ?? 40_000,
    killSignal: 'SIGKILL',
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A program that has heard enough closes its end; what it makes of that is in its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const stdout = Buffer.concat(out);
  const stderr = Buffer.concat(err).toString();
  return { code, stdout, stderr, said: `${stdout.toString()}\n${stderr}` };
}

/** Runs a program that must end with 0. @returns its standard output */
export async function succeed(command: string, args: readonly string[], options: RunOptions = {}): Promise<Buffer> {
  const { code, stdout, said } = await run(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${said}`);
  return stdout;
}
