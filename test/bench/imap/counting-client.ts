// An IMAP client that costs little, so that the server is what is measured: it looks at each line once and lets the
// octets of literals pass by, counted. One command at a time, in clear.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ImapRefusal } from '../../clients/imap.ts';
import type { Login } from '../../clients/smtp.ts';

/** Takes an untagged response without its literals, and how many octets these had. */
export type Listener = (text: string, octets: number) => void;

interface Waiting {
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
}

const NOTHING = Buffer.alloc(0);

export class CountingClient implements Disposable {
  /** Capabilities after the login. */
  capabilities: ReadonlySet<string> = new Set();
  readonly #socket: Socket;
  #rest: Buffer = NOTHING;
  #text = '';
  /** Octets of the literal that is passing by, and of all literals of this response. */
  #literal = 0;
  #octets = 0;
  #tags = 0;
  #tag = '*';
  #listener: Listener | null = null;
  #waiting: Waiting | null = null;
  #ended: Error | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    const end = (error?: unknown) => {
      this.#ended ??= error instanceof Error ? error : new Error('the server closed the connection');
      this.#waiting?.reject(this.#ended);
    };
    socket.on('error', end).on('close', () => end());
  }

  /** Connects and logs in. @throws ImapRefusal */
  static async open(port: number, { user, password }: Login): Promise<CountingClient> {
    const socket = connect({ host: '127.0.0.1', port });
    socket.setNoDelay(true);
    const client = new CountingClient(socket);
    const greeting = client.#completion();
    await once(socket, 'connect');
    await greeting;
    await client.run(`LOGIN "${user}" "${password}"`);
    await client.run('CAPABILITY', (text) => {
      if (text.startsWith('* CAPABILITY ')) client.capabilities = new Set(text.slice(13).split(' '));
    });
    return client;
  }

  /** Runs a command to its OK. @throws ImapRefusal for NO and BAD */
  run(line: string, listener: Listener | null = null): Promise<string> {
    const done = this.#begin(listener);
    this.#socket.write(`${this.#tag} ${line}\r\n`, 'latin1');
    return done;
  }

  /** APPEND of one message, or of several where MULTIAPPEND is offered. No go-ahead is waited for (RFC 7888). */
  append(mailbox: string, messages: readonly Uint8Array[]): Promise<string> {
    const done = this.#begin(null);
    this.#socket.cork();
    this.#socket.write(`${this.#tag} APPEND "${mailbox}"`);
    for (const message of messages) {
      this.#socket.write(` {${message.length}+}\r\n`);
      this.#socket.write(message);
    }
    this.#socket.write('\r\n');
    this.#socket.uncork();
    return done;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #begin(listener: Listener | null): Promise<string> {
    this.#tag = `a${++this.#tags}`;
    this.#listener = listener;
    return this.#completion();
  }

  #completion(): Promise<string> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #take(chunk: Buffer): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at < data.length) {
      if (this.#literal > 0) {
        const passed = Math.min(this.#literal, data.length - at);
        this.#literal -= passed;
        at += passed;
        continue;
      }
      const end = data.indexOf(10, at);
      if (end < 0) break;
      this.#line(data.toString('latin1', at, end - 1));
      at = end + 1;
    }
    this.#rest = at < data.length ? data.subarray(at) : NOTHING;
  }

  #line(line: string): void {
    this.#text = this.#text === '' ? line : this.#text + line;
    const literal = line.endsWith('}') ? /\{(\d+)\}$/.exec(line) : null;
    if (literal) {
      this.#literal = Number(literal[1]);
      this.#octets += this.#literal;
      return;
    }
    const [text, octets] = [this.#text, this.#octets];
    this.#text = '';
    this.#octets = 0;
    if (text.startsWith(`${this.#tag} `)) this.#complete(text.slice(this.#tag.length + 1));
    else this.#listener?.(text, octets);
  }

  /** The greeting is a completion like the others, tagged `*`. */
  #complete(text: string): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (text.startsWith('OK')) waiting?.resolve(text);
    else waiting?.reject(new ImapRefusal(text));
  }
}
