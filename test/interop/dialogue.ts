// A conversation with a program that stands in between: by lines with one such as `openssl s_client`, by keys with one that
// fills a screen.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** ms to wait for what is wanted: less than a test has, so that it tells what it has heard and ends the program. */
const PATIENCE = 40_000;

export class Dialogue implements AsyncDisposable {
  readonly #child: ChildProcess;
  #heard = '';
  #ended = false;
  /** What the program itself says, on standard error. */
  remarks = '';
  readonly #waiting = new Set<() => void>();

  constructor(command: string, args: readonly string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}) {
    this.#child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
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
    return await this.#until(wanted, (heard) => {
      const lines = heard.split(/(?<=\n)/);
      const index = lines.findIndex((line) => line.endsWith('\n') && wanted.test(line));
      return index < 0 ? null : lines.slice(0, index + 1).join('').length;
    });
  }

  /** Presses keys, and looks until the screen shows something new that matches, wherever it stands in its line. */
  async press(keys: string, wanted: RegExp): Promise<void> {
    this.#heard = '';
    this.#child.stdin?.write(keys);
    await this.look(wanted);
  }

  /** As `press`, without a key. @throws Error if the program ends before */
  async look(wanted: RegExp): Promise<void> {
    await this.#until(wanted, (heard) => {
      const found = wanted.exec(heard);
      return found && found.index + found[0].length;
    });
  }

  /** Says a last word, and waits for the program to end by itself. @returns its exit code */
  async end(last = ''): Promise<number | null> {
    this.#child.stdin?.end(last);
    if (!this.#ended) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }

  /** Waits until something ends within what was heard, and forgets that. @returns what was forgotten */
  async #until(wanted: RegExp, end: (heard: string) => number | null): Promise<string> {
    const patience = performance.now() + PATIENCE;
    for (;;) {
      const length = end(this.#heard);
      if (length !== null) {
        const taken = this.#heard.slice(0, length);
        this.#heard = this.#heard.slice(length);
        return taken;
      }
      const why = this.#ended ? 'ended' : performance.now() > patience ? 'waited too long' : null;
      if (why) throw new Error(`${why} before ${wanted}: ${this.#heard}\n${this.remarks}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, PATIENCE);
        this.#waiting.add(wake);
      });
    }
  }

  #tell(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
