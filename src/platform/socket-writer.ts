// The only place that writes to a client of a protocol of lines. Gathers what is said into few writes, and lets a command
// wait for a slow client, so that what is unsent is bounded.

import type { Duplex } from 'node:stream';
import type { Clock } from './clock.ts';
import type { Turn } from './turn.ts';

/** The client is gone, or takes nothing any more: nobody is left to answer. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected';
}

/** Octets and ms. */
export interface WriterLimits {
  /** Octets that wait for a slow client before a command pauses. */
  readonly unsent: number;
  /** Octets gathered before they are written in any case. */
  readonly write: number;
  /** A client that takes nothing of what is written to it for so long is gone. */
  readonly writeTime: number;
  /** For a client to read its last line and close. */
  readonly parting: number;
}

type Part = string | Uint8Array;

/** Octets that cost more to copy than to write by themselves. */
const LARGE = 16_384;
/** Characters that are made one text: what is twice as long is a large object to the collector. */
const TEXT = 65_536;

export class SocketWriter {
  readonly #limits: WriterLimits;
  readonly #clock: Clock;
  readonly #turn: Turn;
  #socket: Duplex;
  #parts: Part[] = [];
  /** Those of the parts that are given back. */
  #given = new Set<Part>();
  #gathered = 0;
  /** Octets handed to the socket since the connection began. */
  #written = 0;

  constructor(socket: Duplex, clock: Clock, turn: Turn, limits: WriterLimits) {
    this.#limits = limits;
    this.#socket = socket;
    this.#clock = clock;
    this.#turn = turn;
  }

  get written(): number {
    return this.#written;
  }

  /** What is written from here on goes through TLS, or is deflated. What was gathered is gone by then. */
  exchange(socket: Duplex): void {
    this.#socket = socket;
  }

  /** One line, without its CRLF; octets below 256 only. */
  line(text: string): void {
    this.text(`${text}\r\n`);
  }

  text(text: string): void {
    this.#parts.push(text);
    this.#count(text.length, TEXT);
  }

  /** The octets are not copied: the caller does not change them any more. */
  octets(octets: Uint8Array): void {
    if (octets.length === 0) return;
    this.#parts.push(octets);
    this.#count(octets.length, this.#limits.write);
  }

  /** As `octets`, where these are all that is in their memory, and nobody looks at them any more: it is given back as soon
   * as they are written. To the collector each is a few octets, so that it comes late, and then for all. */
  give(octets: Uint8Array<ArrayBuffer>): void {
    if (octets.length >= LARGE) this.#given.add(octets);
    this.octets(octets);
  }

  /** Sends what was gathered. */
  flush(): void {
    if (this.#gathered === 0) return;
    const [parts, given] = [this.#parts, this.#given];
    this.#written += this.#gathered;
    this.#parts = [];
    this.#given = new Set();
    this.#gathered = 0;
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#send(parts, given);
  }

  /** In one write where the socket can do that. Large octets go as they are, all else is put together. */
  #send(parts: readonly Part[], given: ReadonlySet<Part>): void {
    const socket = this.#socket;
    let from = 0;
    socket.cork();
    for (const [at, part] of parts.entries()) {
      if (typeof part === 'string' || part.length < LARGE) continue;
      if (at > from) socket.write(joined(parts.slice(from, at)));
      socket.write(part, given.has(part) ? releasing(part) : undefined);
      from = at + 1;
    }
    if (from === 0 && parts.every((part) => typeof part === 'string')) socket.write(parts.join(''), 'latin1');
    else if (from < parts.length) socket.write(joined(parts.slice(from)));
    socket.uncork();
  }

  /** More should not be said now: too much is unsent, or other sessions have waited long enough. */
  get full(): boolean {
    return this.#unsent >= this.#limits.unsent || this.#turn.over || this.#socket.destroyed;
  }

  /** Resolves at once unless `full`; then when the client has taken enough and others had their turn.
   * @throws Disconnected */
  async ready(): Promise<void> {
    if (!this.full) return;
    await this.#turn.pass();
    if (this.#unsent >= this.#limits.unsent || this.#socket.destroyed) await this.drained();
  }

  get #unsent(): number {
    return this.#gathered + this.#socket.writableLength;
  }

  /** Resolves when the client has taken all. @throws Disconnected */
  async drained(): Promise<void> {
    this.flush();
    const socket = this.#socket;
    if (socket.destroyed) throw new Disconnected('the connection is closed');
    if (!socket.writableNeedDrain) return;
    await new Promise<void>((resolve, reject) => {
      let unsent = socket.writableLength;
      const settle = (error: Disconnected | null) => {
        stop();
        socket.off('drain', drained);
        socket.off('close', closed);
        if (error) reject(error);
        else resolve();
      };
      const drained = () => settle(null);
      const closed = () => settle(new Disconnected('the connection is closed'));
      const check = () => {
        if (socket.writableLength >= unsent) {
          settle(new Disconnected('the client takes nothing of what it asked for'));
          socket.destroy();
          return;
        }
        unsent = socket.writableLength;
        stop = this.#clock.after(this.#limits.writeTime, check);
      };
      let stop = this.#clock.after(this.#limits.writeTime, check);
      socket.on('drain', drained);
      socket.on('close', closed);
    });
  }

  /** Sends what was gathered and closes; resolves when the connection is gone. */
  async end(): Promise<void> {
    this.flush();
    const socket = this.#socket;
    if (socket.destroyed) return;
    const stop = this.#clock.after(this.#limits.parting, () => socket.destroy());
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.end();
    });
    stop();
  }

  /** @param most octets that may be gathered */
  #count(octets: number, most: number): void {
    this.#gathered += octets;
    this.#turn.spend(octets);
    if (this.#gathered >= most) this.flush();
  }
}

/** Gives the memory of octets back that were written. Of those that were not, who knows who still reads them. */
function releasing({ buffer, byteLength }: Uint8Array): (error?: Error | null) => void {
  return (error) => {
    const own = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
    if (!error && own) buffer.transfer(0);
  };
}

/** Neighbouring strings become one buffer first. */
function joined(parts: readonly Part[]): Uint8Array {
  const buffers: Uint8Array[] = [];
  let text = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    if (text !== '') buffers.push(Buffer.from(text, 'latin1'));
    text = '';
    buffers.push(part);
  }
  if (text !== '') buffers.push(Buffer.from(text, 'latin1'));
  const [only] = buffers;
  return only && buffers.length === 1 ? only : Buffer.concat(buffers);
}
