// The MIME structure of a message (RFC 2045, RFC 2046) as octet offsets and line counts, in one pass over the octets.
// Malformed MIME always gives a structure: what cannot be taken apart is one part. What a part holds is not decoded.

import { Boundaries } from './boundaries.ts';
import { type HeaderField, parseHeaderText } from './header.ts';
import { type MimeFacts, mimeFacts, TEXT_PLAIN } from './mime-facts.ts';
import { type OctetReader, OctetWindow } from './octet-window.ts';

/** Bounds of a structure. What lies beyond them stays visible in the part that it is in. */
export const STRUCTURE_LIMITS = {
  /** Multiparts and messages inside each other. */
  depth: 50,
  /** Parts in all. */
  parts: 1000,
  /** Octets of one header that are read. */
  header: 256 * 1024,
  /** Octets of all headers that are read. */
  headers: 1024 * 1024,
} as const;

/** A message, or a part of one. Offsets are octets from the start of the whole. */
export interface Entity {
  /** Where the header begins. */
  readonly start: number;
  /** Where the body begins: behind the header's empty line. */
  readonly bodyStart: number;
  /** Where the body ends: before the line end that belongs to the next delimiter (RFC 2046 §5.1.1). */
  readonly end: number;
  /** Line ends in the body, for text and messages; else 0. */
  readonly lines: number;
  readonly mime: MimeFacts;
  /** The parts of a multipart, at least one; else null. */
  readonly parts: readonly Entity[] | null;
  /** What a message/rfc822 holds; else null. */
  readonly message: Message | null;
}

/** An entity with the fields of a message: the whole, or what a message/rfc822 part holds. */
export interface Message extends Entity {
  /** Their offsets count from `start`. */
  readonly fields: readonly HeaderField[];
}

/** The structure of a message that is in memory. */
export function structureOf(bytes: Uint8Array): Message {
  return new Scan(OctetWindow.of(bytes)).message();
}

/** The structure of a message that is read as the scan goes on. `size` in octets; `window` of them are in memory at once,
 * or one header. */
export function scanStructure(read: OctetReader, size: number, window?: number): Message {
  return new Scan(new OctetWindow(read, size, window)).message();
}

const CR = 13;
const LF = 10;
const DASH = 45;
const LINE_DASHES = Buffer.from('\n--');

/** A line `--boundary`, or `--boundary--` (`close`). */
interface Delimiter {
  /** Where what came before it ends. */
  readonly before: number;
  /** Behind its line. */
  readonly after: number;
  /** Whose boundary: the multipart's place in the stack. */
  readonly level: number;
  readonly close: boolean;
}

/** What a header tells, before the body is read. */
interface Head {
  readonly start: number;
  readonly bodyStart: number;
  readonly fields: readonly HeaderField[];
  readonly mime: MimeFacts;
  /** Line ends of the header. */
  readonly lines: number;
}

/** message/rfc822; message/global (RFC 6532 §3.7), unless it is encoded, which only the latter may be. */
function holdsMessage({ type, subtype, encoding }: MimeFacts): boolean {
  if (type !== 'message') return false;
  return subtype === 'rfc822' || (subtype === 'global' && encoding !== 'base64' && encoding !== 'quoted-printable');
}

class Scan {
  readonly #octets: OctetWindow;
  /** Boundaries of the multiparts around us. */
  readonly #boundaries = new Boundaries();
  #depth = 0;
  #parts = 0;
  #headers = 0;
  /** Messages inside messages around us: only there the lines of what is no text count. */
  #enclosing = 0;
  /** Line ends from start to end of the entity read last, if they count. Counted on the way: what lies behind may have
   * left the window. */
  #lines = 0;
  /** The delimiter that ended the entity read last; null: the end of all did. */
  #delimiter: Delimiter | null = null;

  constructor(octets: OctetWindow) {
    this.#octets = octets;
  }

  message(): Message {
    return this.#entity(0, 'text/plain');
  }

