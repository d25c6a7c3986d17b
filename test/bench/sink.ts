// A remote host of the relay loads: an SMTP server that takes everything at once, says what it has to say to pipelined
// commands in one write (RFC 2920 §3.2), and remembers which messages it saw. It may want TLS, or turn some away at first.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';

/** Octets of a message that are kept to find its Message-ID: behind the trace fields of a hop or two. */
const HEAD = 4096;

export interface SinkOptions {
  readonly port?: number;
  readonly address?: string;
  /** Nothing is taken before STARTTLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Is this recipient answered by 451? Asked each time that it is named. */
  readonly defers?: (recipient: string) => boolean;
}

export class Sink implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #defers: (recipient: string) => boolean;
  readonly #context: SecureContext | null;
  readonly port: number;
  connections = 0;
  /** TLS sessions that were no full handshakes. */
  resumed = 0;
  /** Answers of 451. */
  deferrals = 0;
  /** Called with the head of each message, after its 250 was written, and which connection brought it, from 1. */
  onMessage: (head: string, connection: number) => void = () => undefined;

  private constructor(server: Server, port: number, { tls, defers }: SinkOptions) {
    this.#server = server;
    this.port = port;
    this.#defers = defers ?? (() => false);
    this.#context = tls === undefined ? null : createSecureContext({ ...tls });
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.write('220 sink.remote.test ESMTP\r\n');
      this.#serve(socket, ++this.connections, this.#context !== null);
    });
  }

  static async open(options: SinkOptions = {}): Promise<Sink> {
    const server = createServer({ noDelay: true });
    await once(server.listen(options.port ?? 0, options.address ?? '127.0.0.1'), 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    return new Sink(server, address.port, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  /** @param wants TLS before anything else */
  #serve(socket: Socket, connection: number, wants: boolean): void {
    socket.on('error', () => socket.destroy());
    let rest = '';
    let head: string | null = null;
    let recipients = 0;
    const hear = (chunk: Buffer): void => {
      rest += chunk.toString('latin1');
      let said = '';
      for (;;) {
        if (head !== null) {
          const end = rest.indexOf('\r\n.\r\n');
          if (head.length < HEAD) head += rest.slice(0, HEAD);
          if (end < 0) {
            rest = rest.slice(-4);
            break;
          }
          rest = rest.slice(end + 5);
          socket.write(`${said}250 2.0.0 taken\r\n`);
          said = '';
          this.onMessage(head, connection);
          head = null;
        }
        const end = rest.indexOf('\r\n');
        if (end < 0) break;
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        const command = line.slice(0, 4).toUpperCase();
        if (command === 'EHLO') said += wants ? OFFER.replace('250 SIZE', '250-STARTTLS\r\n250 SIZE') : OFFER;
        else if (command === 'QUIT') said += '221 2.0.0 bye\r\n';
        else if (command === 'STAR' && wants) {
          socket.off('data', hear);
          this.#secure(socket, connection);
          return;
        } else if (wants) said += '530 5.7.0 STARTTLS first\r\n';
        else if (command === 'MAIL') {
          recipients = 0;
          said += '250 2.1.0 yes\r\n';
        } else if (command === 'RCPT') {
          const deferred = this.#defers(/<(.*?)>/.exec(line)?.[1] ?? '');
          if (deferred) this.deferrals++;
          else recipients++;
          said += deferred ? '451 4.7.1 later\r\n' : '250 2.1.5 yes\r\n';
        } else if (command === 'DATA') {
          if (recipients > 0) head = '';
          said += recipients > 0 ? '354 go\r\n' : '554 5.5.1 nobody to give it to\r\n';
        } else said += '250 2.0.0 yes\r\n';
        if (command === 'QUIT') {
          socket.end(said);
          return;
        }
      }
      if (said !== '') socket.write(said);
    };
    socket.on('data', hear);
  }

  #secure(socket: Socket, connection: number): void {
    if (this.#context === null) throw new Error('a sink without TLS was asked for it');
    socket.write('220 2.0.0 go\r\n');
    const secured = new TLSSocket(socket, { isServer: true, secureContext: this.#context });
    secured.on('secure', () => {
      if (secured.isSessionReused()) this.resumed++;
    });
    this.#serve(secured, connection, false);
  }
}

const OFFER = '250-sink.remote.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 0\r\n';
