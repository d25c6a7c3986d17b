// The structure of messages: generated ones octet for octet, whatever the window; bounds; work that does not multiply.

import { describe, expect, test } from 'vitest';
import { OctetWindow } from '../../src/formats/octet-window.ts';
import { type Entity, STRUCTURE_LIMITS, scanStructure, structureOf } from '../../src/formats/structure.ts';
import { Random } from '../fuzz/random.ts';
import { type Made, MessageMaker } from './made-message.ts';

const SEEDS = Array.from({ length: 150 }, (_, seed) => seed);

const generated = (seed: number): Made => new MessageMaker(new Random(seed), { depth: 4, messages: true }).message();

function compare(octets: Buffer, entity: Entity, made: Made): void {
  const { mime } = entity;
  expect(`${mime.type}/${mime.subtype}`).toBe(made.type);
  expect(octets.subarray(entity.start, entity.bodyStart).equals(made.header)).toBe(true);
  expect(octets.subarray(entity.bodyStart, entity.end).equals(made.body)).toBe(true);
  const counted = mime.type === 'text' || made.message !== null;
  expect(entity.lines).toBe(counted ? made.body.toString('latin1').split('\n').length - 1 : 0);
  expect(entity.parts?.length).toBe(made.parts?.length);
  for (const [i, part] of (made.parts ?? []).entries()) compare(octets, entity.parts?.[i] as Entity, part);
  expect(entity.message === null).toBe(made.message === null);
  if (made.message !== null && entity.message !== null) compare(octets, entity.message, made.message);
}

describe('generated messages', () => {
  test.each(SEEDS)('seed %i', (seed) => {
    const made = generated(seed);
    compare(made.octets, structureOf(made.octets), made);
  });

  test('a window of any size finds the same', () => {
    for (const seed of SEEDS.slice(0, 40)) {
      const { octets } = generated(seed);
      const whole = structureOf(octets);
      for (const window of [1, 2, 3, 7, 64, 1000]) {
        const read = (offset: number, length: number): Buffer => octets.subarray(offset, offset + length);
        expect(places(scanStructure(read, octets.length, window))).toEqual(places(whole));
      }
    }
  });
});

/** What of a structure can be compared. */
function places({ start, bodyStart, end, lines, mime, parts, message }: Entity): unknown {
  const inside = parts?.map(places) ?? (message === null ? null : places(message));
  return { start, bodyStart, end, lines, type: `${mime.type}/${mime.subtype}`, inside };
}

test('a message/global is a message, unless it is encoded (RFC 6532 §3.5)', () => {
  const of = (encoding: string) =>
    structureOf(
      Buffer.from(
        `Content-Type: message/global\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\nSubject: \u00fc\r\n\r\nx\r\n`,
      ),
    ).message;
  for (const encoding of ['7bit', '8bit', 'binary']) expect(of(encoding)).not.toBeNull();
  for (const encoding of ['base64', 'quoted-printable']) expect(of(encoding)).toBeNull();
});

