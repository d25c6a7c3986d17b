// The content of one message on its way from the socket to a Receiver: an iteration that reads the socket only as fast
// as it is asked, and throws where the content is unfit. What the Receiver leaves is drained by the DATA command.

import type { Refusal } from '../../formats/refusal.ts';
import { DotUnstuffing } from './dot-stuffing.ts';
import { Gathering } from './gathering.ts';
import { LIMITS } from './limits.ts';
import { Pace } from './pace.ts';
import type { Session } from './session.ts';
import { tooLarge, unfit } from './unfit.ts';

const DONE = { done: true, value: undefined } as const;

export class Content implements AsyncIterableIterator<Uint8Array> {
  readonly #session: Session;
  readonly #unstuffing = new DotUnstuffing(LIMITS.contentLine);
  readonly #gathering = new Gathering();
  readonly #pace: Pace;
  readonly #sizeMax: number;
  /** Octets of content so far. */
  #size = 0;
  /** Why the listener refuses the content; thrown into the iteration and, at the end, the reply. */
  refusal: Refusal | null = null;
  /** The client went away before the end. */
  lost = false;

  constructor(session: Session) {
    this.#session = session;
    this.#pace = new Pace(session.options.clock);
    this.#sizeMax = session.options.limits.messageSize;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next piece, never empty. @throws Refusal for a content that is refused, Error if the client went away */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      if (this.refusal !== null) throw this.refusal;
      if (this.lost) throw new Error('the client went away before the end of the content');
      let piece: Buffer | null;
      if (this.#unstuffing.ended) {
        piece = this.#gathering.rest();
        if (piece === null) return DONE;
      } else {
        const read = await this.#read();
        piece = read.length > 0 && this.refusal === null ? this.#gathering.add(read) : null;
      }
      if (piece !== null) return { done: false, value: piece };
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    return DONE;
  }

  /** Reads up to the end of data, or until the client is gone. */
  async drain(): Promise<void> {
    while (!this.#unstuffing.ended && !this.lost) await this.#read();
  }

  async #read(): Promise<Buffer> {
    const { input, watchdog } = this.#session;
    if (input.buffered === 0) {
      watchdog.until(this.#pace.deadline);
      const more = await input.more();
      watchdog.clear();
      if (!more) {
        this.lost = true;
        return Buffer.alloc(0);
      }
    }
    const octets = this.#unstuffing.read(input.peek());
    input.skip(octets);
    this.#pace.received += octets;
    const { content, fault } = this.#unstuffing;
    this.#size += content.length;
    if (fault !== null) this.refusal ??= unfit(fault);
    else if (this.#size > this.#sizeMax) this.refusal ??= tooLarge(this.#sizeMax);
    // RFC 1870 §6.3 wants a refused content read to its end; one that does not end is cut.
    if (this.#pace.received > 2 * this.#sizeMax + LIMITS.contentLine) {
      this.#session.finish('endless content', (this.refusal ?? tooLarge(this.#sizeMax)).reply);
      this.lost = true;
    }
    return content;
  }
}
