// Transparency (RFC 5321 §4.5.2): content as it goes over the wire between 354 and the final dot. Nothing else about the
// content is changed.

const DOT = 46;
const LF = 10;
const CR = 13;

/** The content holds a dot behind a bare LF: a server that takes a bare LF for a line end would read the end of the
 * message there (SMTP smuggling), so it is not sent at all. */
export class UnsendableContent extends Error {
  override readonly name = 'UnsendableContent';
}

/** Doubles the dot at the start of each line, across chunks. */
export class DotStuffer {
  /** The last two octets seen; the content begins as if behind a CRLF. */
  #previous = LF;
  #beforePrevious = CR;

  /** The octets to send for this chunk: often the chunk itself. @throws UnsendableContent */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const stuffed =
      (this.#previous === LF && buffer[0] === DOT) || buffer.includes('\n.', 0, 'latin1') ? this.#stuff(buffer) : chunk;
    this.#beforePrevious = buffer.length > 1 ? (buffer[buffer.length - 2] ?? 0) : this.#previous;
    this.#previous = buffer[buffer.length - 1] ?? 0;
    return stuffed;
  }

  /** What ends the content: a CRLF where it lacks one, and the final dot. */
  finish(): string {
    return this.#previous === LF && this.#beforePrevious === CR ? '.\r\n' : '\r\n.\r\n';
  }

  #stuff(chunk: Buffer): Buffer {
    // Every octet is a dot behind a line end at worst every other time.
    const out = Buffer.allocUnsafe(chunk.length + Math.ceil(chunk.length / 2) + 1);
    let before = this.#beforePrevious;
    let previous = this.#previous;
    let length = 0;
    for (const octet of chunk) {
      if (octet === DOT && previous === LF) {
        if (before !== CR) throw new UnsendableContent('the content has a dot behind a bare LF');
        out[length++] = DOT;
      }
      out[length++] = octet;
      before = previous;
      previous = octet;
    }
    return out.subarray(0, length);
  }
}
