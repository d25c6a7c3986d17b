// A conversation by lines with a program that stands in between, such as `openssl s_client`.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export class Dialogue implements AsyncDisposable {
  readonly #child: ChildProcess;
  #heard = '';
  #ended = false;
  /** What the program itself says, on standard error. */
  remarks = '';
  readonly #waiting = new Set<() => void>();

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#heard += chunk.toString('latin1');
      this.#tell();
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.remarks += chunk.toString('latin1');
    });
    this.#child.once('close', () => {
      this.#ended = true;
      this.#tell();
    });
  }

  /** Says a line and hears until one matches. @returns all that was heard */
  async say(line: string, wanted: RegExp): Promise<string> {
    this.#child.stdin?.write(`${line}\r\n`);
    return await this.hear(wanted);
  }

  /** Hears until a whole line matches. @throws Error if the other side ends before */
  async hear(wanted: RegExp): Promise<string> {
    for (;;) {
      const lines = this.#heard.split(/(?<=\n)/);
      const index = lines.findIndex((line) => line.endsWith('\n') && wanted.test(line));
      if (index >= 0) {
        this.#heard = lines.slice(index + 1).join('');
        return lines.slice(0, index + 1).join('');
      }
      if (this.#ended) throw new Error(`ended before ${wanted}: ${this.#heard}\n${this.remarks}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  /** Waits for the program to end by itself. @returns its exit code */
  async end(): Promise<number | null> {
    this.#child.stdin?.end();
    if (!this.#ended) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }

  #tell(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
