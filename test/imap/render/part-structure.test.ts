// The structure of each part, cut out of that of its message, is that of the part alone; and parts are where BODY[…] finds
// them.

import { expect, test } from 'vitest';
import { type Entity, structureOf } from '../../../src/formats/structure.ts';
import { renderBodyStructure } from '../../../src/imap/render/body-structure.ts';
import { decodedStructure, partStructure } from '../../../src/imap/render/part-structure.ts';
import { type Place, partOf } from '../../../src/imap/render/section.ts';
import { goldenPairs } from './golden.ts';

const FORM = { extended: true, rev2: true };

/** Each part by its numbers, found by descending as a client does. */
function* partsOf(root: Entity, numbers: readonly number[] = []): Generator<readonly number[]> {
  for (let n = 1; n < 30; n++) {
    const part = [...numbers, n];
    const place: Place | null = partOf(root, part);
    if (place === null) return;
    yield part;
    if (part.length < 8 && (place.parts !== null || place.message !== null)) yield* partsOf(root, part);
  }
}

test.each(goldenPairs())('$title', ({ message }) => {
  const root = structureOf(message);
  const whole = renderBodyStructure(root, FORM);
  expect(partStructure(whole, [], false)).toBe(whole);
  let parts = 0;
  for (const part of partsOf(root)) {
    // As it was scanned: a place of a structure is an entity.
    const entity = partOf(root, part) as Entity;
    expect(partStructure(whole, part, false)).toBe(renderBodyStructure(entity, FORM));
    expect(partStructure(whole, part, true)).toBe(entity.message && renderBodyStructure(entity.message, FORM));
    parts += 1;
  }
  expect(parts).toBeGreaterThan(0);
  expect(partStructure(whole, [99], false)).toBeNull();
});

test('strings of any kind are passed over whole', () => {
  const part = '("text" "plain" ("name" "a)\\"(b\\\\" "x" {5}\r\n)("( "y" "z") NIL NIL "base64" 8 1 NIL NIL NIL NIL)';
  const whole = `(${part}${part.replace('"plain"', '"html"')} "mixed" ("boundary" "x") NIL NIL NIL)`;
  expect(partStructure(whole, [1], false)).toBe(part);
  expect(decodedStructure(part, '7bit', 5)).toBe(part.replace('"base64" 8 1', '"7bit" 5 0'));
});
