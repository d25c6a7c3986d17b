// Octets of bodies, from their chunks.

import type { Connection } from '../engine.ts';
import { joined } from '../joined.ts';
import { Limit } from '../limits.ts';
import type { BodyId } from '../rows.ts';

interface Part {
  readonly octets: Uint8Array<ArrayBuffer>;
}

/** Octets of a body; undefined: there is none. */
export function bodySize(db: Connection, body: BodyId): number | undefined {
  return db.get<{ size: number }>('SELECT size FROM body WHERE id = ?', body)?.size;
}

/** Octets `[offset, offset + length)` of a body; fewer only at its end. `length` is at most Limit.readOctets. */
export function readBody(db: Connection, body: BodyId, offset: number, length: number): Uint8Array<ArrayBuffer> {
  if (length <= 0 || offset < 0) return new Uint8Array(0);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let have = 0;
  while (have < length) {
    const start = (offset + have) % Limit.chunkOctets;
    const wanted = Math.min(length - have, Limit.chunkOctets - start);
    const part = readPart(db, body, (offset + have - start) / Limit.chunkOctets, start, wanted);
    parts.push(part);
    have += part.length;
    if (part.length < wanted) break;
  }
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : joined(parts, have);
}

/** Octets of one chunk. A header of 1 KB is cut out by SQLite, not made an array of 64 KB first. */
function readPart(db: Connection, body: BodyId, place: number, start: number, length: number): Uint8Array<ArrayBuffer> {
  const row =
    length === Limit.chunkOctets
      ? db.get<Part>('SELECT octets FROM body_chunk WHERE id = (? << 16) | ?', body, place)
      : db.get<Part>(
          'SELECT substr(octets, ?, ?) AS octets FROM body_chunk WHERE id = (? << 16) | ?',
          start + 1,
          length,
          body,
          place,
        );
  return row?.octets ?? new Uint8Array(0);
}
