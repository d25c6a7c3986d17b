// Postfix's smtp-sink: a server that takes everything, or fails at a command as it is told, and leaves each transaction
// that came as far as DATA in a file. Needs root, and Postfix's user.

import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { foreground } from './foreground.ts';
import { connects } from './postfix.ts';

const USER = 'postfix';

export class SmtpSink implements AsyncDisposable {
  readonly #folder: string;
  readonly #running: AsyncDisposable;

  private constructor(folder: string, running: AsyncDisposable) {
    this.#folder = folder;
    this.#running = running;
  }

  /** It accepts when this resolves, but for `-q CONNECT`. @param options such as `-r`, `RCPT` */
  static async start(port: number, options: readonly string[] = []): Promise<SmtpSink> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'postern-sink-'));
    stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
    await chmod(folder, 0o755);
    const ids = await Promise.all(['-u', '-g'].map((flag) => promisify(execFile)('id', [flag, USER])));
    await chown(folder, Number(ids[0]?.stdout), Number(ids[1]?.stdout));
    const args = ['-u', USER, '-d', join(folder, '%s.'), ...options, `127.0.0.1:${port}`, '200'];
    stack.use(await foreground('smtp-sink', args, () => connects(port)));
    return new SmtpSink(folder, stack.move());
  }

  /** What came, with its trace fields, also what was not acknowledged. */
  async transactions(): Promise<string[]> {
    const names = await readdir(this.#folder);
    return Promise.all(names.map((name) => readFile(join(this.#folder, name), 'latin1')));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
  }
}
