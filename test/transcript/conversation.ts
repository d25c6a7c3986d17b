// One client's end of a transcript: sends octets whole or one at a time, reads the server's lines, and knows when the
// server closed. It knows no protocol; what lines ought to come is the replay's business.

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { Replay } from './script.ts';

/** Beyond this many octets of one turn, `octets` sends pieces of a prime length: each still cuts lines anywhere. */
const SINGLE_OCTETS = 4096;
const PIECE = 251;
/** A server line that is longer than this is a failure of the server under test, not of memory here. */
const LONGEST_LINE = 64 * 1024 * 1024;

/** What a client waits for in vain. */
class Silence extends Error {
  override readonly name = 'Silence';
}

export class Conversation implements AsyncDisposable {
  readonly #patience: number;
  readonly #replay: Replay;
  #socket: Duplex;
  #pending: Buffer[] = [];
  #lines: string[] = [];
  #ended = false;
  #failure: Error | null = null;
  #wake: (() => void) | null = null;
  /** Everything said so far, for a failure's message. */
  readonly said: string[] = [];

  /** @param patience ms to wait for a line or the close before giving up */
  constructor(socket: Duplex, replay: Replay, patience: number) {
    this.#socket = socket;
    this.#replay = replay;
    this.#patience = patience;
    this.#listen();
  }

  get socket(): Duplex {
    return this.#socket;
  }

  /** Octets as the replay says: in one write, or each in its own turn of the event loop. */
  async send(octets: Buffer): Promise<void> {
    this.said.push(
      ...octets
        .toString('latin1')
        .replace(/\r\n$/, '')
        .split('\r\n')
        .map((line) => `C: ${line}`),
    );
    if (this.#replay === 'lines') {
      await this.#write(octets);
      return;
    }
    for (let at = 0; at < octets.length && !this.#socket.destroyed; ) {
      const length = at < SINGLE_OCTETS ? 1 : PIECE;
      await this.#write(octets.subarray(at, at + length));
      at += length;
      await turn();
    }
  }

  /** The next line of the server without its CRLF, as latin1; null when it has closed. @throws Silence */
  async line(): Promise<string | null> {
    if (this.#lines.length === 0 && !this.#ended) await this.#wait(() => this.#lines.length > 0, 'a line');
    const line = this.#lines.shift();
    if (line !== undefined) this.said.push(`S: ${line}`);
    return line ?? null;
  }

  /** Resolves when the server has closed. @throws Error for a line that came instead, Silence */
  async closed(): Promise<void> {
    if (!this.#ended) await this.#wait(() => this.#lines.length > 0, 'the end of the connection');
    const line = this.#lines[0];
    if (line !== undefined) throw new Error(`the server said, instead of closing: ${line}`);
  }

  /** What has come and was not asked for: complete lines, then the octets of an unfinished one. */
  async leftOver(): Promise<string[]> {
    for (let count = 0; count < 4; count++) await turn();
    const rest = Buffer.concat(this.#pending).toString('latin1');
    return rest === '' ? this.#lines : [...this.#lines, rest];
  }

  /** Starts TLS over the open connection; nothing may have come behind the server's go-ahead. */
  async negotiate(servername = 'localhost'): Promise<void> {
    const rest = await this.leftOver();
    if (rest.length > 0) throw new Error(`in clear behind the answer to STARTTLS: ${rest[0]}`);
    const plain = this.#socket;
    plain.removeAllListeners('data');
    plain.removeAllListeners('end');
    plain.removeAllListeners('close');
    const secure = connectTls({ socket: plain, rejectUnauthorized: false, servername });
    await once(secure, 'secureConnect', { signal: AbortSignal.timeout(this.#patience) });
    this.#socket = secure;
    this.#listen();
  }

  close(): void {
    this.#socket.end();
  }

  /** Goes away without a word: RST where the socket has it. */
  reset(): void {
    if ('resetAndDestroy' in this.#socket && typeof this.#socket.resetAndDestroy === 'function') {
      this.#socket.resetAndDestroy();
    } else this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#socket.destroy();
    await once(this.#socket, 'close').catch(() => undefined);
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#socket.on('error', () => this.#end());
    this.#socket.on('end', () => this.#end());
    this.#socket.on('close', () => this.#end());
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  #take(chunk: Buffer): void {
    let rest = chunk;
    for (let feed = rest.indexOf(10); feed >= 0; feed = rest.indexOf(10)) {
      const line = Buffer.concat([...this.#pending, rest.subarray(0, feed)]);
      this.#pending = [];
      rest = rest.subarray(feed + 1);
      const text = line.toString('latin1');
      if (!text.endsWith('\r')) this.#failure ??= new Error(`the server ended a line by a bare LF: ${text}`);
      this.#lines.push(text.replace(/\r$/, ''));
    }
    if (rest.length > 0) this.#pending.push(rest);
    if (this.#pending.reduce((sum, part) => sum + part.length, 0) > LONGEST_LINE) this.#socket.destroy();
    this.#wake?.();
  }

  async #write(octets: Buffer): Promise<void> {
    if (this.#socket.destroyed) throw new Error('the server has gone');
    await new Promise<void>((resolve) => this.#socket.write(octets, () => resolve()));
  }

  async #wait(arrived: () => boolean, what: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Silence(`waited ${this.#patience} ms for ${what}`)), this.#patience);
      this.#wake = () => {
        if (!arrived() && !this.#ended) return;
        clearTimeout(timer);
        resolve();
      };
    }).finally(() => {
      this.#wake = null;
    });
    if (this.#failure) throw this.#failure;
  }
}
