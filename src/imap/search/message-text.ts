// The text of a message as SEARCH sees it (RFC 3501 §6.4.4): fields with their encoded words decoded, and the text parts
// with transfer encoding and charset undone, in pieces and in bounded memory. HTML is its text; what is not text is passed
// over.

import { charsetDecoder } from '../../formats/charset.ts';
import { decodeWords } from '../../formats/encoded-words.ts';
import { type HeaderField, parseHeader } from '../../formats/header.ts';
import { HtmlText } from '../../formats/html-text.ts';
import { type MimeFacts, mimeFacts } from '../../formats/mime-facts.ts';
import { parameter } from '../../formats/parameters.ts';
import { transferDecoder } from '../../formats/transfer-encoding.ts';
import type { Place } from '../render/section.ts';
import { FoldedText, fold } from './fold.ts';

/** A message's octets, prefix and body counted as one, and its structure. */
export interface SearchContent {
  /** Octets `[offset, offset + length)`, at most CHUNK; shorter only at the message's end. */
  octets(offset: number, length: number): Promise<Uint8Array>;
  /** The structure of the body: a Summary's `root`, whose offsets count without the prefix. */
  root(): Promise<Place>;
  /** So much text has been looked through: resolves when others have had their turn, if it is theirs. */
  searched(characters: number): Promise<void>;
}

/** Octets that are asked for at once. */
export const CHUNK = 256 * 1024;
/** Octets of one header that are searched. */
const LONGEST_HEADER = 1024 * 1024;

/** The fields of a header that lies at `[from, to)`. */
export async function readFields(content: SearchContent, from: number, to: number): Promise<readonly HeaderField[]> {
  const chunks: Uint8Array[] = [];
  const end = Math.min(to, from + LONGEST_HEADER);
  for (let at = from; at < end; ) {
    const chunk = await content.octets(at, Math.min(CHUNK, end - at));
    if (chunk.length === 0) break;
    chunks.push(chunk);
    at += chunk.length;
  }
  return parseHeader(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
}

/** A field's value, folded for comparison. */
export function foldedValue(field: HeaderField): string {
  return fold(decodeWords(field.value));
}

/** One piece of folded text; `begins`: it does not join the piece before. */
interface TextPiece {
  readonly text: string;
  readonly begins: boolean;
}

/**
 * What BODY is matched against: the text parts, and the headers of parts and of messages inside, but not the message's
 * own header. `fields` are those of that header, `prefix` the length of the message's prefix.
 */
export async function* bodyText(
  content: SearchContent,
  fields: readonly HeaderField[],
  prefix: number,
): AsyncGenerator<TextPiece> {
  yield* entityText(content, await content.root(), mimeFacts(fields, 'text/plain'), prefix);
}

async function* entityText(
  content: SearchContent,
  place: Place,
  mime: MimeFacts,
  prefix: number,
): AsyncGenerator<TextPiece> {
  if (place.parts === null && place.message === null) {
    if (isText(mime)) yield* leafText(content, place, mime, prefix);
    return;
  }
  const otherwise = mime.type === 'multipart' && mime.subtype === 'digest' ? 'message/rfc822' : 'text/plain';
  for (const inner of place.parts ?? (place.message === null ? [] : [place.message])) {
    const fields = await readFields(content, inner.start + prefix, inner.bodyStart + prefix);
    // One piece: no string of a client has the NUL that keeps the fields apart.
    yield { text: fields.map(foldedValue).join('\0'), begins: true };
    yield* entityText(content, inner, mimeFacts(fields, place.parts === null ? 'text/plain' : otherwise), prefix);
  }
}

/** A multipart without parts is shown as text, so it is searched as that. */
function isText({ type, subtype }: MimeFacts): boolean {
  return type === 'text' || type === 'multipart' || (type === 'message' && subtype !== 'rfc822');
}

async function* leafText(
  content: SearchContent,
  place: Place,
  mime: MimeFacts,
  prefix: number,
): AsyncGenerator<TextPiece> {
  const transfer = transferDecoder(mime.encoding);
  const charset = charsetDecoder(parameter({ value: '', parameters: mime.parameters }, 'charset') ?? null);
  const html = mime.type === 'text' && mime.subtype === 'html' ? new HtmlText() : null;
  const folded = new FoldedText();
  const end = place.end + prefix;
  let begins = true;
  for (let at = place.bodyStart + prefix; at < end; ) {
    const chunk = await content.octets(at, Math.min(CHUNK, end - at));
    if (chunk.length === 0) break;
    at += chunk.length;
    const text = charset.decode(transfer.decode(chunk));
    yield { text: folded.push(html ? html.push(text) : text), begins };
    begins = false;
  }
  const text = charset.decode(transfer.end()) + charset.end();
  yield { text: folded.push(html ? html.push(text) + html.end() : text) + folded.end(), begins };
}
