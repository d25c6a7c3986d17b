// Folding of header fields (RFC 5322 §2.2.3) whose lines are longer than a line of mail may be (§2.1.1): hops cut such a
// line wherever it is full, in the middle of a word, and break what was signed. Where no white space is, it stays as it is.

import { asBuffer } from './octets.ts';

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const CRLF = Buffer.from('\r\n');

/** Octets of a line without its CRLF (RFC 5322 §2.1.1, RFC 5321 §4.5.3.1.6). */
const LINE = 998;

/** The field with its line ends, folded where it must be; else the octets that were given. */
export function foldedField(field: Uint8Array): Uint8Array {
  if (field.length <= LINE) return field;
  const octets = asBuffer(field);
  const parts: Buffer[] = [];
  for (let at = 0; at < octets.length; ) {
    const feed = octets.indexOf(LF, at);
    const end = feed < 0 ? octets.length : feed + 1;
    foldLine(octets.subarray(at, end), parts);
    at = end;
  }
  return parts.includes(CRLF) ? Buffer.concat(parts) : field;
}

function foldLine(line: Buffer, parts: Buffer[]): void {
  let rest = line;
  while (textLength(rest) > LINE) {
    const at = breakOf(rest);
    if (at < 0) break;
    parts.push(rest.subarray(0, at), CRLF);
    rest = rest.subarray(at);
  }
  parts.push(rest);
}

/** Octets without the line end. */
function textLength(line: Buffer): number {
  if (line[line.length - 1] !== LF) return line.length;
  return line.length - (line[line.length - 2] === CR ? 2 : 1);
}

/** The white space at which the next line begins: the last one that leaves a line short enough, or else the first one. A line
 * of white space only would end the header for some (RFC 5322 §3.2.2), so there is a word on either side. */
function breakOf(line: Buffer): number {
  const end = textLength(line);
  let found = -1;
  let word = false;
  for (let at = 0; at < end - 1; at++) {
    const space = isSpace(line[at]);
    if (space && word && !isSpace(line[at + 1])) {
      if (at > LINE) return found < 0 ? at : found;
      found = at;
    }
    word ||= !space;
  }
  return found;
}

function isSpace(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB;
}
