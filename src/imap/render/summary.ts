// What the store derives of each body, once, for IMAP: ENVELOPE, BODY, BODYSTRUCTURE and PREVIEW as the octets that are
// sent, what SORT and THREAD compare, and where each part lies. The deriver's module: octets in, a compact blob out.
// Offsets count from the body; a message's prefix (Return-Path, Delivered-To) shifts them by its length and changes
// nothing else here.

import type { OctetReader } from '../../formats/octet-window.ts';
import { asBuffer } from '../../formats/octets.ts';
import { type Message, scanStructure } from '../../formats/structure.ts';
import { readSortKeys, type SortKeys, sortKeysOf, writeSortKeys } from '../sort/sort-keys.ts';
import { differsInRev2, renderBodyStructure } from './body-structure.ts';
import { renderEnvelope } from './envelope.ts';
import { previewOf } from './preview.ts';
import type { Place } from './section.ts';

export { texts } from '../search/indexed-text.ts';

/** Rises whenever the blob or what is in it changes, or the texts of the search index: all is derived again then. */
export const version = 9;

/** A summary, opened. The octets are views of the blob. */
export interface Summary {
  readonly envelope: Uint8Array;
  readonly body: Uint8Array;
  readonly bodyStructure: Uint8Array;
  /** The same two, as IMAP4rev2 has them. */
  readonly rev2: { readonly body: Uint8Array; readonly bodyStructure: Uint8Array };
  /** UTF-8 text; empty: there is none. */
  readonly preview: Uint8Array;
  /** Octets of the body's header, with its empty line. */
  readonly headerSize: number;
  /** Decoded each time that it is asked for. */
  readonly sortKeys: SortKeys;
  /** The structure as offsets, decoded when first asked for. */
  readonly root: Place;
}

/** Computes the summary of a body of `size` octets in bounded memory. `read` gives octets `[offset, offset + length)`. */
export function derive(read: OctetReader, size: number): Uint8Array {
  const message = scanStructure(read, size);
  return summarize(message, previewOf(message, read));
}

/** BODY and BODYSTRUCTURE. */
function structures(message: Message, rev2: boolean): [body: string, bodyStructure: string] {
  return [
    renderBodyStructure(message, { extended: false, rev2 }),
    renderBodyStructure(message, { extended: true, rev2 }),
  ];
}

/** version, then as varints: header size, lengths of the three renderings, of the sort keys, of the preview, and of BODY and
 * BODYSTRUCTURE for IMAP4rev2 where they differ; all of these; the table of places. */
function summarize(message: Message, words: string): Uint8Array {
  const envelope = renderEnvelope(message.fields);
  const [body, bodyStructure] = structures(message, false);
  const [body2, bodyStructure2] = differsInRev2(message) ? structures(message, true) : ['', ''];
  const sortKeys = writeSortKeys(sortKeysOf(message.fields));
  const preview = Buffer.from(words).toString('latin1');
  const texts = [envelope, body, bodyStructure, sortKeys, preview, body2, bodyStructure2];
  const head: number[] = [version];
  for (const value of [message.bodyStart, ...texts.map(({ length }) => length)]) putVarint(head, value);
  const table: number[] = [];
  putPlace(table, message, 0);
  return Buffer.concat([Buffer.from(head), Buffer.from(texts.join(''), 'latin1'), Buffer.from(table)]);
}

/** Reads a blob of `derive`. @throws RangeError where it is of another version */
export function openSummary(blob: Uint8Array): Summary {
  if (blob[0] !== version) throw new RangeError(`A summary of version ${blob[0]}, not ${version}`);
  const cursor = { at: 1 };
  const headerSize = getVarint(blob, cursor);
  const lengths = [0, 0, 0, 0, 0, 0, 0].map(() => getVarint(blob, cursor));
  const [envelope, body, bodyStructure, keys, preview, body2, bodyStructure2] = lengths.map((length) => {
    cursor.at += length;
    return blob.subarray(cursor.at - length, cursor.at);
  });
  if (!envelope || !body || !bodyStructure || !keys || !preview || !body2 || !bodyStructure2)
    throw new RangeError('No summary');
  const table = cursor.at;
  let root: Place | null = null;
  return {
    envelope,
    body,
    bodyStructure,
    rev2: body2.length === 0 ? { body, bodyStructure } : { body: body2, bodyStructure: bodyStructure2 },
    preview,
    headerSize,
    get sortKeys(): SortKeys {
      return readSortKeys(asBuffer(keys).toString('latin1'));
    },
    get root(): Place {
      root ??= getPlace(blob, { at: table }, 0);
      return root;
    },
  };
}

// A place in the table: its start from the start of what is around it, the length of its header, the length of its body,
// and what is inside: 0 nothing, 1 a message, n + 2 the n parts of a multipart; then these, one after another.

function putPlace(table: number[], place: Place, base: number): void {
  putVarint(table, place.start - base);
  putVarint(table, place.bodyStart - place.start);
  putVarint(table, place.end - place.bodyStart);
  const inside = place.message === null ? (place.parts ?? []) : [place.message];
  putVarint(table, place.message !== null ? 1 : place.parts !== null ? inside.length + 2 : 0);
  for (const inner of inside) putPlace(table, inner, place.start);
}

function getPlace(blob: Uint8Array, cursor: { at: number }, base: number): Place {
  const start = base + getVarint(blob, cursor);
  const bodyStart = start + getVarint(blob, cursor);
  const end = bodyStart + getVarint(blob, cursor);
  const inside = getVarint(blob, cursor);
  if (inside === 0) return { start, bodyStart, end, parts: null, message: null };
  if (inside === 1) return { start, bodyStart, end, parts: null, message: getPlace(blob, cursor, start) };
  const parts: Place[] = [];
  for (let left = inside - 2; left > 0; left -= 1) parts.push(getPlace(blob, cursor, start));
  return { start, bodyStart, end, parts, message: null };
}

/** Seven bits an octet, the lowest first; the eighth says that more follow. By division: offsets may pass 2^31. */
function putVarint(out: number[], value: number): void {
  let rest = value;
  while (rest > 127) {
    out.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
}

function getVarint(blob: Uint8Array, cursor: { at: number }): number {
  let value = 0;
  for (let unit = 1; ; unit *= 128) {
    const octet = blob[cursor.at];
    if (octet === undefined) throw new RangeError('A summary that ends too soon');
    cursor.at += 1;
    value += (octet % 128) * unit;
    if (octet < 128) return value;
  }
}
