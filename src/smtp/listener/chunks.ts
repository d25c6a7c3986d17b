// The content of one message that comes by BDAT, chunk after chunk (RFC 3030 §2): the Receiver reads it as one, from the
// first chunk to the last, while each chunk is a command with a reply of its own. The size of a chunk is its end: its octets
// are read to the last one, also where nobody wants them, so that what follows is a command again.

import type { Reply } from '../../formats/refusal.ts';
import type { Clock } from '../../platform/clock.ts';
import { Gathering } from './gathering.ts';
import type { Input } from './input.ts';
import { LIMITS } from './limits.ts';
import { LineCheck } from './line-check.ts';
import { Pace } from './pace.ts';
import { unfit } from './unfit.ts';
import type { Watchdog } from './watchdog.ts';

const DONE = { done: true, value: undefined } as const;

/** The session, as far as its octets go. */
export interface ChunkSource {
  readonly input: Input;
  readonly watchdog: Watchdog;
  readonly options: { readonly clock: Clock };
}

type Settled = { readonly reply: Reply } | { readonly error: unknown };

export class Chunks implements AsyncIterableIterator<Uint8Array> {
  readonly #source: ChunkSource;
  readonly #pace: Pace;
  readonly #check: LineCheck;
  readonly #gathering = new Gathering();
  readonly #outcome: Promise<Settled>;
  /** What the Receiver waits for. */
  #asked: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>> | null = null;
  /** Whoever waits for the Receiver to want more. */
  #stir: (() => void) | null = null;
  #settled: Settled | null = null;
  #whole = false;
  #failure: Error | null = null;

  /**
   * @param binary BODY=BINARYMIME: behind the header any octet is content
   * @param message the Receiver, which is given this
   */
  constructor(source: ChunkSource, binary: boolean, message: (content: Chunks) => Promise<Reply>) {
    this.#source = source;
    this.#pace = new Pace(source.options.clock);
    this.#pace.pause();
    this.#check = new LineCheck(LIMITS.contentLine, binary);
    this.#outcome = Promise.resolve()
      .then(() => message(this))
      .then(
        (reply) => ({ reply }),
        (error: unknown) => ({ error }),
      )
      .then((settled) => {
        this.#settled = settled;
        this.#stir?.();
        return settled;
      });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The Receiver's side: the next piece, never empty. @throws Refusal for a content that is unfit, Error for one that
   * was given up */
  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#whole) return Promise.resolve(DONE);
    this.#asked = Promise.withResolvers();
    this.#stir?.();
    return this.#asked.promise;
  }

  /** The Receiver has read enough, and is about to say why. */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    return Promise.resolve(DONE);
  }

  /** Octets of all chunks so far. */
  get received(): number {
    return this.#pace.received;
  }

  /**
   * Reads one chunk to its last octet. False where the client went away before.
   * @throws Refusal for a content that is unfit; whatever the Receiver threw. Nothing may follow then.
   */
  async take(size: number): Promise<boolean> {
    this.#pace.resume();
    for (let left = size; left > 0; ) {
      const piece = await nextPiece(this.#source, this.#pace, left);
      if (piece === null) return false;
      left -= piece.length;
      if (this.#failure !== null) continue;
      this.#check.read(piece);
      if (this.#check.fault !== null) this.#fail(unfit(this.#check.fault));
      else await this.#hand(this.#gathering.add(piece));
    }
    this.#pace.pause();
    // What the Receiver makes of the chunk is the reply to it.
    if (this.#failure === null) await this.#wanted();
    await this.#throwIfOver();
    return true;
  }

  /** The reply to the whole. @throws Refusal for a content that is unfit; whatever the Receiver threw */
  async finish(): Promise<Reply> {
    this.#check.end();
    if (this.#check.fault !== null) this.#fail(unfit(this.#check.fault));
    await this.#throwIfOver();
    await this.#hand(this.#gathering.rest());
    this.#whole = true;
    this.#answer((asked) => asked.resolve(DONE));
    const settled = await this.#outcome;
    if ('error' in settled) throw settled.error;
    return settled.reply;
  }

  /** No more comes: the Receiver's iteration throws. Resolves when the Receiver is done with that. Never rejects. */
  async giveUp(): Promise<void> {
    this.#fail(new Error('the client gave up before the last chunk'));
    await this.#outcome;
  }

  /** The fault of a content counts for more than what the Receiver made of it. */
  async #throwIfOver(): Promise<void> {
    if (this.#failure !== null) {
      await this.#outcome;
      throw this.#failure;
    }
    if (this.#settled !== null && 'error' in this.#settled) throw this.#settled.error;
  }

  #fail(failure: Error): void {
    this.#failure ??= failure;
    const reason = this.#failure;
    this.#answer((asked) => asked.reject(reason));
  }

  /** Gives a piece to the Receiver once it asks; drops it where it never will. */
  async #hand(piece: Buffer | null): Promise<void> {
    if (piece === null) return;
    await this.#wanted();
    this.#answer((asked) => asked.resolve({ done: false, value: piece }));
  }

  /** Resolves when the Receiver asks for more, or is done. */
  async #wanted(): Promise<void> {
    while (this.#asked === null && this.#settled === null) {
      await new Promise<void>((resolve) => {
        this.#stir = resolve;
      });
      this.#stir = null;
    }
  }

  #answer(by: (asked: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>>) => void): void {
    const asked = this.#asked;
    this.#asked = null;
    if (asked !== null) by(asked);
  }
}

/** Reads a chunk that nobody wants. False where the client went away before its end. */
export async function swallow(source: ChunkSource, size: number): Promise<boolean> {
  const pace = new Pace(source.options.clock);
  for (let left = size; left > 0; ) {
    const piece = await nextPiece(source, pace, left);
    if (piece === null) return false;
    left -= piece.length;
  }
  return true;
}

/** The next octets, `most` of them at most; null where none will come. */
async function nextPiece({ input, watchdog }: ChunkSource, pace: Pace, most: number): Promise<Buffer | null> {
  if (input.buffered === 0) {
    watchdog.until(pace.deadline);
    const more = await input.more();
    watchdog.clear();
    if (!more) return null;
  }
  const piece = input.peek().subarray(0, most);
  input.skip(piece.length);
  pace.received += piece.length;
  return piece;
}
