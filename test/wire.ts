// The line between two servers: a port that stands before the server it leads to is known, hands connections over, and
// lets a test stand in the way (a peer that defers, stalls, or breaks off). Passes octets, knows no protocol.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Wire implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Where connections go; null: they are closed at once. */
  target: number | null = null;
  /** Takes the next connections instead of the target, one each, in order. */
  readonly instead: ((socket: Socket) => void)[] = [];
  /** Connections so far. */
  connections = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (socket) => this.#take(socket));
  }

  static async open(): Promise<Wire> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    return new Wire(server, address.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #take(socket: Socket): void {
    this.connections++;
    this.#keep(socket);
    const other = this.instead.shift();
    if (other) {
      other(socket);
      return;
    }
    if (this.target === null) {
      socket.destroy();
      return;
    }
    const onward = connect({ host: '127.0.0.1', port: this.target, noDelay: true });
    this.#keep(onward);
    socket.pipe(onward).pipe(socket);
    onward.on('close', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  }

  #keep(socket: Socket): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

/** A peer for `instead`: greets, then answers each command line by `answer`; content after 354 is one more `.` line. */
export function scriptedPeer(
  answer: (line: string) => string,
  greeting = '220 peer.test ESMTP',
): (socket: Socket) => void {
  return (socket) => {
    let rest = '';
    let data = false;
    socket.write(`${greeting}\r\n`);
    socket.on('data', (chunk) => {
      rest += chunk.toString('latin1');
      for (;;) {
        const mark = data ? '\r\n.\r\n' : '\r\n';
        const end = rest.indexOf(mark);
        if (end < 0) return;
        const reply = answer(data ? '.' : rest.slice(0, end));
        rest = rest.slice(end + mark.length);
        data = reply.startsWith('354');
        socket.write(`${reply}\r\n`);
        if (reply.startsWith('221') || reply.startsWith('421')) socket.end();
      }
    });
  };
}
