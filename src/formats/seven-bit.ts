// A message made 7-bit (RFC 6152 §3), or at least without NUL (RFC 3516 §4.4): each part that has what must not be is
// encoded, its label and those of the multiparts around it are put right (RFC 2045 §6.4), and all else stays as it is.
// In one pass, a part's first octets in memory. What is signed or encrypted is left alone (RFC 1847 §2.1), and so is
// what an encoding was said of.

import { Boundaries, type BoundaryFound } from './boundaries.ts';
import { labelled } from './encoding-label.ts';
import { HeaderBlock, type HeaderField, parseHeader } from './header.ts';
import { LinePieces } from './line-pieces.ts';
import { type MimeFacts, mimeFacts } from './mime-facts.ts';
import { isSevenBitData } from './seven-bit-data.ts';
import { type SevenBitEncoding, type TransferEncoder, transferEncoder } from './transfer-encoder.ts';

/** Bounds of what is taken apart; what lies beyond them stays as it is. */
const LIMITS = {
  /** Multiparts and messages inside each other. */
  depth: 50,
  /** Octets of one header of a part. */
  header: 256 * 1024,
  /** Octets at the start of a part by which it is judged. */
  judged: 64 * 1024,
} as const;

export interface SevenBitOptions {
  /** Only parts with NUL are encoded, and long ones that are labelled `binary`, whose end cannot be seen in time. */
  readonly onlyNul?: true;
  /** What unlabelled 8-bit text is: RFC 1428 §3 has `unknown-8bit` for what nobody can know. */
  readonly charset: 'utf-8' | 'unknown-8bit';
  /** Do multiparts end as 7-bit? Not if one of them holds what is left alone. */
  readonly relabel: boolean;
}

/** What a part is by default (RFC 2046 §5.1.5). */
type Otherwise = 'text/plain' | 'message/rfc822';

/** A part whose first octets are gathered until it is clear what becomes of it. */
interface Judged {
  readonly header: Buffer;
  readonly fields: readonly HeaderField[];
  readonly mime: MimeFacts;
  readonly outermost: boolean;
  pieces: Buffer[];
  size: number;
}

const LABELS_OF_RAW: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary']);

export class SevenBitConversion {
  readonly #options: SevenBitOptions;
  readonly #lines = new LinePieces();
  /** Of the multiparts that we are inside of, and what the parts of each are by default. */
  readonly #boundaries = new Boundaries();
  readonly #otherwises: Otherwise[] = [];
  #depth = 0;
  /** What lines are now: of a header, of a part being judged, of one being encoded, or of no interest. */
  #header: HeaderBlock | null = new HeaderBlock(LIMITS.header);
  #outermost = true;
  #otherwise: Otherwise = 'text/plain';
  #judged: Judged | null = null;
  #encoder: TransferEncoder | null = null;
  #encodes: SevenBitEncoding | null = null;
  /** The line end of the last line, which belongs to a delimiter if one follows. */
  #lineEnd: Buffer = Buffer.alloc(0);
  /** What is to be encoded, gathered over the lines of a piece. */
  #content: Buffer[] = [];
  #out: Uint8Array[] = [];

  constructor(options: SevenBitOptions) {
    this.#options = options;
  }

