// The client's octets on their way to the reader: one socket at a time (STARTTLS exchanges it), paused while more lies
// unread than a session may hold. Whoever waits here wakes by octets, by the end of the connection, or by `nudge`.

import type { Socket } from 'node:net';
import type { CommandReader } from './grammar/command-reader.ts';
import { LIMIT } from './limits.ts';

export class Input {
  readonly #reader: CommandReader;
  #socket: Socket | null = null;
  #wake: (() => void) | null = null;
  #nudged = false;
  #closed = false;
  /** The first octets, until it is known that the client speaks IMAP. */
  #opening: Buffer | null = Buffer.alloc(0);

  constructor(reader: CommandReader) {
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

  attach(socket: Socket): void {
    this.#socket = socket;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onEnd);
    if (socket.destroyed || socket.readableEnded) this.#onEnd();
    else socket.resume();
  }

  /** Lets go of the socket; what it sent and nobody has read is thrown away (RFC 3501 §6.2.1). */
  detach(): Socket | null {
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
      if (this.#reader.unread < LIMIT.unread && this.#socket?.isPaused()) this.#socket.resume();
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
    if (this.#opening && this.#opening.length < LIMIT.opening) {
      this.#opening = Buffer.concat([this.#opening, chunk.subarray(0, LIMIT.opening)]);
    }
    if (this.#reader.unread >= LIMIT.unread) this.#socket?.pause();
    this.nudge();
  };

  readonly #onEnd = (): void => {
    this.#closed = true;
    this.nudge();
  };
}
