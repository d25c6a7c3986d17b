// Octets as they come from a socket, in order, until somebody takes them. Copies only a line that came in pieces.

const EMPTY: Buffer = Buffer.alloc(0);
const LF = 0x0a;

export class OctetQueue {
  #chunks: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  clear(): void {
    this.#chunks = [];
    this.#length = 0;
  }

  /** At most `max` octets, as many as come without copying; empty if there are none. */
  take(max: number): Buffer {
    const head = this.#chunks[0];
    if (head === undefined || max === 0) return EMPTY;
    this.#length -= Math.min(max, head.length);
    if (head.length <= max) {
      this.#chunks.shift();
      return head;
    }
    this.#chunks[0] = head.subarray(max);
    return head.subarray(0, max);
  }

  /** At most `max` octets up to and with the next LF, without copying; empty if there are none. */
  takeLinePart(max: number): Buffer {
    const head = this.#chunks[0];
    if (head === undefined) return EMPTY;
    const lineEnd = head.indexOf(LF);
    return this.take(lineEnd === -1 ? max : Math.min(max, lineEnd + 1));
  }
}

/** Octets gathered until they are a whole; what comes in one piece is not copied. */
export class Gathered {
  #octets: Buffer = EMPTY;
  #length = 0;
  /** Whether `#octets` was allocated here and may be written to. */
  #own = false;

  get length(): number {
    return this.#length;
  }

  /** What was gathered; valid until the next `add`. */
  get octets(): Buffer {
    return this.#octets.subarray(0, this.#length);
  }

  add(part: Buffer): void {
    const length = this.#length + part.length;
    if (this.#length === 0 && !this.#own) {
      this.#octets = part;
    } else {
      if (!this.#own || length > this.#octets.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(256, 2 * length));
        this.#octets.copy(larger, 0, 0, this.#length);
        this.#octets = larger;
        this.#own = true;
      }
      part.copy(this.#octets, this.#length);
    }
    this.#length = length;
  }

  clear(): void {
    this.#octets = EMPTY;
    this.#length = 0;
    this.#own = false;
  }
}
