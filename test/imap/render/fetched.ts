// What a FETCH item says of a message, computed as the server does: by the grammar of the item, the summary of the body
// and the octets of prefix and body.

import { fetchItems, type SectionItem } from '../../../src/imap/grammar/fetch-items.ts';
import { Scanner } from '../../../src/imap/grammar/scanner.ts';
import { headerFields, resolveSection } from '../../../src/imap/render/section.ts';
import { derive, Summary } from '../../../src/imap/render/summary.ts';

function summaryOf(body: Buffer): Summary {
  return new Summary(derive((offset, length) => body.subarray(offset, offset + length), body.length));
}

/** Binary text; null for NIL. @param asked such as `ENVELOPE` or `BODY[1.MIME]<0.9>` */
export function fetched(prefix: Buffer, body: Buffer, asked: string): string | null {
  const summary = summaryOf(body);
  const [item] = fetchItems(new Scanner(Buffer.from(`${asked}\r\n`)));
  switch (item?.item) {
    case 'ENVELOPE':
      return summary.envelope;
    case 'BODY':
      return summary.body(false);
    case 'BODYSTRUCTURE':
      return summary.bodyStructure(false);
    case 'section':
      return section(prefix, body, summary, item);
    default:
      throw new Error(`no item of a summary: ${asked}`);
  }
}

function section(prefix: Buffer, body: Buffer, summary: Summary, { section, partial }: SectionItem): string | null {
  const range = resolveSection(summary.root, prefix.length, section);
  if (range === null) return null;
  let octets: Uint8Array = Buffer.concat([prefix, body]).subarray(range.from, range.to);
  if (range.filtered) octets = headerFields(octets, section.fields, section.text === 'HEADER.FIELDS.NOT');
  return binary(partial === null ? octets : octets.subarray(partial.offset, partial.offset + partial.length));
}

function binary(octets: Uint8Array): string {
  return Buffer.from(octets).toString('latin1');
}
