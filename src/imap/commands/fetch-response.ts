// One FETCH response (RFC 3501 §7.4.2): the items of one message, written as they come. Metadata is text that was made
// once; sections stream from the store.

import { Disconnected } from '../../platform/socket-writer.ts';
import { readOctets, readWhole } from '../../store/message-octets.ts';
import type { MessageRow } from '../../store/rows.ts';
import type { Enabled } from '../enabled.ts';
import { dateTimeText } from '../grammar/date-time.ts';
import type { FetchItem, Section, SectionItem } from '../grammar/fetch-items.ts';
import { flagList } from '../grammar/flags.ts';
import { LIMIT } from '../limits.ts';
import { fetchHead } from '../render/flag-report.ts';
import { headerFields, resolveSection, type SectionRange } from '../render/section.ts';
import { imapString } from '../render/strings.ts';
import type { Summary } from '../render/summary.ts';
import { type DecodedPart, decodedPieces, decodeParts } from './binary.ts';
import type { Session } from './command.ts';

/** A message and what is known of it when its response is written. */
interface Fetched {
  readonly row: MessageRow;
  readonly sequence: number;
  readonly recent: boolean;
  /** null: no item needs it. */
  readonly summary: Summary | null;
}

/** What a FETCH asks of each of its messages, looked at once. */
export interface Asked {
  readonly items: readonly FetchItem[];
  /** All of them, where each is a text that row and summary say, and none is asked for twice: one response is no longer than
   * these two are. */
  readonly short: readonly ShortItem[] | null;
  readonly flags: boolean;
  readonly modSeq: boolean;
  readonly summary: boolean;
}

export function askedFor(items: readonly FetchItem[]): Asked {
  const short = items.filter((item) => isShort(item));
  const once = new Set(short.map(({ item }) => item)).size === items.length;
  return {
    items,
    short: once ? short : null,
    flags: items.some(({ item }) => item === 'FLAGS'),
    modSeq: items.some(({ item }) => item === 'MODSEQ'),
    summary: items.some(needsSummary),
  };
}

/** Does this item need the summary of a body? The outermost header and text are known without. */
function needsSummary(item: FetchItem): boolean {
  switch (item.item) {
    case 'ENVELOPE':
    case 'BODY':
    case 'BODYSTRUCTURE':
    case 'PREVIEW':
      return true;
    case 'section':
    case 'BINARY':
    case 'BINARY.SIZE':
      return item.section.part.length > 0;
    default:
      return false;
  }
}

/** Writes `* n FETCH (…)` of items that there is no need to wait for. */
export function writeShort(
  { writer, enabled, retrieved }: Session,
  fetched: Fetched,
  items: readonly ShortItem[],
): void {
  let text = fetchHead({ sequence: fetched.sequence, uid: fetched.row.uid }, enabled);
  for (const [i, item] of items.entries()) text += (i > 0 ? ' ' : '') + itemText(fetched, item, enabled);
  writer.text(`${text})\r\n`);
  retrieved.messages++;
}

/** Writes `* n FETCH (…)`, waiting for a slow client between any two items: one response can be of any size.
 * @returns false where parts could not be decoded: their items are left out */
export async function writeFetch(session: Session, fetched: Fetched, asked: readonly FetchItem[]): Promise<boolean> {
  const { writer } = session;
  const encoded = asked.some(({ item }) => item === 'BINARY' || item === 'BINARY.SIZE');
  const decoded: Decoded = encoded ? await decodeParts(session, fetched, asked) : NOTHING_DECODED;
  const items = decoded.size === 0 ? asked : asked.filter((item) => decoded.get(item) !== 'unknown encoding');
  if (items.length === 0) return false;
  let text = fetchHead({ sequence: fetched.sequence, uid: fetched.row.uid }, session.enabled);
  for (const [i, item] of items.entries()) {
    if (i > 0) text += ' ';
    if (isShort(item)) text += itemText(fetched, item, session.enabled);
    else text += `${item.label} `;
    if (item.item === 'BINARY.SIZE') text += sizeOf(decoded.get(item));
    const long = item.item === 'section' || item.item === 'BINARY';
    if (!long && text.length < LIMIT.write) continue;
    writer.text(text);
    text = '';
    if (writer.full) await writer.ready();
    if (item.item === 'section') await writeSection(session, fetched, item);
    if (item.item === 'BINARY') await writeBinary(session, fetched.row, decoded.get(item));
  }
  writer.text(`${text})\r\n`);
  session.retrieved.messages++;
  return items.length === asked.length;
}

type LongItem = Extract<FetchItem, { readonly item: 'section' | 'BINARY' | 'BINARY.SIZE' }>;
type ShortItem = Exclude<FetchItem, LongItem>;
type Decoded = Awaited<ReturnType<typeof decodeParts>>;

const NOTHING_DECODED: Decoded = new Map();

function isShort(item: FetchItem): item is ShortItem {
  return item.item !== 'section' && item.item !== 'BINARY' && item.item !== 'BINARY.SIZE';
}

