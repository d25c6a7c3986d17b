// Postfix's smtp-sink: a server that takes everything, or fails at a command as it is told, and leaves each transaction
// that came as far as DATA in a file. Needs root, and Postfix's user.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connects } from './postfix.ts';

const USER = 'postfix';
/** ms. */
const PATIENCE = 60_000;

export class SmtpSink implements AsyncDisposable {
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder;
    this.#child = child;
  }

  /** It accepts when this resolves, but for `-q CONNECT`. @param options such as `-r`, `RCPT` */
  static async start(port: number, options: readonly string[] = []): Promise<SmtpSink> {
    const folder = await mkdtemp(join(tmpdir(), 'postern-sink-'));
    await chmod(folder, 0o755);
    const ids = await Promise.all(['-u', '-g'].map((flag) => promisify(execFile)('id', [flag, USER])));
    await chown(folder, Number(ids[0]?.stdout), Number(ids[1]?.stdout));
    const args = ['-u', USER, '-d', join(folder, '%s.'), ...options, `127.0.0.1:${port}`, '200'];
    const child = spawn('smtp-sink', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text) => {
      said += String(text);
    });
    child.on('error', (error) => {
      said += error.message;
    });
    const sink = new SmtpSink(folder, child);
    for (const end = Date.now() + PATIENCE; !(await connects(port)); await sleep(20)) {
      if (Date.now() < end && child.exitCode === null && child.pid !== undefined) continue;
      await sink[Symbol.asyncDispose]();
      throw new Error(`smtp-sink does not start: ${said}`);
    }
    return sink;
  }

  /** What came, with its trace fields, also what was not acknowledged. */
  async transactions(): Promise<string[]> {
    const names = await readdir(this.#folder);
    return Promise.all(names.map((name) => readFile(join(this.#folder, name), 'latin1')));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await exit;
    }
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
