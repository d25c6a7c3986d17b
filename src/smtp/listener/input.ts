// What the peer has sent and nobody has read yet: at most one piece as the socket gave it and the beginning of a line.
// Whoever reads asks for more, and only then is the socket read on: that is the whole of the back-pressure.

const EMPTY = Buffer.alloc(0);
const CR = 0x0d;
const LF = 0x0a;

/** One line without its end. `crlf` is false for a bare LF. `octets` counts without the line's end. */
export interface Line {
  readonly text: string;
  readonly octets: number;
  readonly crlf: boolean;
}

export class Input {
  #bytes: Buffer = EMPTY;
  #at = 0;
  /** Octets after #at that are known to hold no LF. */
  #searched = 0;
  #release: (() => void) | null = null;
  #wake: ((more: boolean) => void) | null = null;
  #ended = false;
  #pieces = 0;

  /** A piece from the socket; `release` asks the socket for the next one. */
  push(piece: Buffer, release: () => void): void {
    if (this.#ended) {
      release();
      return;
    }
    this.#bytes = this.#at < this.#bytes.length ? Buffer.concat([this.#bytes.subarray(this.#at), piece]) : piece;
    this.#at = 0;
    this.#release = release;
    this.#pieces++;
    this.#answer(true);
  }

  /** Nothing more comes. What is buffered can still be read. */
  end(): void {
    this.#ended = true;
    this.#answer(false);
  }

  /** Forgets what is buffered (RFC 3207 §4.2) and lets the socket's stream drain. */
  discard(): void {
    this.#bytes = EMPTY;
    this.#at = 0;
    this.#searched = 0;
    this.#letGo();
  }

  /** Waits for another piece; false where none will come. */
  more(): Promise<boolean> {
    if (this.#ended) return Promise.resolve(false);
    const before = this.#pieces;
    this.#letGo();
    // The next piece may have been waiting in the socket's stream.
    if (this.#pieces !== before) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Somebody waits for the peer to say more. */
  get awaited(): boolean {
    return this.#wake !== null;
  }

  /** Octets that are buffered, as a view; they stay buffered until `skip`. */
  peek(): Buffer {
    return this.#at === 0 ? this.#bytes : this.#bytes.subarray(this.#at);
  }

  get buffered(): number {
    return this.#bytes.length - this.#at;
  }

  skip(octets: number): void {
    this.#at += octets;
    this.#searched = 0;
    if (this.#at >= this.#bytes.length) {
      this.#bytes = EMPTY;
      this.#at = 0;
    }
  }

  /** Takes the next line if its end is here. Octets that are no UTF-8 become U+FFFD. */
  line(): Line | null {
    const bytes = this.#bytes;
    const start = this.#at;
    const lf = bytes.indexOf(LF, start + this.#searched);
    if (lf < 0) {
      this.#searched = bytes.length - start;
      return null;
    }
    const crlf = lf > start && bytes[lf - 1] === CR;
    const end = crlf ? lf - 1 : lf;
    const text = bytes.toString('utf8', start, end);
    this.skip(lf + 1 - start);
    return { text, octets: end - start, crlf };
  }

  #letGo(): void {
    const release = this.#release;
    this.#release = null;
    release?.();
  }

  #answer(more: boolean): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.(more);
  }
}
