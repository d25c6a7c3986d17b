// The content of one message on its way from the socket to a Receiver: an iteration that reads the socket only as fast
// as it is asked, and throws where the content is unfit. What the Receiver leaves is drained by the DATA command.

import { Refusal } from '../../formats/refusal.ts';
import { DotUnstuffing } from './dot-stuffing.ts';
import { CONTENT_RATE, LIMITS, TIMES } from './limits.ts';
import type { Session } from './session.ts';

const DONE = { done: true, value: undefined } as const;

export class Content implements AsyncIterableIterator<Uint8Array> {
  readonly #session: Session;
  readonly #unstuffing = new DotUnstuffing(LIMITS.contentLine);
  readonly #began: number;
  readonly #sizeMax: number;
  /** Octets of content so far, and octets as they came. */
  #size = 0;
  #received = 0;
  /** Why the listener refuses the content; thrown into the iteration and, at the end, the reply. */
  refusal: Refusal | null = null;
  /** The client went away before the end. */
  lost = false;

  constructor(session: Session) {
    this.#session = session;
    this.#began = session.options.clock.now();
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
      if (this.#unstuffing.ended) return DONE;
      const piece = await this.#read();
      if (piece.length > 0 && this.refusal === null) return { done: false, value: piece };
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
    const { input, watchdog, options } = this.#session;
    if (input.buffered === 0) {
      watchdog.until(this.#deadline(options.clock.now()));
      const more = await input.more();
      watchdog.clear();
      if (!more) {
        this.lost = true;
        return Buffer.alloc(0);
      }
    }
    const octets = this.#unstuffing.read(input.peek());
    input.skip(octets);
    this.#received += octets;
    const { content, fault } = this.#unstuffing;
    this.#size += content.length;
    if (fault !== null) this.refusal ??= unfit(fault);
    else if (this.#size > this.#sizeMax) this.refusal ??= tooLarge(this.#sizeMax);
    // RFC 1870 §6.3 wants a refused content read to its end; one that does not end is cut.
    if (this.#received > 2 * this.#sizeMax + LIMITS.contentLine) {
      this.#session.finish('endless content', (this.refusal ?? tooLarge(this.#sizeMax)).reply);
      this.lost = true;
    }
    return content;
  }

  /** A slow client is waited for, one that trickles is not: on average CONTENT_RATE after a time of grace. */
  #deadline(now: number): number {
    const earned = this.#began + TIMES.contentGrace + (this.#received / CONTENT_RATE) * 1_000;
    return Math.min(now + TIMES.contentPiece, earned);
  }
}

function unfit(fault: string): Refusal {
  // RFC 5321 §2.3.8, §4.1.1.4, RFC 5322 §2.3: what differs between receivers is how mail is smuggled. RFC 5321 §4.5.3.1.6: lines.
  if (fault === 'line too long') return new Refusal(550, '5.6.0', 'A line of the message is too long', fault);
  return new Refusal(550, '5.6.11', `The message has a ${fault}: lines end with CR LF, and NUL is not allowed`, fault);
}

function tooLarge(max: number): Refusal {
  return new Refusal(552, '5.3.4', `Message exceeds the maximum size of ${max} octets`);
}
