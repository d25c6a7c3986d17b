// What a text lacks to be whole lines: a protocol of lines that sends it puts a CR in front of each bare LF, and a CRLF
// behind a last line without an end (RFC 1939 §3, §11). Counted as the text comes by, in pieces of any size.

const CR = 0x0d;
const LF = 0x0a;

export class LineEnds {
  /** The last octet; a text begins as if behind a line end. */
  #previous: number = LF;
  #bare = 0;

  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    const octets = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    for (let at = octets.indexOf(LF); at >= 0; at = octets.indexOf(LF, at + 1)) {
      if ((at > 0 ? octets[at - 1] : this.#previous) !== CR) this.#bare++;
    }
    this.#previous = octets[octets.length - 1] ?? LF;
  }

  /** Octets that are put in, if the text ends here. */
  get lacking(): number {
    return this.#bare + (this.#previous === LF ? 0 : 2);
  }
}