  /** Reads the entity that begins at `start`; #delimiter is then what ended it. */
  #entity(start: number, otherwise: 'text/plain' | 'message/rfc822'): Message {
    const { bodyStart, fields, lines, delimiter } = this.#header(start);
    this.#delimiter = delimiter;
    const head = { start, bodyStart, fields, lines, mime: mimeFacts(fields, otherwise) };
    // A delimiter inside the header: there is no body.
    if (delimiter !== null) return this.#leaf(head, bodyStart);
    const { type, boundary } = head.mime;
    if (this.#depth < STRUCTURE_LIMITS.depth) {
      if (type === 'multipart' && boundary !== null) return this.#multipart(head, boundary);
      if (holdsMessage(head.mime)) return this.#enclosed(head);
    }
    this.#delimiter = this.#find(bodyStart);
    return this.#leaf(head, this.#endBehind(bodyStart));
  }

  /** A part that is not taken apart. One that is a multipart or a message all the same, by name only, gets another type:
   * the form in which those are shown needs what they hold (RFC 3501 §7.4.2). */
  #leaf(head: Head, end: number): Message {
    const { type, subtype } = head.mime;
    let mime = head.mime;
    if (type === 'multipart') mime = { ...mime, ...TEXT_PLAIN };
    if (type === 'message' && (subtype === 'rfc822' || subtype === 'global'))
      mime = { ...mime, type: 'application', subtype: 'octet-stream' };
    const isText = mime.type === 'text';
    const lines = isText || this.#enclosing > 0 ? this.#octets.countLines(head.bodyStart, end) : 0;
    this.#lines = head.lines + lines;
    return { ...head, end, lines: isText ? lines : 0, mime, parts: null, message: null };
  }

  #multipart(head: Head, boundary: string): Message {
    const level = this.#boundaries.push(boundary);
    this.#depth += 1;
    const parts: Entity[] = [];
    const otherwise = head.mime.subtype === 'digest' ? 'message/rfc822' : 'text/plain';
    let delimiter = this.#find(head.bodyStart);
    let at = head.bodyStart;
    let { lines } = head;
    while (delimiter !== null && delimiter.level === level && !delimiter.close) {
      lines += this.#linesBetween(at, delimiter.after);
      this.#parts += 1;
      const last = this.#parts >= STRUCTURE_LIMITS.parts;
      const part = last ? this.#remainder(delimiter.after) : this.#entity(delimiter.after, otherwise);
      parts.push(part);
      lines += this.#lines;
      at = part.end;
      delimiter = this.#delimiter;
    }
    this.#boundaries.leave(level);
    this.#depth -= 1;
    // Behind the last part comes the epilogue, up to a delimiter of a multipart around this one.
    this.#delimiter = delimiter?.level === level ? this.#find(delimiter.after) : delimiter;
    // Where a delimiter follows at once behind the last part's own, the line end between the two is that part's.
    const end = Math.max(at, this.#endBehind(head.bodyStart));
    if (parts.length === 0) return this.#leaf(head, end);
    this.#lines = lines + this.#linesBetween(at, end);
    return { ...head, end, lines: 0, parts, message: null };
  }

  /** The part with which the limit is reached: all the rest. */
  #remainder(start: number): Message {
    this.#delimiter = null;
    const mime = mimeFacts([], 'text/plain');
    return this.#leaf({ start, bodyStart: start, fields: [], mime, lines: 0 }, this.#octets.size);
  }

  /** message/rfc822 (RFC 2046 §5.2.1). */
  #enclosed(head: Head): Message {
    this.#depth += 1;
    this.#enclosing += 1;
    const message = this.#entity(head.bodyStart, 'text/plain');
    this.#enclosing -= 1;
    this.#depth -= 1;
    const lines = this.#lines;
    this.#lines += head.lines;
    return { ...head, end: message.end, lines, parts: null, message };
  }

  #linesBetween(from: number, to: number): number {
    return this.#enclosing > 0 ? this.#octets.countLines(from, to) : 0;
  }

  /** Reads fields up to the empty line, or to a delimiter in its stead. */
  #header(start: number): Omit<Head, 'start' | 'mime'> & { readonly delimiter: Delimiter | null } {
    const octets = this.#octets;
    let at = start;
    let lines = 0;
    let bodyStart = -1;
    let delimiter: Delimiter | null = null;
    while (bodyStart < 0) {
      const first = octets.at(at);
      if (first === LF) bodyStart = at + 1;
      else if (first === CR && octets.at(at + 1) === LF) bodyStart = at + 2;
      else if (first === -1) bodyStart = at;
      else {
        if (first === DASH) delimiter = this.#delimiterAt(at);
        if (delimiter !== null) bodyStart = at;
        else {
          at = octets.lineEnd(at, octets.size);
          if (octets.at(at - 1) === LF) lines += 1;
        }
      }
    }
    if (bodyStart > at) lines += 1;
    const length = Math.min(bodyStart - start, STRUCTURE_LIMITS.header, STRUCTURE_LIMITS.headers - this.#headers);
    this.#headers += length;
    return { bodyStart, fields: parseHeaderText(octets.text(start, start + length)).fields, lines, delimiter };
  }

  /** The next delimiter at or behind `from`, which is the start of a line. */
  #find(from: number): Delimiter | null {
    if (this.#boundaries.length === 0) return null;
    let at = from - 1;
    for (;;) {
      const found = this.#octets.indexOf(LINE_DASHES, at, this.#octets.size);
      if (found < 0) return null;
      const delimiter = this.#delimiterAt(found + 1);
      if (delimiter !== null) return delimiter;
      at = found + 1;
    }
  }

  #delimiterAt(at: number): Delimiter | null {
    const octets = this.#octets;
    const found = this.#boundaries.startOf((place) => octets.at(at + place));
    if (found === null) return null;
    const { level } = found;
    const behind = at + found.length;
    const close = octets.at(behind) === DASH && octets.at(behind + 1) === DASH;
    const before = octets.at(at - 2) === CR ? at - 2 : at - 1;
    return { before, after: octets.lineEnd(behind, octets.size), level, close };
  }

  /** Where a body from `bodyStart` on ends. The line end before a delimiter is the delimiter's, but for the one that ends
   * the header. */
  #endBehind(bodyStart: number): number {
    return Math.max(bodyStart, this.#delimiter?.before ?? this.#octets.size);
  }
}
