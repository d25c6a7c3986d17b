// The texts of a message as the search index takes them: the very text that BODY, TEXT and header keys are matched
// against (message-text.ts), so that what the index rules out no scan would find. A recipient's prefix is not in it.

import type { OctetReader } from '../../formats/octet-window.ts';
import { scanStructure } from '../../formats/structure.ts';
import { bodyText, readFields, type SearchContent } from './message-text.ts';
import { indexedHeader } from './searched-header.ts';

/** @returns null where a text has more than `most` characters: such a message is always scanned */
export async function texts(
  read: OctetReader,
  size: number,
  most: number,
): Promise<{ readonly header: string; readonly text: string } | null> {
  const message = scanStructure(read, size);
  const content: SearchContent = {
    octets: async (offset, length) => read(offset, Math.min(length, size - offset)),
    root: async () => message,
    searched: async () => {},
  };
  const fields = await readFields(content, 0, message.bodyStart);
  const header = indexedHeader(fields);
  const pieces: string[] = [];
  let length = header.length;
  for await (const { text, begins } of bodyText(content, fields, 0)) {
    length += text.length + 1;
    if (length > most) return null;
    pieces.push(begins ? `\0${text}` : text);
  }
  return length > most ? null : { header, text: pieces.join('') };
}
