// What the store derives of each body, once, for IMAP: ENVELOPE, BODY, BODYSTRUCTURE and PREVIEW as the octets that are
// sent, what SORT and THREAD compare, and where each part lies. The deriver's module: octets in, a compact blob out.
// Offsets count from the body; a message's prefix (Return-Path, Delivered-To) shifts them by its length and changes
// nothing else here.

import type { OctetReader } from '../../formats/octet-window.ts';
import { asBuffer } from '../../formats/octets.ts';
import { type Message, scanStructure } from '../../formats/structure.ts';
import { SortKeys, sortValuesOf, writeSortKeys } from '../sort/sort-keys.ts';
import { differsInRev2, renderBodyStructure } from './body-structure.ts';
import { renderEnvelope } from './envelope.ts';
import { previewOf } from './preview.ts';
import type { Place } from './section.ts';

export { texts } from '../search/indexed-text.ts';

/** Rises whenever the blob or what is in it changes, or the texts of the search index: all is derived again then. */
export const version = 9;

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
  const sortKeys = writeSortKeys(sortValuesOf(message.fields));
  const preview = Buffer.from(words).toString('latin1');
  const texts = [envelope, body, bodyStructure, sortKeys, preview, body2, bodyStructure2];
  const head: number[] = [version];
  for (const value of [message.bodyStart, ...texts.map(({ length }) => length)]) putVarint(head, value);
  const table: number[] = [];
  putPlace(table, message, 0);
  return Buffer.concat([Buffer.from(head), Buffer.from(texts.join(''), 'latin1'), Buffer.from(table)]);
}

/** Which text of a blob is which. Those for IMAP4rev2 are empty where they would be the same. */
const Text = { envelope: 0, body: 1, bodyStructure: 2, sortKeys: 3, preview: 4, body2: 5, bodyStructure2: 6 } as const;
const TEXTS = Object.keys(Text).length;

/** A summary, opened. Its texts have one character for each octet, and are made whenever they are asked for. */
export class Summary {
  /** Octets of the body's header, with its empty line. */
  readonly headerSize: number;
  readonly #blob: Buffer;
  /** Where each text ends, from where the first begins. */
  readonly #ends: readonly number[];
  readonly #start: number;
  #root: Place | null = null;

  /** @param blob of `derive` @throws RangeError where it is of another version */
  constructor(blob: Uint8Array) {
    if (blob[0] !== version) throw new RangeError(`A summary of version ${blob[0]}, not ${version}`);
    const cursor = { at: 1 };
    this.headerSize = getVarint(blob, cursor);
    const ends: number[] = [];
    for (let end = 0; ends.length < TEXTS; ends.push(end)) end += getVarint(blob, cursor);
    this.#blob = asBuffer(blob);
    this.#ends = ends;
    this.#start = cursor.at;
  }

  get envelope(): string {
    return this.#text(Text.envelope);
  }

  /** @param rev2 as IMAP4rev2 has it */
  body(rev2: boolean): string {
    return (rev2 && this.#text(Text.body2)) || this.#text(Text.body);
  }

  /** @param rev2 as IMAP4rev2 has it */
  bodyStructure(rev2: boolean): string {
    return (rev2 && this.#text(Text.bodyStructure2)) || this.#text(Text.bodyStructure);
  }

  /** Octets of UTF-8; empty: there is none. */
  get preview(): string {
    return this.#text(Text.preview);
  }

  get sortKeys(): SortKeys {
    return new SortKeys(this.#text(Text.sortKeys));
  }

  /** The structure as offsets, decoded when first asked for. */
  get root(): Place {
    this.#root ??= getPlace(this.#blob, { at: this.#end(TEXTS - 1) }, 0);
    return this.#root;
  }

  #text(which: number): string {
    return this.#blob.toString('latin1', this.#end(which - 1), this.#end(which));
  }

  #end(which: number): number {
    return this.#start + (this.#ends[which] ?? 0);
  }
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
