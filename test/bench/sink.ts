// The remote host of the relay load: an SMTP server that takes everything at once and remembers which messages it saw.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** Octets of a message that are kept to find its Message-ID: behind the trace fields of a hop or two. */
const HEAD = 4096;

export class Sink implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly port: number;
  connections = 0;
  /** Called with the head of each message, after its 250 was written, and which connection brought it, from 1. */
  onMessage: (head: string, connection: number) => void = () => undefined;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async open(port = 0): Promise<Sink> {
    const server = createServer({ noDelay: true });
    await once(server.listen(port, '127.0.0.1'), 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    return new Sink(server, address.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    const connection = ++this.connections;
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    socket.write('220 sink.remote.test ESMTP\r\n');
    let rest = '';
    let head: string | null = null;
    socket.on('data', (chunk) => {
      rest += chunk.toString('latin1');
      for (;;) {
        if (head !== null) {
          const end = rest.indexOf('\r\n.\r\n');
          if (head.length < HEAD) head += rest.slice(0, HEAD);
          if (end < 0) {
            rest = rest.slice(-4);
            return;
          }
          rest = rest.slice(end + 5);
          socket.write('250 2.0.0 taken\r\n');
          this.onMessage(head, connection);
          head = null;
        }
        const end = rest.indexOf('\r\n');
        if (end < 0) return;
        const command = rest.slice(0, 4).toUpperCase();
        rest = rest.slice(end + 2);
        if (command === 'DATA') head = '';
        socket.write(answers[command] ?? '250 2.0.0 yes\r\n');
        if (command === 'QUIT') socket.end();
      }
    });
  }
}

const answers: Readonly<Record<string, string>> = {
  EHLO: '250-sink.remote.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 0\r\n',
  DATA: '354 go\r\n',
  QUIT: '221 2.0.0 bye\r\n',
};