function itemText({ row, recent, summary }: Fetched, item: ShortItem, { rev2 }: Enabled): string {
  switch (item.item) {
    case 'UID':
      return `UID ${row.uid}`;
    case 'FLAGS':
      return `FLAGS ${flagList(row.flags, row.keywords, recent)}`;
    case 'INTERNALDATE':
      return `INTERNALDATE ${dateTimeText({ at: row.internalDate, zone: row.internalZone })}`;
    case 'RFC822.SIZE':
      return `RFC822.SIZE ${row.size}`;
    case 'ENVELOPE':
      return `ENVELOPE ${known(summary).envelope}`;
    case 'BODY':
      return `BODY ${known(summary).body(rev2)}`;
    case 'BODYSTRUCTURE':
      return `BODYSTRUCTURE ${known(summary).bodyStructure(rev2)}`;
    case 'MODSEQ':
      return `MODSEQ (${row.modSeq})`;
    case 'EMAILID':
      return `EMAILID (${row.emailId})`;
    case 'THREADID':
      return `THREADID (${row.threadId})`;
    case 'SAVEDATE':
      return `SAVEDATE ${dateTimeText({ at: row.saveDate, zone: 0 })}`;
    case 'PREVIEW':
      return `PREVIEW ${imapString(known(summary).preview)}`;
  }
}

/** 0 where BINARY would be NIL. */
function sizeOf(decoded: DecodedPart | undefined): number {
  return typeof decoded === 'object' && decoded !== null ? decoded.octets : 0;
}

/** nstring / literal8: a part decoded, or NIL if the message has no such part, or in an unknown encoding. */
export async function writeBinary(session: Session, row: MessageRow, decoded: DecodedPart | undefined): Promise<void> {
  const { writer } = session;
  if (typeof decoded !== 'object' || decoded === null) {
    writer.text('NIL');
    return;
  }
  // RFC 3516 §4.3: a literal8 only where there is a NUL.
  writer.text(`${decoded.nul ? '~' : ''}{${decoded.octets}}\r\n`);
  session.retrieved.octets += decoded.octets;
  if (decoded.kept) {
    writer.octets(decoded.kept);
    return;
  }
  await writePieces(session, decodedPieces(session, row, decoded), decoded.octets);
}

/** Writes what a literal has announced. @param octets that it has announced */
export async function writePieces(
  { writer }: Session,
  pieces: AsyncIterator<Uint8Array>,
  octets: number,
): Promise<void> {
  let left = octets;
  for (;;) {
    const { value: piece, done } = await promised(pieces.next());
    if (done) break;
    writer.octets(piece);
    left -= piece.length;
    await writer.ready();
  }
  if (left !== 0) throw new Disconnected('a literal has another length than it had announced');
}

function known(summary: Summary | null): Summary {
  if (summary === null) throw new Error('an item needs a summary that was not read');
  return summary;
}

/** nstring: the octets of a section as a literal, or NIL if the message has no such section. */
async function writeSection(session: Session, { row, summary }: Fetched, item: SectionItem): Promise<void> {
  const { writer, store } = session;
  const range = rangeOf(row, summary, item.section);
  if (!range) {
    writer.text('NIL');
    return;
  }
  if (range.filtered) {
    const wanted = await promised(chosenFields(session, row, range, item));
    writer.text(`{${wanted.length}}\r\n`);
    writer.octets(wanted);
    session.retrieved.octets += wanted.length;
    return;
  }
  const [from, to] = cut(range.from, range.to, item.partial);
  writer.text(`{${to - from}}\r\n`);
  for (let at = from; at < to; ) {
    if (at > from) await writer.ready();
    const piece = await promised(readOctets(store.read, row, at, to));
    if (piece.length === 0) throw new Disconnected('a body ended before its literal did');
    at += piece.length;
    writer.give(piece);
  }
  session.retrieved.octets += to - from;
}

/** The fields of a header that are asked for. Longer headers are read as far as a header is ever parsed. */
export async function chosenFields(
  { store, turn }: Pick<Session, 'store' | 'turn'>,
  row: MessageRow,
  { from, to }: SectionRange,
  { section, partial }: Pick<SectionItem, 'section' | 'partial'>,
): Promise<Uint8Array> {
  const header = await readWhole(store.read, row, from, Math.min(to, from + LIMIT.filteredHeader));
  // One command may ask for the fields of a header a thousand times.
  turn.spend(header.length);
  await turn.pass();
  const chosen = headerFields(header, section.fields, section.text === 'HEADER.FIELDS.NOT');
  return chosen.subarray(...cut(0, chosen.length, partial));
}

/** A response that has begun can only be finished or broken off: a status response inside it would be its content. */
async function promised<T>(octets: Promise<T>): Promise<T> {
  try {
    return await octets;
  } catch (error) {
    throw new Disconnected('a body could not be read', { cause: error });
  }
}

/** The outermost header and text without a summary: they are what the row says. */
export function rangeOf(row: MessageRow, summary: Summary | null, section: Section): SectionRange | null {
  if (summary && section.part.length > 0) return resolveSection(summary.root, row.prefix.length, section);
  const { text } = section;
  return {
    from: text === 'TEXT' ? row.headerSize : 0,
    to: text === null || text === 'TEXT' ? row.size : row.headerSize,
    filtered: text === 'HEADER.FIELDS' || text === 'HEADER.FIELDS.NOT',
  };
}

/** RFC 3501 §6.4.5: a partial range beyond the end is empty, one over it is cut. */
export function cut(from: number, to: number, partial: SectionItem['partial']): [number, number] {
  if (!partial) return [from, to];
  const start = Math.min(to, from + partial.offset);
  return [start, Math.min(to, start + partial.length)];
}
