// A connection of a test client: opened in clear or with TLS, upgraded by STARTTLS, read by lines and by counted octets.
// Knows no protocol. Certificates are not verified: what they hold is the business of other tests.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

export interface Door {
  readonly host?: string;
  readonly port: number;
  /** `starttls` begins in clear; the protocol's client then calls `upgrade`. */
  readonly tls?: 'none' | 'starttls' | 'implicit';
  readonly tlsOptions?: ConnectionOptions;
}

interface Waiting {
  readonly take: () => boolean;
  readonly fail: (error: Error) => void;
}

export class LineSocket implements Disposable {
  #socket: Socket | TLSSocket;
  readonly #door: Door;
  #chunks: Buffer[] = [];
  #length = 0;
  #ended: Error | null = null;
  readonly #waiting: Waiting[] = [];

  private constructor(socket: Socket | TLSSocket, door: Door) {
    this.#socket = socket;
    this.#door = door;
    this.#listen();
  }

  /** Connects; for implicit TLS the handshake is done when it resolves. */
  static async open(door: Door): Promise<LineSocket> {
    const host = door.host ?? '127.0.0.1';
    const implicit = door.tls === 'implicit';
    const socket = implicit
      ? connectTls({ ...tlsOf(door), host, port: door.port })
      : connect({ host, port: door.port });
    socket.setNoDelay(true);
    await once(socket, implicit ? 'secureConnect' : 'connect');
    return new LineSocket(socket, door);
  }

  get socket(): Socket | TLSSocket {
    return this.#socket;
  }

  /** TLS, if the connection has it by now. */
  get secure(): TLSSocket | null {
    return 'getCipher' in this.#socket ? this.#socket : null;
  }

  async upgrade(): Promise<void> {
    const plain = this.#socket;
    for (const event of ['data', 'error', 'end', 'close']) plain.removeAllListeners(event);
    const secure = connectTls({ ...tlsOf(this.#door), socket: plain });
    this.#socket = secure;
    await once(secure, 'secureConnect');
    this.#listen();
  }

  write(data: string | Uint8Array): void {
    if (typeof data === 'string') this.#socket.write(data, 'latin1');
    else this.#socket.write(data);
  }

  /** Writes and waits until the octets have left this process, so that a large one is not held in memory. */
  async flush(data: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.write(data, () => resolve()));
  }

  /** The next line without its CRLF, one character an octet. Rejects when the server closes instead. */
  line(): Promise<string> {
    return this.#await(() => {
      const end = this.#indexOfLineFeed();
      if (end < 0) return undefined;
      const line = this.#take(end + 1);
      return line.toString('latin1', 0, line[end - 1] === 13 ? end - 1 : end);
    });
  }

  octets(count: number): Promise<Buffer> {
    return this.#await(() => (this.#length < count ? undefined : this.#take(count)));
  }

  /** Resolves when the server has closed, whatever it said before. */
  async closed(): Promise<void> {
    if (this.#ended) return;
    await new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  #listen(): void {
    const end = (error?: unknown): void => {
      this.#ended ??= error instanceof Error ? error : new Error('the server closed the connection');
      for (const waiting of this.#waiting.splice(0)) waiting.fail(this.#ended);
    };
    this.#socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      while (this.#waiting[0]?.take()) this.#waiting.shift();
    });
    this.#socket.on('error', end);
    this.#socket.on('end', () => end());
    this.#socket.on('close', () => end());
  }

  #await<T>(attempt: () => T | undefined): Promise<T> {
    if (this.#waiting.length === 0) {
      const now = attempt();
      if (now !== undefined) return Promise.resolve(now);
      if (this.#ended) return Promise.reject(this.#ended);
    }
    return new Promise<T>((resolve, reject) => {
      const take = (): boolean => {
        const value = attempt();
        if (value !== undefined) resolve(value);
        return value !== undefined;
      };
      this.#waiting.push({ take, fail: reject });
    });
  }

  #joined(): Buffer {
    const [first, second] = this.#chunks;
    if (first !== undefined && second === undefined) return first;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  #indexOfLineFeed(): number {
    return this.#length === 0 ? -1 : this.#joined().indexOf(10);
  }

  #take(count: number): Buffer {
    const all = this.#joined();
    this.#length -= count;
    this.#chunks = this.#length === 0 ? [] : [all.subarray(count)];
    return all.subarray(0, count);
  }
}

const tlsOf = (door: Door): ConnectionOptions => ({
  rejectUnauthorized: false,
  servername: 'localhost',
  ...door.tlsOptions,
});
