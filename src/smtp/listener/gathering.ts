// Pieces of content on their way to a Receiver, which may keep each until it has the whole header: a client that sends an
// octet at a time must not make it keep a million of them. What is large passes as it is, without a copy.

/** Pieces of any size that pass, and octets that one more must stand for on average. */
const FREE = 64;
const SMALL = 1_024;
/** Octets that are gathered where there are too many. */
const GATHER = 16_384;

export class Gathering {
  #buffer: Buffer | null = null;
  #filled = 0;
  #given = 0;
  #octets = 0;

  /** @returns what is to be handed on now; null: nothing yet */
  add(piece: Buffer): Buffer | null {
    this.#octets += piece.length;
    if (this.#filled === 0 && this.#given < FREE + this.#octets / SMALL) {
      this.#given++;
      return piece;
    }
    if (this.#filled + piece.length < GATHER) {
      this.#buffer ??= Buffer.alloc(GATHER);
      piece.copy(this.#buffer, this.#filled);
      this.#filled += piece.length;
      return null;
    }
    const gathered = this.rest();
    return gathered === null ? piece : Buffer.concat([gathered, piece]);
  }

  /** What was kept, at the end of the content; null: nothing. */
  rest(): Buffer | null {
    if (this.#filled === 0) return null;
    const whole = Buffer.from(this.#buffer?.subarray(0, this.#filled) ?? []);
    this.#filled = 0;
    this.#given++;
    return whole;
  }
}