describe('bounds', () => {
  /** One in another, with all that comes with it. */
  const nested = (depth: number, wrap: (inner: string, level: number) => string): Entity => {
    let text = 'Subject: core\r\n\r\nx';
    for (let level = depth; level > 0; level -= 1) text = wrap(text, level);
    return structureOf(Buffer.from(text));
  };

  const depthOf = (entity: Entity): number => {
    const inner = entity.parts?.[0] ?? entity.message;
    return inner === undefined || inner === null ? 0 : 1 + depthOf(inner);
  };

  test('multiparts inside each other', () => {
    const entity = nested(
      200,
      (inner, level) => `Content-Type: multipart/mixed; boundary=b${level}.\r\n\r\n--b${level}.\r\n${inner}`,
    );
    expect(depthOf(entity)).toBe(STRUCTURE_LIMITS.depth);
  });

  test('messages inside each other', () => {
    expect(depthOf(nested(200, (inner) => `Content-Type: message/rfc822\r\n\r\n${inner}`))).toBe(
      STRUCTURE_LIMITS.depth,
    );
  });

  test('parts: the last one has all the rest', () => {
    const text = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(3000)}`;
    const { parts } = structureOf(Buffer.from(text));
    expect(parts).toHaveLength(STRUCTURE_LIMITS.parts);
    expect(parts?.at(-1)?.end).toBe(text.length);
  });

  test('a header of any length is passed over, and read to the limit', () => {
    const text = `Subject: first\r\n${'X-Filler: y\r\n'.repeat(100_000)}Content-Type: text/html\r\n\r\nbody`;
    const { bodyStart, end, fields, mime } = structureOf(Buffer.from(text));
    expect([bodyStart, end]).toEqual([text.length - 4, text.length]);
    expect(fields.length).toBeLessThan(STRUCTURE_LIMITS.header / 12);
    expect(mime.subtype).toBe('plain');
  });

  test('lines that nearly are delimiters, of many multiparts at once, take no longer for it', () => {
    const level = (i: number) => `${'a'.repeat(200)}${100 + i}`;
    const heads = Array.from(
      { length: STRUCTURE_LIMITS.depth - 1 },
      (_, i) => `Content-Type: multipart/mixed; boundary=${level(i)}\n\n--${level(i)}\n`,
    );
    const octets = Buffer.from(`${heads.join('')}\n${`--${'a'.repeat(200)}\n`.repeat(80_000)}`);
    const before = process.cpuUsage();
    expect(depthOf(structureOf(octets))).toBe(STRUCTURE_LIMITS.depth - 1);
    // Octet by octet it is eight hundred million comparisons.
    expect(process.cpuUsage(before).user).toBeLessThan(1_500_000);
  });

  test('a body that ends sooner than was said', () => {
    const octets = generated(3).octets;
    const entity = scanStructure((offset, length) => octets.subarray(offset, offset + length), octets.length * 2);
    expect(entity.bodyStart).toBe(structureOf(octets).bodyStart);
  });
});

describe('octets read', () => {
  /** Octets that a scan asks for, for each octet of the message. */
  const readOf = (text: string): number => {
    const octets = Buffer.from(text);
    let read = 0;
    scanStructure(
      (offset, length) => {
        read += length;
        return octets.subarray(offset, offset + length);
      },
      octets.length,
      4096,
    );
    return read / octets.length;
  };

  test.each([
    ['plain text', `\n${'A line of text.\n'.repeat(10_000)}`],
    ['a header without an end', 'A: b\n'.repeat(40_000)],
    ['dashes', `Content-Type: multipart/mixed; boundary=b\n\n${'\n--'.repeat(50_000)}`],
    ['parts', `Content-Type: multipart/mixed; boundary=b\n\n${`--b\n\n${'text\n'.repeat(100)}`.repeat(400)}`],
    [
      'messages in messages, before much else',
      `${'Content-Type: message/rfc822\n\n'.repeat(49)}\n${'x\n'.repeat(60_000)}`,
    ],
    [
      'such messages as parts',
      `Content-Type: multipart/mixed; boundary=b\n\n${`--b\n${'Content-Type: message/rfc822\n\n'.repeat(40)}\n${'x\n'.repeat(3000)}`.repeat(30)}`,
    ],
    [
      'images in multiparts in messages',
      `Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=b\n\n${`--b\nContent-Type: image/gif\n\n${'x\n'.repeat(3000)}`.repeat(30)}`,
    ],
  ])('%s: each octet is read a few times at most', (_, text) => {
    expect(readOf(text)).toBeLessThan(4);
  });
});

test('a window finds what lies across its end', () => {
  const octets = Buffer.from('0123456789\nabc');
  const window = new OctetWindow((offset, length) => octets.subarray(offset, offset + length), octets.length, 3);
  expect(window.indexOf(Buffer.from('2345'), 0, 14)).toBe(2);
  expect(window.indexOf(Buffer.from('2345'), 0, 5)).toBe(-1);
  expect(window.indexOf(Buffer.from('2345'), 3, 14)).toBe(-1);
  expect([window.lineEnd(0, 14), window.lineEnd(11, 14), window.countLines(0, 14)]).toEqual([11, 14, 1]);
  expect([window.at(13), window.at(14), window.at(0)]).toEqual([99, -1, 48]);
  expect(window.text(9, 12)).toBe('9\na');
});

test('a delimiter right behind that of an inner part: what is empty lies inside all the same', () => {
  const text = [
    'Content-Type: multipart/mixed; boundary=outer',
    '',
    '--outer',
    'Content-Type: multipart/mixed; boundary=inner',
    '',
    '--inner',
    '--outer--',
    '',
  ].join('\r\n');
  const inner = structureOf(Buffer.from(text)).parts?.[0];
  const at = text.indexOf('--outer--');
  expect(inner).toMatchObject({ end: at, parts: [{ start: at, bodyStart: at, end: at }] });
});
