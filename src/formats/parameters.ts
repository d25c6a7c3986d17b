// Fields with a value and parameters (RFC 2045 §5.1, RFC 2183 §2): Content-Type and Content-Disposition, with the
// continuations of RFC 2231. In and out is binary text (octets.ts). Takes anything; never fails.

import { decodeCharset } from './charset.ts';
import { trimSpace } from './octets.ts';

/** A field's value (`text/plain`, `attachment`), as written but for comments, and its parameters in their order, the
 * names in lower case. */
export interface Parameterized {
  readonly value: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** Parameters of one field, and segments of one continued parameter (RFC 2231 §3). */
const MOST = 200;

/** One parameter as it stands: `name*1*` is segment 1, percent-encoded. */
interface Segment {
  readonly name: string;
  readonly segment: number | null;
  readonly extended: boolean;
  readonly value: string;
}

/**
 * Reads `value *(";" attribute "=" value)`, tolerantly: missing quotes, white space around `=`, comments. Continuations
 * are joined, as an IMAP server should (RFC 2231 §6); what names a charset stays percent-encoded as `name*`.
 */
export function parseParameters(text: string): Parameterized {
  const first = untilSemicolon(text, 0);
  const value = trimSpace(withoutComments(text.slice(0, first)));
  const segments: Segment[] = [];
  let at = first + 1;
  while (at < text.length && segments.length < MOST) {
    const equals = attributeEnd(text, at);
    if (text[equals] !== '=') {
      at = equals + 1;
      continue;
    }
    const attribute = trimSpace(withoutComments(text.slice(at, equals))).toLowerCase();
    const { text: found, end } = parameterValue(text, equals + 1);
    const segment = segmentOf(attribute, found);
    if (segment !== null) segments.push(segment);
    at = end;
  }
  return { value, parameters: join(segments) };
}

/** The first parameter of this name, or undefined. `name` in lower case. */
export function parameter(field: Parameterized, name: string): string | undefined {
  return field.parameters.find(([found]) => found === name)?.[1];
}

/** The text of a parameter `name*` (RFC 2231 §4), whose value is `charset'language'text`, percent-encoded: UTF-8, as binary
 * text. */
export function extendedText(value: string): string {
  const [, charset = '', encoded = value] = /^([^']*)'[^']*'(.*)$/s.exec(value) ?? [];
  const decoded = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, digits) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(decodeCharset(Buffer.from(decoded, 'latin1'), charset)).toString('latin1');
}

/** value = token / quoted-string. Wider than RFC 2045 §5.1: a value without quotes goes on to the semicolon. */
function parameterValue(text: string, from: number): { text: string; end: number } {
  let at = from;
  while (' \t\r\n'.includes(text[at] ?? '-')) at += 1;
  if (text[at] !== '"') {
    const end = untilSemicolon(text, at);
    return { text: trimSpace(withoutComments(text.slice(at, end))), end: end + 1 };
  }
  let value = '';
  at += 1;
  let run = at;
  while (at < text.length && text[at] !== '"') {
    if (text[at] === '\\' && at + 1 < text.length) {
      value += text.slice(run, at);
      at += 1;
      run = at;
    }
    at += 1;
  }
  value += text.slice(run, at);
  return { text: value, end: untilSemicolon(text, at + 1) + 1 };
}

/** Where the next `=` stands, or the semicolon of a parameter that has none. */
function attributeEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '=' && text[at] !== ';') at += 1;
  return at;
}

function untilSemicolon(text: string, from: number): number {
  const at = text.indexOf(';', from);
  return at < 0 ? text.length : at;
}

/** Drops comments (RFC 5322 §3.2.2) from what has no quoted string. */
function withoutComments(text: string): string {
  if (!text.includes('(')) return text;
  let out = '';
  let depth = 0;
  for (const character of text) {
    if (character === '(') depth += 1;
    else if (character === ')' && depth > 0) depth -= 1;
    else if (depth === 0) out += character;
  }
  return out;
}

/** attribute = token, section = "*" digits, extended by a final "*" (RFC 2231 §7). */
function segmentOf(attribute: string, value: string): Segment | null {
  const match = /^([^ \t*]+)(?:\*(\d{1,3}))?(\*)?$/.exec(attribute);
  if (match?.[1] === undefined) return null;
  return {
    name: match[1],
    segment: match[2] === undefined ? null : Number(match[2]),
    extended: match[3] !== undefined,
    value,
  };
}

function join(segments: readonly Segment[]): (readonly [string, string])[] {
  const parameters: (readonly [string, string])[] = [];
  const joined = new Set<string>();
  for (const segment of segments) {
    if (segment.segment === null) {
      parameters.push([segment.extended ? `${segment.name}*` : segment.name, segment.value]);
    } else if (!joined.has(segment.name)) {
      joined.add(segment.name);
      parameters.push(continued(segments.filter((other) => other.name === segment.name && other.segment !== null)));
    }
  }
  return parameters;
}

/** RFC 2231 §3, §4.1: segments in the order of their numbers, whatever order they came in. */
function continued(segments: Segment[]): readonly [string, string] {
  const name = segments[0]?.name ?? '';
  const inOrder = segments.toSorted((a, b) => (a.segment ?? 0) - (b.segment ?? 0));
  if (!inOrder.some((segment) => segment.extended)) {
    return [name, inOrder.map((segment) => segment.value).join('')];
  }
  const value = inOrder.map((segment) => (segment.extended ? segment.value : percentEncode(segment.value))).join('');
  // Without the two apostrophes there is no charset to decode by: an empty one says so.
  return [`${name}*`, inOrder[0]?.extended ? value : `''${value}`];
}

function percentEncode(value: string): string {
  return value.replace(
    /[^\w.!#$&+^`{|}~-]/g,
    (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
