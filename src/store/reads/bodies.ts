// Octets of bodies, from their chunks.

import type { Connection } from '../engine.ts';
import { Limit } from '../limits.ts';
import type { BodyId } from '../rows.ts';

/** Octets of a body; undefined: there is none. */
export function bodySize(db: Connection, body: BodyId): number | undefined {
  return db.get<{ size: number }>('SELECT size FROM body WHERE id = ?', body)?.size;
}

/** Octets `[offset, offset + length)` of a body; fewer only at its end. `length` is at most Limit.readOctets. */
export function readBody(db: Connection, body: BodyId, offset: number, length: number): Uint8Array {
  if (length <= 0 || offset < 0) return new Uint8Array(0);
  const first = Math.floor(offset / Limit.chunkOctets);
  const last = Math.floor((offset + length - 1) / Limit.chunkOctets);
  const start = offset - first * Limit.chunkOctets;
  if (first === last) return readChunk(db, body, first).subarray(start, start + length);
  const parts: Uint8Array[] = [];
  let have = 0;
  for (let place = first; place <= last; place++) {
    const chunk = readChunk(db, body, place);
    const part = place === first ? chunk.subarray(start) : chunk.subarray(0, length - have);
    parts.push(part);
    have += part.length;
    if (chunk.length < Limit.chunkOctets) break;
  }
  const whole = new Uint8Array(have);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function readChunk(db: Connection, body: BodyId, place: number): Uint8Array {
  const row = db.get<{ octets: Uint8Array }>('SELECT octets FROM body_chunk WHERE id = (? << 16) | ?', body, place);
  return row?.octets ?? new Uint8Array(0);
}