  push(octets: Uint8Array): Uint8Array {
    for (const { octets: line, begins } of this.#lines.push(octets)) this.#take(line, begins);
    return this.#taken();
  }

  end(): Uint8Array {
    for (const { octets: line, begins } of this.#lines.end()) this.#take(line, begins);
    if (this.#header !== null) this.#out.push(this.#header.bytes);
    this.#header = null;
    this.#finishPart(true);
    return this.#taken();
  }

  #taken(): Uint8Array {
    this.#encodeContent();
    // A view would take the whole of its memory along.
    this.#lineEnd = Buffer.from(this.#lineEnd);
    const all = Buffer.concat(this.#out);
    this.#out = [];
    return all;
  }

  #take(line: Buffer, begins: boolean): void {
    const delimiter = begins ? this.#boundaries.startOf((place) => line[place] ?? -1) : null;
    if (delimiter !== null) this.#delimiter(line, delimiter);
    else if (this.#header !== null) this.#headerLine(line);
    else if (this.#judged !== null) this.#judge(line);
    else if (this.#encoder !== null) this.#encode(line);
    else this.#out.push(line);
  }

  #delimiter(line: Buffer, { level, length: behind }: BoundaryFound): void {
    // A header that a delimiter ends has no body behind it.
    if (this.#header !== null) this.#out.push(this.#header.bytes);
    this.#header = null;
    this.#finishPart(false);
    this.#out.push(line);
    const closes = line[behind] === 45 && line[behind + 1] === 45;
    this.#boundaries.leave(closes ? level : level + 1);
    this.#depth = this.#boundaries.length;
    if (closes) return;
    this.#header = new HeaderBlock(LIMITS.header);
    this.#otherwise = this.#otherwises[level] ?? 'text/plain';
  }

  #headerLine(line: Buffer): void {
    const block = this.#header;
    if (block === null) return;
    const complete = block.push(line);
    if (!complete && !block.overflow) return;
    this.#header = null;
    const header = Buffer.from(block.bytes);
    if (block.overflow) {
      this.#out.push(header, line);
      return;
    }
    const outermost = this.#outermost;
    this.#outermost = false;
    this.#entity(header, outermost);
  }

  /** What becomes of a part, by its header. */
  #entity(header: Buffer, outermost: boolean): void {
    const fields = parseHeader(header);
    const mime = mimeFacts(fields, this.#otherwise);
    const { type, subtype, boundary, encoding } = mime;
    const raw = LABELS_OF_RAW.has(encoding);
    const composite = type === 'multipart' || (type === 'message' && subtype === 'rfc822');
    if (!raw || (type === 'multipart' && (subtype === 'signed' || subtype === 'encrypted'))) {
      this.#out.push(header);
    } else if (composite && this.#depth < LIMITS.depth && (type === 'message' || boundary !== null)) {
      const relabel = this.#options.relabel && encoding !== '7bit';
      this.#out.push(relabel ? labelled(header, fields, '7bit', []) : header);
      this.#depth += 1;
      if (boundary === null) {
        this.#header = new HeaderBlock(LIMITS.header);
        this.#otherwise = 'text/plain';
        return;
      }
      this.#otherwises[this.#boundaries.push(boundary)] = subtype === 'digest' ? 'message/rfc822' : 'text/plain';
    } else if (composite || (type === 'message' && subtype !== 'global')) {
      // RFC 2046 §5.2: other messages may not be encoded.
      this.#out.push(header);
    } else {
      this.#judged = { header, fields, mime, outermost, pieces: [], size: 0 };
    }
  }

  #judge(line: Buffer): void {
    const judged = this.#judged;
    if (judged === null) return;
    judged.pieces.push(line);
    judged.size += line.length;
    if (judged.size >= LIMITS.judged) this.#decide(judged, false);
  }

  /** @param whole the part is over: nothing of it is unknown */
  #decide(judged: Judged, whole: boolean): void {
    this.#judged = null;
    const { header, fields, mime } = judged;
    const body = Buffer.concat(judged.pieces, judged.size);
    if (this.#options.onlyNul && !body.includes(0) && (whole || mime.encoding !== 'binary')) {
      this.#out.push(header, body);
      return;
    }
    const passes = isSevenBitData(body);
    const said = mime.encoding !== '7bit';
    if (passes && !this.#options.onlyNul && (!said || (whole && mime.encoding === '8bit'))) {
      this.#out.push(said ? labelled(header, fields, '7bit', []) : header, body);
      return;
    }
    // Quoted-printable is for lines, and would make some of what only looks like one.
    const lines = !this.#options.onlyNul && mime.type === 'text' && !isDense(body);
    const encoding = lines ? 'quoted-printable' : 'base64';
    this.#out.push(labelled(header, fields, encoding, this.#missing(fields, judged.outermost)));
    this.#encodes = encoding;
    this.#encoder = transferEncoder(encoding);
    this.#encode(body);
  }

  /** Without MIME-Version nobody reads a label (RFC 2045 §4), and without a charset nobody reads the text. */
  #missing(fields: readonly HeaderField[], outermost: boolean): readonly string[] {
    const missing: string[] = [];
    if (outermost && !fields.some((field) => field.is('mime-version'))) missing.push('MIME-Version: 1.0\r\n');
    if (!fields.some((field) => field.is('content-type'))) {
      missing.push(`Content-Type: text/plain; charset=${this.#options.charset}\r\n`);
    }
    return missing;
  }

  #encode(octets: Buffer): void {
    const { length } = octets;
    const end = octets[length - 1] === 10 ? (octets[length - 2] === 13 ? 2 : 1) : 0;
    this.#content.push(this.#lineEnd, octets.subarray(0, length - end));
    this.#lineEnd = octets.subarray(length - end);
  }

  #encodeContent(): void {
    if (this.#encoder === null || this.#content.length === 0) return;
    this.#out.push(this.#encoder.encode(Buffer.concat(this.#content)));
    this.#content = [];
  }

  /** @param last the message ends here, and no delimiter follows to which the last line end would belong */
  #finishPart(last: boolean): void {
    if (this.#judged !== null) this.#decide(this.#judged, true);
    const encoder = this.#encoder;
    if (encoder === null) return;
    const lineEnd = this.#lineEnd;
    // Of text the last line end is one; encoded, it would be content like any other.
    if (last && this.#encodes === 'base64') this.#content.push(lineEnd);
    this.#encodeContent();
    this.#out.push(encoder.end());
    if (lineEnd.length > 0) this.#out.push(Buffer.from('\r\n'));
    this.#encoder = null;
    this.#lineEnd = Buffer.alloc(0);
  }
}

/** So many octets are 8-bit that quoted-printable would be longer than base64, and nobody could read it. */
function isDense(octets: Buffer): boolean {
  let eightBit = 0;
  for (const octet of octets) if (octet > 127) eightBit += 1;
  return eightBit > octets.length / 3;
}
