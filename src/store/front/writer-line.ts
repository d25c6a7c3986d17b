// The line from the front to the writer. What one turn of the event loop has for it goes as one parcel: the thread wakes
// up once, and what came together is synced together. Nothing waits for the next turn.

import type { ToWriter } from '../protocol.ts';

/** What takes a parcel: the writer's thread. */
export interface Post {
  postMessage(parcel: readonly ToWriter[], transfer: readonly ArrayBuffer[]): void;
}

export class WriterLine {
  readonly #post: Post;
  readonly #unsendable: (message: ToWriter, error: unknown) => void;
  #parcel: ToWriter[] = [];
  #transfer: ArrayBuffer[] = [];

  /** @param unsendable is told of what no message can carry; the rest of the parcel goes all the same */
  constructor(post: Post, unsendable: (message: ToWriter, error: unknown) => void) {
    this.#post = post;
    this.#unsendable = unsendable;
  }

  /** Nobody may change the message from now on. @param transfer memory that goes over to the writer */
  send(message: ToWriter, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#parcel.length === 0) setImmediate(() => this.#go());
    this.#parcel.push(message);
    this.#transfer.push(...transfer);
  }

  /** As `send`, with all that waits, at once: it is at the writer before whatever is read afterwards. */
  sendNow(message: ToWriter): void {
    this.#parcel.push(message);
    this.#go();
  }

  #go(): void {
    if (this.#parcel.length === 0) return;
    const [parcel, transfer] = [this.#parcel, this.#transfer];
    this.#parcel = [];
    this.#transfer = [];
    try {
      this.#post.postMessage(parcel, transfer);
    } catch {
      // Nothing has gone; memory that is not named is copied.
      for (const message of parcel) this.#alone(message);
    }
  }

  #alone(message: ToWriter): void {
    try {
      this.#post.postMessage([message], []);
    } catch (error) {
      this.#unsendable(message, error);
    }
  }
}
