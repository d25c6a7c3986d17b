// A message's octets as they are read from the store: the prefix of its recipient and the shared body behind it, counted
// as one (RFC 3501 §6.4.5), for all who give messages to clients. Bounded pieces; nothing stays open between them.

import { Limit } from './limits.ts';
import type { MessageRow } from './rows.ts';
import type { Reads } from './store.ts';

/** The first of the octets `[from, to)` of a message, in memory of their own; none only at the end of what is stored. A
 * piece ends where a chunk of the store does, so that those that follow are the chunks themselves, and nothing is put
 * together. */
export async function readOctets(
  read: Reads,
  message: MessageRow,
  from: number,
  to: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { prefix, body, size } = message;
  if (to <= prefix.length) return new Uint8Array(prefix.subarray(from, to));
  const bodyFrom = Math.max(0, from - prefix.length);
  const border = bodyFrom - (bodyFrom % Limit.chunkOctets) + Limit.chunkOctets;
  // To the end of the message it is to the end of the chunk: what is not cut to a length is copied once less.
  const bodyTo = to === size ? border : Math.min(to - prefix.length, border);
  const rest = await read.body(body, bodyFrom, bodyTo - bodyFrom);
  return from < prefix.length ? Buffer.concat([prefix.subarray(from), rest]) : rest;
}

/** As `readOctets`, but all of them, for those who need a header in one piece. */
export async function readWhole(read: Reads, message: MessageRow, from: number, to: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let at = from; at < to; ) {
    const piece = await readOctets(read, message, at, to);
    if (piece.length === 0) break;
    pieces.push(piece);
    at += piece.length;
  }
  const [only] = pieces;
  return only && pieces.length === 1 ? only : Buffer.concat(pieces);
}
