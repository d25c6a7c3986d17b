// PREVIEW (RFC 8970 §3.2, §3.3): the first words of a message, as plain text in UTF-8. Made once, with the summary, and kept
// in it: the same words each time.

import { charsetDecoder } from '../../formats/charset.ts';
import { HtmlText } from '../../formats/html-text.ts';
import type { OctetReader } from '../../formats/octet-window.ts';
import { parameter } from '../../formats/parameters.ts';
import type { Entity } from '../../formats/structure.ts';
import { transferDecoder } from '../../formats/transfer-encoding.ts';

/** RFC 8970 §3.2: 200 characters are asked for, 256 are the most. */
const CHARACTERS = 200;
/** Octets of a part that are looked at, a piece at a time: plain text mostly needs no more than the first, while a page of
 * HTML begins with much that nobody sees. */
const LOOK = 65_536;
const FIRST_PIECE = 1_024;
const PIECE = 8_192;
/** Parts that are looked at, until one has words. */
const PARTS = 4;

/** @returns '' where there is nothing to show */
export function previewOf(message: Entity, read: OctetReader): string {
  let left = PARTS;
  for (const part of textParts(message)) {
    if (left === 0) break;
    left -= 1;
    const words = wordsOf(part, read);
    if (words !== '') return words;
  }
  return '';
}

/** Parts that are shown as text, plain text before other forms of the same (RFC 2046 §5.1.4). */
function* textParts(entity: Entity): Generator<Entity> {
  const { mime, parts, message } = entity;
  if (mime.disposition?.value.toLowerCase() === 'attachment') return;
  if (message !== null) {
    yield* textParts(message);
  } else if (parts === null) {
    if (mime.type === 'text' && (mime.subtype === 'plain' || mime.subtype === 'html')) yield entity;
  } else if (mime.subtype === 'alternative') {
    const found = parts.flatMap((part) => [...textParts(part)]);
    yield* found.filter(isPlain);
    yield* found.filter((part) => !isPlain(part));
  } else if (mime.subtype !== 'encrypted') {
    for (const part of parts) yield* textParts(part);
  }
}

function isPlain({ mime }: Entity): boolean {
  return mime.subtype === 'plain';
}

function wordsOf({ mime, bodyStart, end }: Entity, read: OctetReader): string {
  const transfer = transferDecoder(mime.encoding);
  const charset = charsetDecoder(parameter({ value: '', parameters: mime.parameters }, 'charset') ?? null);
  const html = mime.subtype === 'html' ? new HtmlText() : null;
  const last = Math.min(end, bodyStart + LOOK);
  let text = '';
  for (let at = bodyStart; at < last; ) {
    const piece = read(at, Math.min(at === bodyStart ? FIRST_PIECE : PIECE, last - at));
    if (piece.length === 0) break;
    at += piece.length;
    const decoded = charset.decode(transfer.decode(piece));
    text += html ? html.push(decoded) : decoded;
    // A line that is not there yet may turn out to be a quotation.
    if (at < last && shown(text, html !== null).length < 2 * CHARACTERS) continue;
    if (at >= last) {
      const rest = charset.decode(transfer.end()) + charset.end();
      text += html ? html.push(rest) + html.end() : rest;
    }
    break;
  }
  return cut(shown(text, html !== null));
}

/** As one line, without what controls a terminal, and without what the message quotes, unless that is all. */
function shown(text: string, html: boolean): string {
  const own = html ? text : text.replace(/^>.*$/gm, '');
  const words = oneLine(own);
  return words === '' && own !== text ? oneLine(text) : words;
}

function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}\p{Z}\u200b\u2060\ufeff]+/gu, ' ').trim();
}

/** Whole characters, as far as they go. */
function cut(words: string): string {
  let end = 0;
  for (let characters = 0; characters < CHARACTERS && end < words.length; characters += 1) {
    end += (words.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return words.slice(0, end).trimEnd();
}
