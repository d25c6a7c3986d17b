// A client for tests that need more than a transcript says: replies as values, sends anything, starts TLS.

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { dial, type Gate } from './gate.ts';

export interface PeerReply {
  readonly code: number;
  /** Lines without code and separator. */
  readonly lines: readonly string[];
}

const PATIENCE = 30_000;

export class Peer implements AsyncDisposable {
  socket: Duplex;
  #text = '';
  #replies: PeerReply[] = [];
  #lines: string[] = [];
  #closed = false;
  #wake: (() => void) | null = null;
  /** How often the server wrote, as far as the network shows. */
  pieces = 0;

  constructor(socket: Duplex) {
    this.socket = socket;
    this.#listen();
  }

  /** Connects and reads the greeting. */
  static async at(gate: Gate): Promise<Peer> {
    const peer = new Peer(await dial(gate.port));
    await peer.expect(220);
    return peer;
  }

  /** Connects with implicit TLS and reads the greeting. */
  static async secure(gate: Gate, options: ConnectionOptions = {}): Promise<Peer> {
    const socket = connectTls({ port: gate.port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    await once(socket, 'secureConnect');
    const peer = new Peer(socket);
    await peer.expect(220);
    return peer;
  }

  send(text: string | Buffer): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** One command, one reply. */
  async say(line: string): Promise<PeerReply> {
    this.send(`${line}\r\n`);
    return this.reply();
  }

  async reply(): Promise<PeerReply> {
    await this.#until(() => this.#replies.length > 0 || this.#closed, 'a reply');
    const reply = this.#replies.shift();
    if (reply === undefined) throw new Error('closed instead of a reply');
    return reply;
  }

  /** The next reply, or null where the server has closed. */
  async replyOrEnd(): Promise<PeerReply | null> {
    await this.#until(() => this.#replies.length > 0 || this.#closed, 'a reply or the end');
    return this.#replies.shift() ?? null;
  }

  async expect(code: number, start = ''): Promise<PeerReply> {
    const reply = await this.reply();
    const [first = ''] = reply.lines;
    // RFC 5321 §4.2.3: who parts says who it is.
    const named = code !== 421 || /^[\d.]+ mail\.example\.test /.test(first);
    if (reply.code !== code || !first.startsWith(start) || !named) {
      throw new Error(`wanted ${code} ${start}, got ${reply.code} ${reply.lines.join(' / ')}`);
    }
    return reply;
  }

  async closed(): Promise<void> {
    await this.#until(() => this.#closed, 'the end');
    if (this.#replies.length > 0) throw new Error(`closed, but said ${JSON.stringify(this.#replies)}`);
  }

  /** The handshake alone, after the 220. */
  async negotiate(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const plain = this.socket;
    for (const event of ['data', 'end', 'close']) plain.removeAllListeners(event);
    const secure = connectTls({ socket: plain, rejectUnauthorized: false, ...options });
    await once(secure, 'secureConnect');
    this.socket = secure;
    this.#listen();
    return secure;
  }

  async startTls(options: ConnectionOptions = {}): Promise<TLSSocket> {
    this.send('EHLO client.test\r\n');
    await this.expect(250);
    this.send('STARTTLS\r\n');
    await this.expect(220);
    return this.negotiate(options);
  }

  /** MAIL and RCPT, with their good replies. */
  async envelope(parameters = ''): Promise<void> {
    this.send(`EHLO client.test\r\nMAIL FROM:<alice@sender.test>${parameters}\r\nRCPT TO:<bob@example.test>\r\n`);
    for (const code of [250, 250, 250]) await this.expect(code);
  }

  /** MAIL, RCPT and DATA, with their good replies. */
  async begin(to = 'bob@example.test'): Promise<void> {
    this.send(`EHLO client.test\r\nMAIL FROM:<alice@sender.test>\r\nRCPT TO:<${to}>\r\nDATA\r\n`);
    for (const code of [250, 250, 250, 354]) await this.expect(code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }

  #listen(): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.pieces++;
      this.#text += chunk.toString('latin1');
      for (let end = this.#text.indexOf('\r\n'); end >= 0; end = this.#text.indexOf('\r\n')) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        this.#lines.push(line.slice(4));
        if (line[3] === '-') continue;
        this.#replies.push({ code: Number(line.slice(0, 3)), lines: this.#lines });
        this.#lines = [];
      }
      this.#wake?.();
    });
    const end = () => {
      this.#closed = true;
      this.#wake?.();
    };
    this.socket.on('end', end).on('close', end).on('error', end);
  }

  async #until(ready: () => boolean, what: string): Promise<void> {
    if (ready()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), PATIENCE);
      this.#wake = () => {
        if (!ready()) return;
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
    });
  }
}
