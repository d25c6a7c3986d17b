// The content of a multi-line response (RFC 1939 §3) as it goes over the wire: every line ends by CRLF, a dot at the start
// of a line is doubled, and a line with a single dot ends it all. Incremental, in memory of the size of a piece.

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;

export class MultiLine {
  /** The last octet; the content begins as if behind a line end. */
  #previous: number = LF;

  /**
   * The octets to send for this piece: often the piece itself. A bare LF becomes CRLF, since clients that take it for a
   * line end and those that do not would otherwise see different lines, and so different ends of the message. A bare CR
   * stays, which no client takes for one.
   */
  push(piece: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (piece.length === 0) return piece;
    const octets = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    const added = this.#count(octets);
    const sent = added === 0 ? octets : this.#rewrite(octets, added);
    this.#previous = octets[octets.length - 1] ?? LF;
    return sent;
  }

  /** What ends the response: a CRLF where the content lacks one, and the dot. */
  finish(): string {
    return this.#previous === LF ? '.\r\n' : '\r\n.\r\n';
  }

  /** How many octets are to be put in. */
  #count(octets: Buffer): number {
    let added = this.#previous === LF && octets[0] === DOT ? 1 : 0;
    for (let lineEnd = octets.indexOf(LF); lineEnd >= 0; lineEnd = octets.indexOf(LF, lineEnd + 1)) {
      if ((lineEnd > 0 ? octets[lineEnd - 1] : this.#previous) !== CR) added++;
      if (octets[lineEnd + 1] === DOT) added++;
    }
    return added;
  }

  #rewrite(octets: Buffer, added: number): Buffer<ArrayBuffer> {
    const sent = Buffer.allocUnsafe(octets.length + added);
    let previous = this.#previous;
    let length = 0;
    for (const octet of octets) {
      if (octet === LF && previous !== CR) sent[length++] = CR;
      if (octet === DOT && previous === LF) sent[length++] = DOT;
      sent[length++] = octet;
      previous = octet;
    }
    return sent;
  }
}
