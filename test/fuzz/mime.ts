// Mutants of messages through the MIME scanner and what IMAP makes of it: the same structure in whatever pieces it is
// read, offsets that nest, renderings that a client can read, bounded time and size. Seeded; run by mime.test.ts.

import { isDeepStrictEqual } from 'node:util';
import { type Entity, STRUCTURE_LIMITS, scanStructure, structureOf } from '../../src/formats/structure.ts';
import { renderBodyStructure } from '../../src/imap/render/body-structure.ts';
import { renderEnvelope } from '../../src/imap/render/envelope.ts';
import type { Place } from '../../src/imap/render/section.ts';
import { derive, Summary } from '../../src/imap/render/summary.ts';
import { bodyFacts } from '../../src/store/facts.ts';
import { MessageMaker } from '../formats/made-message.ts';
import { goldenPairs } from '../imap/render/golden.ts';
import { readBody, readEnvelope, type SeenPart } from './imap-response.ts';
import { occupied } from './occupied.ts';
import { mutate, Random } from './random.ts';

const WORDS = [
  'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n',
  'Content-Type: multipart/digest; boundary="b"\r\n',
  'Content-Type: message/rfc822\r\n\r\n',
  'Content-Type: text/html; charset*0*=utf-8; charset*1=x\r\n',
  'Content-Disposition: attachment; filename*=utf-8\'\'%C3%A9; filename="\\"\r\n',
  'Content-Language: en, de\r\n',
  'From: a, b: c <@d,@e:f@g>, (h) i;, j:;\r\n',
  '\r\n--b--\r\n',
  '\r\n--b',
  '--b\r\n\r\n',
  '\n\n',
  '\r\n ',
  ';a=b',
  ',x',
  '=?utf-8?B?w6k=?=',
].map((word) => Buffer.from(word));

/** What a mutant may cost: a fixed part, and a part for each of its octets. Measured are 0.1 ms and 0.05 µs. */
const MOST_TIME = { ms: 20, msPerOctet: 0.005 } as const;
/** Times that a mutant is measured until it counts as slow: on a busy machine any may have waited. */
const TRIES = 5;
/** Octets of a summary. Of a small message: `a,` is two octets and three addresses of an envelope, `--b` and a line end
 * are a part with all its fields. Of a large one: what is shown is a few times what is there. */
const MOST_OCTETS = [
  { fixed: 2_000, perOctet: 60 },
  { fixed: 3_000_000, perOctet: 7 },
] as const;

export interface FuzzResult {
  readonly mutants: number;
  /** Those of more than one part: most are, or little is tried. */
  readonly composed: number;
  /** Octets of heap and buffers at the end, less those after the first tenth; both after garbage collection. */
  readonly growth: number;
}

/** @throws Error that names the mutant with which something was wrong */
export async function fuzzMime(seed: number, mutants: number): Promise<FuzzResult> {
  const corpus = goldenPairs().map(({ message }) => message);
  const random = new Random(seed);
  let composed = 0;
  let early = 0;
  for (let count = 0; count < mutants; count++) {
    const valid = random.once(2)
      ? random.pick(corpus)
      : new MessageMaker(random, { depth: random.between(1, 4), messages: true }).message().octets;
    const mutant = mutate(random, valid, WORDS);
    try {
      const { parts, message } = checkStructure(mutant, random);
      if (parts !== null || message !== null) composed++;
      checkSummary(mutant);
    } catch (error) {
      throw new Error(`seed ${seed}, mutant ${count}: ${JSON.stringify(mutant.toString('latin1'))}`, { cause: error });
    }
    if (count === Math.floor(mutants / 10)) early = await occupied();
  }
  return { mutants, composed, growth: (await occupied()) - early };
}

/** Its structure, read at once and in pieces. @throws Error */
export function checkStructure(octets: Buffer, random: Random): Entity {
  const whole = structureOf(octets);
  const window = random.pick([random.between(1, 16), random.between(1, Math.max(1, octets.length))]);
  const read = (offset: number, length: number) => octets.subarray(offset, offset + length);
  same(`in pieces of ${window}`, comparable(scanStructure(read, octets.length, window)), comparable(whole));
  same('its header', bodyFacts(octets).headerSize, whole.bodyStart);
  same('where it begins and ends', [whole.start, whole.end], [0, octets.length]);
  const size = { parts: 0, depth: 0 };
  checkPlaces(octets, whole, 0, size);
  if (size.parts > STRUCTURE_LIMITS.parts) throw new Error(`${size.parts} parts`);
  if (size.depth > STRUCTURE_LIMITS.depth) throw new Error(`${size.depth} deep`);
  return whole;
}

