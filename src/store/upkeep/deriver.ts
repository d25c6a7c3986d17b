// The deriver: a module named by the store's owner that computes, from the octets of a body, what is worth keeping
// (IMAP: envelope, structure, offsets). Imported where it is needed, since most starts need it late.

import type { Connection } from '../engine.ts';
import { Limit } from '../limits.ts';
import { bodySize, readBody } from '../reads/bodies.ts';
import type { BodyId } from '../rows.ts';

/** Octets up to which a body is read as a whole: those of one chunk. */
const SMALL = Limit.chunkOctets;

/** What a deriver module exports. */
export interface Deriver {
  /** Summaries of another version are thrown away. */
  readonly version: number;
  /** `read` gives octets `[offset, offset + length)`, fewer only at the end; `size` is that of the whole body. */
  derive(read: (offset: number, length: number) => Uint8Array, size: number): Uint8Array;
  /** The texts of a body for the search index, normalised; null: they have more than `most` characters. Absent: there is
   * no index. */
  readonly texts?: (
    read: (offset: number, length: number) => Uint8Array,
    size: number,
    most: number,
  ) => Promise<{ readonly header: string; readonly text: string } | null>;
}

/** Imports a deriver. @throws where the module is none */
export async function importDeriver(url: string): Promise<Deriver> {
  const module: unknown = await import(url);
  if (typeof module !== 'object' || module === null) throw new Error(`No deriver: ${url}`);
  const { derive, texts, version } = { derive: undefined, texts: undefined, version: undefined, ...module };
  if (typeof derive !== 'function' || typeof version !== 'number') throw new Error(`No deriver: ${url}`);
  const deriver = { derive: derive as Deriver['derive'], version }; // The types of its parameters cannot be seen here.
  // As above.
  return typeof texts === 'function' ? { ...deriver, texts: texts as NonNullable<Deriver['texts']> } : deriver;
}

/** The summary of a body that stands in the store, or undefined if there is no such body. */
export function deriveBody(deriver: Deriver, mail: Connection, body: BodyId): Uint8Array | undefined {
  const size = bodySize(mail, body);
  if (size === undefined) return undefined;
  // The scan and the preview would each read what is small.
  if (size <= SMALL) return deriveOctets(deriver, readBody(mail, body, 0, size));
  return deriver.derive((offset, length) => readBody(mail, body, offset, Math.min(length, Limit.readOctets)), size);
}

/** The summary of a body that is in memory. */
export function deriveOctets(deriver: Deriver, whole: Uint8Array): Uint8Array {
  return deriver.derive((offset, length) => whole.subarray(offset, offset + length), whole.length);
}

/** Those of the bodies that are small, whole: in one snapshot, since each has its price, and one that is over before
 * anything is computed, since an open one keeps the log from beginning anew. */
export function smallBodies(mail: Connection, bodies: readonly BodyId[]): ReadonlyMap<BodyId, Uint8Array> {
  const found = new Map<BodyId, Uint8Array>();
  mail.run('BEGIN');
  try {
    for (const body of bodies) {
      const size = bodySize(mail, body);
      if (size !== undefined && size <= SMALL) found.set(body, readBody(mail, body, 0, size));
    }
  } finally {
    if (mail.inTransaction) mail.run('COMMIT');
  }
  return found;
}
