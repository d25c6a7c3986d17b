// A connection whose octets are deflated both ways, over the socket that it had before: what COMPRESS=DEFLATE
// needs (RFC 4978). What the peer sends is inflated only as fast as somebody reads it, so that little that becomes much
// fills no memory; what is written is on its way by the end of the write.

import { Duplex } from 'node:stream';
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';

/** Octets that inflating yields at a time. */
const PIECE = 16_384;
/** 16 KiB of window and as much for the tables; zlib's own choice takes 256 KiB for a tenth less of text. */
const DEFLATE = { windowBits: 12, memLevel: 5, chunkSize: PIECE } as const;
/** The peer chooses its window, so inflating must bear the greatest (RFC 4978 §4); and it need not end its stream of blocks
 * before it goes. */
const INFLATE = { windowBits: 15, chunkSize: PIECE, finishFlush: constants.Z_SYNC_FLUSH } as const;

export class Deflated extends Duplex {
  readonly #socket: Duplex;
  readonly #deflate = createDeflateRaw(DEFLATE);
  readonly #inflate = createInflateRaw(INFLATE);

  /** @param socket paused, with all that was read of it used up; from here on it is this connection's alone */
  constructor(socket: Duplex) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.#closed());
    this.#inflate.on('error', (error) => this.destroy(error));
    this.#deflate.on('error', (error) => this.destroy(error));
    this.#deflate.on('data', (octets: Buffer) => socket.write(octets));
    this.#inflate.on('data', (octets: Buffer) => {
      if (this.push(octets)) return;
      if (socket.closed) this.destroy();
      else this.#inflate.pause();
    });
    this.#inflate.on('end', () => this.push(null));
    socket.pipe(this.#inflate);
    this.#inflate.pause();
  }

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
    this.#deflate.once('end', () => {
      this.#socket.end();
      done();
    });
    this.#deflate.end();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#deflate.destroy();
    this.#inflate.destroy();
    this.#socket.destroy();
    done(error);
  }

  /** What a peer said before it said goodbye is still told, to whoever reads. */
  #closed(): void {
    const more = this.#socket.readableEnded && !this.#inflate.readableEnded && !this.#inflate.isPaused();
    if (more) this.#inflate.once('end', () => this.destroy());
    else this.destroy();
  }

  /** Done when the socket has taken what was made of it: the pace of the peer is that of whoever writes. */
  #flush(done: (error?: Error | null) => void): void {
    this.#deflate.flush(constants.Z_SYNC_FLUSH, () => {
      if (this.#socket.writableNeedDrain) this.#socket.once('drain', () => done());
      else done();
    });
  }
}
