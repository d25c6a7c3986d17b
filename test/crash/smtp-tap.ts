// A wire between two servers with somebody listening: it carries SMTP in clear from one to the other and keeps a ledger of
// each message that it saw, by the number in its Subject: brought over which connection, and whether 250 went back.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A message whose MAIL was seen. */
export interface Passage {
  /** null: its Subject was not seen. */
  number: number | null;
  readonly connection: TappedConnection;
  /** 250 for its content was handed to the sender's socket, which may not have read it. */
  acknowledged: boolean;
}

export interface TappedConnection {
  /** Which life of the sender opened it. */
  readonly life: number;
  /** The last message that was acknowledged on it. */
  last: Passage | null;
}

export class SmtpTap implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly port: number;
  /** In the order in which they began. */
  readonly passages: Passage[] = [];
  /** Where the receiver listens now. */
  target = 0;
  /** Counted by whoever starts the sender. */
  life = 0;

  #tell: () => void = () => {};

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (socket) => this.#carry(socket));
  }

  static async open(): Promise<SmtpTap> {
    const server = createServer({ noDelay: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    return new SmtpTap(server, address.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  /** Resolves when so many more messages have begun. */
  begun(count: number): Promise<void> {
    const enough = this.passages.length + count;
    return new Promise((resolve) => {
      this.#tell = () => {
        if (this.passages.length >= enough) resolve();
      };
    });
  }

  #carry(sender: Socket): void {
    const receiver = connect({ port: this.target, host: '127.0.0.1', noDelay: true });
    const ear = new Ear({ life: this.life, last: null }, (passage) => {
      this.passages.push(passage);
      this.#tell();
    });
    for (const [socket, other] of [
      [sender, receiver],
      [receiver, sender],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.on('end', () => other.end());
    }
    sender.on('data', (chunk) => {
      ear.said(chunk.toString('latin1'));
      receiver.write(chunk);
    });
    receiver.on('data', (chunk) => {
      if (sender.destroyed) return;
      sender.write(chunk);
      ear.heard(chunk.toString('latin1'));
    });
  }
}

/** Octets of content among which a Subject is looked for. */
const HEAD = 8192;

/** What is to come of a command: `content` and `chunks` end a message. */
type Awaited = 'reply' | 'data' | 'content' | 'chunks';

/** Follows one connection: which reply belongs to which command (RFC 2920), and where content begins and ends. */
class Ear {
  readonly #connection: TappedConnection;
  readonly #begin: (passage: Passage) => void;
  /** The greeting comes unasked. */
  readonly #awaited: Awaited[] = ['reply'];
  #current: Passage | null = null;
  #head = '';
  #said = '';
  #heard = '';
  #inContent = false;
  /** Octets of a chunk that are still to come (RFC 3030 §2). */
  #chunk = 0;

  constructor(connection: TappedConnection, begin: (passage: Passage) => void) {
    this.#connection = connection;
    this.#begin = begin;
  }

  said(octets: string): void {
    this.#said += octets;
    for (;;) {
      if (this.#chunk > 0) {
        const taken = Math.min(this.#chunk, this.#said.length);
        this.#content(this.#said.slice(0, taken));
        this.#said = this.#said.slice(taken);
        this.#chunk -= taken;
        if (this.#chunk > 0) return;
      }
      const ending = this.#inContent ? '\r\n.\r\n' : '\r\n';
      const end = this.#said.indexOf(ending);
      if (end < 0) {
        // The end may come in two pieces.
        if (this.#inContent) {
          this.#content(this.#said.slice(0, -ending.length));
          this.#said = this.#said.slice(-ending.length);
        }
        return;
      }
      const line = this.#said.slice(0, end);
      this.#said = this.#said.slice(end + ending.length);
      if (this.#inContent) {
        this.#inContent = false;
        this.#content(`${line}\r\n`);
        this.#awaited.push('content');
      } else this.#command(line);
    }
  }

  heard(octets: string): void {
    this.#heard += octets;
    for (let end = this.#heard.indexOf('\r\n'); end >= 0; end = this.#heard.indexOf('\r\n')) {
      const line = this.#heard.slice(0, end);
      this.#heard = this.#heard.slice(end + 2);
      if (line.charAt(3) !== '-') this.#reply(Number(line.slice(0, 3)));
    }
  }

  #content(text: string): void {
    if (this.#current === null || this.#head.length >= HEAD) return;
    this.#head += text.slice(0, HEAD);
    const found = /^Subject: (\d+)\r\n/m.exec(this.#head)?.[1];
    if (found !== undefined) this.#current.number = Number(found);
  }

  #command(line: string): void {
    const [verb = '', ...rest] = line.toUpperCase().split(' ');
    if (verb === 'MAIL') {
      this.#head = '';
      this.#current = { number: null, connection: this.#connection, acknowledged: false };
      this.#begin(this.#current);
    }
    if (verb === 'BDAT') this.#chunk = Number(rest[0]);
    this.#awaited.push(verb === 'DATA' ? 'data' : verb === 'BDAT' && rest[1] === 'LAST' ? 'chunks' : 'reply');
  }

  #reply(code: number): void {
    const awaited = this.#awaited.shift();
    if (awaited === 'data' && code === 354) this.#inContent = true;
    if ((awaited !== 'content' && awaited !== 'chunks') || code !== 250 || this.#current === null) return;
    this.#current.acknowledged = true;
    this.#connection.last = this.#current;
    this.#current = null;
  }
}
