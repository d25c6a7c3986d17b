// What the MSA does to a header (RFC 6409 §8): it adds what a message must have and takes out what nobody but its author
// may see. Pure: the fields that are added come in as values.

import { foldedField } from '../formats/folding.ts';
import type { HeaderField } from '../formats/header.ts';
import { messageIds } from '../formats/message-id.ts';
import { asBuffer } from '../formats/octets.ts';
import type { ArrivedHeader } from '../mta/content.ts';

/** What is added, as whole lines with CRLF: the trace field always, the others where there is none of the name, or none
 * that is one (RFC 6409 §8.3). */
export interface Additions {
  readonly received: string;
  readonly date: string;
  readonly messageId: string;
  readonly from: string;
}

/** RFC 5322 §3.6.3: Bcc is for the author's own copy. RFC 5321 §4.4: Return-Path is written by the last hop only. */
const REMOVED = ['bcc', 'resent-bcc', 'return-path'] as const;

/** The fields that make a header: those before the first line that is none. */
export function headerFields({ fields }: ArrivedHeader): readonly HeaderField[] {
  let end = 0;
  const odd = fields.findIndex((field) => {
    if (field.offset !== end) return true;
    end += field.length;
    return false;
  });
  return odd < 0 ? fields : fields.slice(0, odd);
}

/**
 * The header to store, in lines that every hop takes. A line that is neither field nor continuation ends it, as if the
 * empty line had been forgotten (a message typed by hand, a script without header): what follows is body, which nobody
 * reads fields from.
 */
export function completeHeader(arrived: ArrivedHeader, additions: Additions): Uint8Array {
  const octets = asBuffer(arrived.octets);
  const all = headerFields(arrived);
  const fields = all.some(isIdentifier) ? all : all.filter((field) => !field.is(FIELD_NAMES.messageId));
  const last = all.at(-1);
  const end = last === undefined ? 0 : last.offset + last.length;
  let front = additions.received;
  for (const name of ['date', 'messageId', 'from'] as const) {
    if (!fields.some((field) => field.is(FIELD_NAMES[name]))) front += additions[name];
  }
  const parts: Buffer[] = [Buffer.from(front)];
  for (const field of fields) {
    if (REMOVED.some((name) => field.is(name))) continue;
    parts.push(asBuffer(foldedField(octets.subarray(field.offset, field.offset + field.length))));
  }
  const rest = octets.subarray(end);
  if (rest.length > 0 && !startsWithEmptyLine(rest)) parts.push(Buffer.from('\r\n'));
  parts.push(rest);
  return Buffer.concat(parts);
}

const FIELD_NAMES = { date: 'date', messageId: 'message-id', from: 'from' } as const;

/** msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS] (RFC 5322 §3.6.4), as far as others tell messages apart by it. */
function isIdentifier(field: HeaderField): boolean {
  return field.is(FIELD_NAMES.messageId) && messageIds(field.value, 1).some((id) => /.@./.test(id));
}

function startsWithEmptyLine(octets: Buffer): boolean {
  return octets[0] === 13 && octets[1] === 10;
}
