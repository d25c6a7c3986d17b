// Putting another Content-Transfer-Encoding (RFC 2045 §6.1) into the header of a part, and nothing else out of its place.

import type { HeaderField } from './header.ts';
import type { SevenBitEncoding } from './transfer-encoder.ts';

/** The header with this Content-Transfer-Encoding in place of its own, and what it lacks. */
export function labelled(
  header: Buffer,
  fields: readonly HeaderField[],
  encoding: '7bit' | SevenBitEncoding,
  missing: readonly string[],
): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  let said = false;
  for (const field of fields) {
    if (!field.is('content-transfer-encoding')) continue;
    parts.push(header.subarray(at, field.offset));
    if (!said) parts.push(Buffer.from(`Content-Transfer-Encoding: ${encoding}\r\n`));
    said = true;
    at = field.offset + field.length;
  }
  // Before the empty line.
  const empty = header.length - (header[header.length - 2] === 13 ? 2 : 1);
  parts.push(header.subarray(at, empty));
  parts.push(Buffer.from(missing.join('') + (said ? '' : `Content-Transfer-Encoding: ${encoding}\r\n`)));
  parts.push(header.subarray(empty));
  return Buffer.concat(parts);
}
