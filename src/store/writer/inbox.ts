// What has come for the writer: parcels of messages, in their order, taken one by one or as many as make a transaction.
// What becomes of views does not wait its turn.

import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Limit } from '../limits.ts';
import type { Request, ToWriter, ViewStep } from '../protocol.ts';
import { octetsOf } from './octets.ts';

/** What is to be done in its turn. */
export type Taken = Exclude<ToWriter, ViewStep>;

export class Inbox {
  readonly #port: MessagePort;
  readonly #view: (step: ViewStep) => void;
  #held: Taken[] = [];

  constructor(port: MessagePort, view: (step: ViewStep) => void) {
    this.#port = port;
    this.#view = view;
  }

  /** A parcel that the port has handed out. */
  put(parcel: readonly ToWriter[]): void {
    for (const message of parcel) {
      if (message.id === 'view') this.#view(message);
      else this.#held.push(message);
    }
  }

  /** Opens all that waits at the port: every view that was opened before is known then. @returns whether something waits */
  open(): boolean {
    while (this.#open());
    return this.#held.length > 0;
  }

  /** The next message of the parcels that were opened. */
  held(): Taken | undefined {
    return this.#held.shift();
  }

  /** The next message, also of a parcel that waits at the port. */
  next(): Taken | undefined {
    while (this.#held.length === 0 && this.#open());
    return this.#held.shift();
  }

  /** A command and those behind it, up to the bounds of a transaction or to a message that is no command. */
  batch(first: Request): Request[] {
    const batch = [first];
    let octets = octetsOf(first);
    while (batch.length < Limit.batchCommands && octets < Limit.batchOctets) {
      while (this.#held.length === 0 && this.#open());
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

  #open(): boolean {
    const waiting = receiveMessageOnPort(this.#port);
    // Only parcels come by this port.
    if (waiting !== undefined) this.put(waiting.message as ToWriter[]);
    return waiting !== undefined;
  }
}
