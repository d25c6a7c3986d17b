// A connection whose octets are deflated both ways, over the socket that it had before: what COMPRESS=DEFLATE
// needs (RFC 4978). What the peer sends is inflated only as fast as somebody reads it, so that little that becomes much
// fills no memory; what is written is on its way by the end of the write.

import { Duplex } from 'node:stream';
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';

/** Octets that inflating yields at a time. */
const PIECE = 16_384;
/** 16 KiB of window and as much for the tables; zlib's own choice takes 256 KiB for a tenth less of text. */
const DEFLATE = { windowBits: 12, memLevel: 5, chunkSize: PIECE } as const;
/** Octets behind the end of the peer's deflated stream that wait to be taken as they are. */
const MOST_BEHIND = 65_536;
/** The peer chooses its window, so inflating must bear the greatest (RFC 4978 §4); and it need not end its stream of blocks
 * before it goes. */
const INFLATE = { windowBits: 15, chunkSize: PIECE, finishFlush: constants.Z_SYNC_FLUSH } as const;

export class Deflated extends Duplex {
  readonly #socket: Duplex;
  readonly #deflate = createDeflateRaw(DEFLATE);
  readonly #inflate = createInflateRaw(INFLATE);
  /** What was given to inflate, the last of it, and how much in all. */
  #fed: Buffer[] = [];
  #fedOctets = 0;
  #released = false;

  /** @param socket paused, with all that was read of it used up; from here on it is this connection's alone */
  constructor(socket: Duplex) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    socket.on('error', this.#broken);
    socket.on('close', this.#closed);
    socket.on('data', this.#feed);
    this.#inflate.on('error', this.#broken);
    this.#deflate.on('error', this.#broken);
    this.#deflate.on('data', (octets: Buffer) => socket.write(octets));
    this.#inflate.on('data', (octets: Buffer) => {
      if (this.push(octets)) return;
      if (socket.closed) this.destroy();
      else this.#inflate.pause();
    });
    this.#inflate.on('end', this.#inflated);
    socket.pipe(this.#inflate);
    this.#inflate.pause();
  }

  /** Lets go of the socket, when all that was written is on its way: paused, and with what the peer has sent in clear behind
   * its deflated stream still to be read, where that has an end. Our own has none: it stops behind its last flush. */
  async release(): Promise<Duplex> {
    const socket = this.#socket;
    this.#released = true;
    await new Promise<void>((resolve) => {
      this.end(() => resolve());
    });
    socket.unpipe(this.#inflate);
    socket.pause();
    socket.off('data', this.#feed);
    socket.off('end', this.#ended);
    socket.off('error', this.#broken);
    socket.off('close', this.#closed);
    const behind = this.#behind();
    if (behind.length > 0 && !socket.readableEnded && !socket.destroyed) socket.unshift(behind);
    this.destroy();
    return socket;
  }

  readonly #broken = (error: Error): void => {
    if (!this.#released) this.destroy(error);
  };

  /** Remembers what inflate may turn out not to have taken. */
  readonly #feed = (octets: Buffer): void => {
    this.#fed.push(octets);
    this.#fedOctets += octets.length;
    let kept = this.#fed.reduce((sum, { length }) => sum + length, 0);
    while (kept - (this.#fed[0]?.length ?? 0) >= this.#fedOctets - this.#inflate.bytesWritten && this.#fed.length > 1) {
      kept -= this.#fed.shift()?.length ?? 0;
    }
    if (this.#inflate.readableEnded && kept > MOST_BEHIND) this.destroy();
  };

  #behind(): Buffer {
    const all = Buffer.concat(this.#fed);
    return all.subarray(all.length - (this.#fedOctets - this.#inflate.bytesWritten));
  }

  /** The peer may end its stream and go on in clear: whoever reads here lets go of the socket then, or hears of its end. */
  readonly #inflated = (): void => {
    const socket = this.#socket;
    if (this.#released) return;
    if (socket.readableEnded || socket.destroyed) {
      this.push(null);
      return;
    }
    socket.unpipe(this.#inflate);
    socket.on('end', this.#ended);
    socket.resume();
  };

  readonly #ended = (): void => {
    this.push(null);
  };

  override _read(): void {
    this.#inflate.resume();
  }

  override _write(octets: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#deflate.write(octets);
    this.#flush(done);
  }

  override _writev(parts: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    for (const { chunk } of parts) this.#deflate.write(chunk);
    this.#flush(done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#released) {
      done();
      return;
    }
    this.#deflate.once('end', () => {
      this.#socket.end();
      done();
    });
    this.#deflate.end();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#deflate.destroy();
    this.#inflate.destroy();
    if (!this.#released) this.#socket.destroy();
    done(error);
  }

  /** What a peer said before it said goodbye is still told, to whoever reads. */
  readonly #closed = (): void => {
    const more = this.#socket.readableEnded && !this.#inflate.readableEnded && !this.#inflate.isPaused();
    if (more) this.#inflate.once('end', () => this.destroy());
    else this.destroy();
  };

  /** Done when the socket has taken what was made of it: the pace of the peer is that of whoever writes. */
  #flush(done: (error?: Error | null) => void): void {
    this.#deflate.flush(constants.Z_SYNC_FLUSH, () => {
      if (this.#socket.writableNeedDrain) this.#socket.once('drain', () => done());
      else done();
    });
  }
}
