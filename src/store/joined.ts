// Pieces of a body as one array, in memory of its own: Buffer.concat may give a view of memory that others use, and a
// view sent to another thread takes all of it along.

/** @param length octets of all pieces */
export function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
