// The client's octets on their way to the reader: one socket at a time (STARTTLS exchanges it), paused while more lies
// unread than a session may hold. Whoever waits here wakes by octets, by the end of the connection, or by `nudge`.

import type { Duplex } from 'node:stream';

/** Where the octets go: whoever makes commands of them. */
export interface OctetReader {
  push(octets: Buffer): void;
  /** Octets that wait to be read. */
  readonly unread: number;
  /** Throws away what waits. */
  discard(): void;
}

export interface InputLimits {
  /** Octets that wait to be parsed before the socket is paused. */
  readonly unread: number;
  /** Octets by which a client of another protocol is recognised. */
  readonly opening: number;
}

export class SocketInput {
  readonly #reader: OctetReader;
  readonly #limits: InputLimits;
  #socket: Duplex | null = null;
  #wake: (() => void) | null = null;
  #nudged = false;
  #closed = false;
  /** The first octets, until it is known that the client speaks the protocol of this port. */
  #opening: Buffer | null = Buffer.alloc(0);

  constructor(reader: OctetReader, limits: InputLimits) {
    this.#limits = limits;
    this.#reader = reader;
  }

  /** Nothing will come any more. */
  get closed(): boolean {
    return this.#closed;
  }

  get opening(): Buffer {
    return this.#opening ?? Buffer.alloc(0);
  }

  forgetOpening(): void {
    this.#opening = null;
  }

  attach(socket: Duplex): void {
    this.#socket = socket;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onEnd);
    if (socket.destroyed || socket.readableEnded) this.#onEnd();
    else socket.resume();
  }

  /** Lets go of the socket; what it sent and nobody has read is thrown away (RFC 3501 §6.2.1, RFC 2595 §4). */
  detach(): Duplex | null {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return null;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onEnd);
    socket.pause();
    while (socket.read() !== null);
    this.#reader.discard();
    return socket;
  }

  /** Drops whatever still comes: unread octets would turn the end of the connection into a reset. */
  ignore(): void {
    this.#socket?.off('data', this.#onData);
    this.#socket?.resume();
    this.#reader.discard();
  }

  /** Resolves when something has happened since the last call. */
  async wait(): Promise<void> {
    if (this.#closed) return;
    if (!this.#nudged) {
      if (this.#reader.unread < this.#limits.unread && this.#socket?.isPaused()) this.#socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#nudged = false;
  }

  nudge(): void {
    const wake = this.#wake;
    this.#wake = null;
    this.#nudged = true;
    wake?.();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#reader.push(chunk);
    if (this.#opening && this.#opening.length < this.#limits.opening) {
      this.#opening = Buffer.concat([this.#opening, chunk.subarray(0, this.#limits.opening)]);
    }
    if (this.#reader.unread >= this.#limits.unread) this.#socket?.pause();
    this.nudge();
  };

  readonly #onEnd = (): void => {
    this.#closed = true;
    this.nudge();
  };
}
