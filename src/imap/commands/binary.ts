// FETCH BINARY and BINARY.SIZE (RFC 3516 §4.2, §4.3), and URLFETCH BINARY (RFC 5524 §3.1): a part with its transfer encoding
// undone, in bounded memory. A literal says first how long it is: a part is decoded once to be counted, and once more to
// be sent unless it was short.

import { parseHeader } from '../../formats/header.ts';
import { mimeFacts } from '../../formats/mime-facts.ts';
import { transferDecoder } from '../../formats/transfer-encoding.ts';
import { readOctets, readWhole } from '../../store/message-octets.ts';
import type { MessageRow } from '../../store/rows.ts';
import type { BinaryItem, FetchItem, Section } from '../grammar/fetch-items.ts';
import { LIMIT } from '../limits.ts';
import { type Place, partOf, resolveSection } from '../render/section.ts';
import type { Summary } from '../render/summary.ts';
import type { Session } from './command.ts';

interface Message {
  readonly row: MessageRow;
  /** null: the parts are of no interest. */
  readonly summary: Summary | null;
}

/** Encoded octets `[from, to)` of a message, and which decoded ones of them are wanted. */
interface EncodedPart {
  readonly from: number;
  readonly to: number;
  /** In lower case. */
  readonly encoding: string;
  readonly partial: BinaryItem['partial'];
}

interface CountedPart extends EncodedPart {
  /** Decoded octets that are wanted, and whether there is a NUL among them. */
  readonly octets: number;
  readonly nul: boolean;
  /** All of them, where they are few. */
  readonly kept: Uint8Array | null;
}

/** null: the message has no such part. */
export type DecodedPart = CountedPart | 'unknown encoding' | null;

/** RFC 2045 §6.1; others are the RFC's x-tokens, and what nobody has defined. */
const ENCODINGS: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary', 'base64', 'quoted-printable']);

/** Counts what the BINARY items of one response will have. Nothing has been written yet: what fails here can be told. */
export async function decodeParts(
  session: Session,
  message: Message,
  items: readonly FetchItem[],
): Promise<ReadonlyMap<FetchItem, DecodedPart>> {
  const decoded = new Map<FetchItem, DecodedPart>();
  let room: number = LIMIT.decoded;
  for (const item of items) {
    if (item.item !== 'BINARY' && item.item !== 'BINARY.SIZE') continue;
    const part = await encodedPart(session, message, item.section, item.item === 'BINARY' ? item.partial : null);
    const counted = await countPart(session, message.row, part, room);
    if (typeof counted === 'object' && counted?.kept) room -= counted.kept.length;
    decoded.set(item, counted);
  }
  return decoded;
}

/** Where the octets of a section lie, and in which encoding. A text of only some fields is none of these. */
export async function encodedPart(
  { store, turn }: Session,
  { row, summary }: Message,
  section: Section,
  partial: BinaryItem['partial'],
): Promise<EncodedPart | 'unknown encoding' | null> {
  const { part, text } = section;
  // A whole message, a header, or a part that holds others, has no encoding but those of its parts (RFC 2045 §6.4).
  if (part.length === 0 && text === null) return { from: 0, to: row.size, encoding: '7bit', partial };
  if (summary === null) throw new Error('a part needs a summary that was not read');
  const range = resolveSection(summary.root, row.prefix.length, section);
  if (range === null) return null;
  const { from, to } = range;
  const place = text === null || text === 'TEXT' ? entityOf(summary.root, section) : null;
  if (place === null || place.parts !== null || place.message !== null) return { from, to, encoding: '7bit', partial };
  const labels: Section = { ...section, text: text === 'TEXT' ? 'HEADER' : 'MIME' };
  const mime = resolveSection(summary.root, row.prefix.length, labels);
  if (mime === null) return null;
  const header = await readWhole(store.read, row, mime.from, Math.min(mime.to, mime.from + LIMIT.filteredHeader));
  turn.spend(header.length);
  await turn.pass();
  const { encoding } = mimeFacts(parseHeader(header), 'text/plain');
  return ENCODINGS.has(encoding) ? { from, to, encoding, partial } : 'unknown encoding';
}

/** The part, or for its TEXT the message that it is. */
function entityOf(root: Place, { part, text }: Section): Place | null {
  const place = partOf(root, part);
  return text === 'TEXT' && part.length > 0 ? (place?.message ?? null) : place;
}

/** Counts what is wanted of a part. @param room octets that may be kept */
export async function countPart(
  session: Session,
  row: MessageRow,
  part: EncodedPart | 'unknown encoding' | null,
  room: number = LIMIT.decoded,
): Promise<DecodedPart> {
  if (typeof part !== 'object' || part === null) return part;
  let octets = 0;
  let nul = false;
  let kept: Uint8Array[] | null = [];
  for await (const piece of decodedPieces(session, row, part)) {
    octets += piece.length;
    nul ||= piece.includes(0);
    if (octets > room) kept = null;
    kept?.push(piece);
  }
  return { ...part, octets, nul, kept: kept && Buffer.concat(kept) };
}

/** The decoded octets that are wanted, as they come. */
export async function* decodedPieces(
  { store, turn }: Session,
  row: MessageRow,
  { from, to, encoding, partial }: EncodedPart,
): AsyncGenerator<Uint8Array, void> {
  const decoder = transferDecoder(encoding);
  let skip = partial?.offset ?? 0;
  let left = partial?.length ?? Number.POSITIVE_INFINITY;
  const wanted = (piece: Uint8Array): Uint8Array => {
    const chosen = piece.subarray(skip, skip + left);
    skip = Math.max(0, skip - piece.length);
    left -= chosen.length;
    return chosen;
  };
  for (let at = from; at < to && left > 0; ) {
    const piece = await readOctets(store.read, row, at, to);
    if (piece.length === 0) break;
    at += piece.length;
    turn.spend(piece.length);
    if (turn.over) await turn.pass();
    yield wanted(decoder.decode(piece));
  }
  if (left > 0) yield wanted(decoder.end());
}