function comparable({ parts, message, ...rest }: Entity): unknown {
  const fields = 'fields' in rest ? (rest.fields as { name: string; offset: number; length: number }[]) : [];
  return {
    ...rest,
    fields: fields.map(({ name, offset, length }) => [name, offset, length]),
    parts: parts?.map(comparable) ?? null,
    message: message && comparable(message),
  };
}

/** Each entity lies in the one around it, behind the one before it. */
function checkPlaces(octets: Buffer, entity: Entity, depth: number, size: { parts: number; depth: number }): void {
  const { start, bodyStart, end, parts, message, lines, mime } = entity;
  size.depth = Math.max(size.depth, depth);
  if (!(start <= bodyStart && bodyStart <= end)) throw new Error(`out of order: ${start} ${bodyStart} ${end}`);
  const counted = mime.type === 'text' || message !== null;
  if (counted) same('lines', lines, octets.subarray(bodyStart, end).toString('latin1').split('\n').length - 1);
  let at = bodyStart;
  for (const part of parts ?? []) {
    size.parts += 1;
    if (part.start < at || part.end > end) throw new Error(`a part outside: ${part.start} to ${part.end}`);
    checkPlaces(octets, part, depth + 1, size);
    at = part.end;
  }
  if (message === null) return;
  same('a message', [message.start, message.end], [bodyStart, end]);
  checkPlaces(octets, message, depth + 1, size);
}

/** What is stored of it, and sent. @throws Error */
export function checkSummary(octets: Buffer): void {
  const blob = timed(octets);
  if (MOST_OCTETS.some(({ fixed, perOctet }) => blob.length > fixed + perOctet * octets.length)) {
    throw new Error(`${blob.length} octets of ${octets.length}`);
  }
  const whole = structureOf(octets);
  const summary = new Summary(blob);
  const { envelope, headerSize, root } = summary;
  same('the header in the summary', headerSize, whole.bodyStart);
  same('the places in the summary', root, placeOf(whole));
  same('the envelope in the summary', envelope, renderEnvelope(whole.fields));
  same(
    'the structure in the summary',
    summary.bodyStructure(false),
    renderBodyStructure(whole, { extended: true, rev2: false }),
  );
  readEnvelope(envelope);
  const seen = seenOf(whole, false);
  same('BODY', readBody(summary.body(false), false), seen);
  same('BODYSTRUCTURE', readBody(summary.bodyStructure(false), true), seen);
  same('BODY of IMAP4rev2', readBody(summary.body(true), false, true), seenOf(whole, true));
  same('BODYSTRUCTURE of IMAP4rev2', readBody(summary.bodyStructure(true), true, true), seenOf(whole, true));
}

/** Derives a summary, in the time that it may take. @throws Error */
function timed(octets: Buffer): Uint8Array {
  const most = MOST_TIME.ms + MOST_TIME.msPerOctet * octets.length;
  let best = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES; tries++) {
    const started = performance.now();
    const blob = derive((offset, length) => octets.subarray(offset, offset + length), octets.length);
    best = Math.min(best, performance.now() - started);
    if (best <= most) return blob;
  }
  throw new Error(`${best} ms for ${octets.length} octets`);
}

function placeOf({ start, bodyStart, end, parts, message }: Place): Place {
  return { start, bodyStart, end, parts: parts?.map(placeOf) ?? null, message: message && placeOf(message) };
}

/** What a client must see of an entity. */
function seenOf({ mime, bodyStart, end, lines, parts, message }: Entity, rev2: boolean): SeenPart {
  const { type, subtype } = mime;
  if (parts !== null)
    return { type, subtype, octets: null, lines: null, parts: parts.map((part) => seenOf(part, rev2)), message: null };
  const shown = subtype === 'global' && !rev2 ? null : message;
  const counted = type === 'text' || shown !== null;
  const inside = shown && seenOf(shown, rev2);
  return { type, subtype, octets: end - bodyStart, lines: counted ? lines : null, parts: [], message: inside };
}

function same(what: string, found: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(found, wanted)) return;
  throw new Error(`${what}: ${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
}
