// What has come for the writer: parcels of messages, in their order, taken one by one or as many as make a transaction.

import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Limit } from '../limits.ts';
import type { Request, ToWriter } from '../protocol.ts';
import { octetsOf } from './octets.ts';

export class Inbox {
  readonly #port: MessagePort;
  #held: ToWriter[] = [];

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** A parcel that the port has handed out. */
  put(parcel: readonly ToWriter[]): void {
    this.#held.push(...parcel);
  }

  /** The next message of the parcels that were opened. */
  held(): ToWriter | undefined {
    return this.#held.shift();
  }

  /** The next message, also of a parcel that waits at the port. */
  next(): ToWriter | undefined {
    if (this.#held.length === 0) this.#open();
    return this.#held.shift();
  }

  /** A command and those behind it, up to the bounds of a transaction or to a message that is no command. */
  batch(first: Request): Request[] {
    const batch = [first];
    let octets = octetsOf(first);
    while (batch.length < Limit.batchCommands && octets < Limit.batchOctets) {
      if (this.#held.length === 0) this.#open();
      const [message] = this.#held;
      if (message === undefined || typeof message.id === 'string') break;
      // Narrowed by its id: only a request has a number.
      const request = message as Request;
      this.#held.shift();
      batch.push(request);
      octets += octetsOf(request);
    }
    return batch;
  }

  #open(): void {
    const waiting = receiveMessageOnPort(this.#port);
    // Only parcels come by this port.
    if (waiting !== undefined) this.#held = waiting.message as ToWriter[];
  }
}
