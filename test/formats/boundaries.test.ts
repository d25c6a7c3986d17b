// Which of the boundaries around it a line begins with.

import { expect, test } from 'vitest';
import { Boundaries } from '../../src/formats/boundaries.ts';

function boundariesOf(...all: string[]): Boundaries {
  const boundaries = new Boundaries();
  for (const boundary of all) boundaries.push(boundary);
  return boundaries;
}

function startOf(boundaries: Boundaries, line: string) {
  return boundaries.startOf((place) => (place < line.length ? line.charCodeAt(place) : -1));
}

test('the longest that fits is meant, and of the same the inner one', () => {
  const boundaries = boundariesOf('a', 'abc', 'ab', 'abc');
  expect(startOf(boundaries, '--a')).toEqual({ level: 0, length: 3 });
  expect(startOf(boundaries, '--abx')).toEqual({ level: 2, length: 4 });
  expect(startOf(boundaries, '--abc--')).toEqual({ level: 3, length: 5 });
  expect(startOf(boundaries, '--xabc')).toBeNull();
  expect(startOf(boundaries, '-abc')).toBeNull();
  expect(startOf(boundaries, '--')).toBeNull();
  expect(startOf(boundariesOf(), '--')).toBeNull();
});

test('what is left is known no more, and what is left of others stays', () => {
  const boundaries = boundariesOf('a', 'abc', 'ab', 'abc');
  boundaries.leave(3);
  expect(startOf(boundaries, '--abc')).toEqual({ level: 1, length: 5 });
  boundaries.leave(2);
  expect(startOf(boundaries, '--ab')).toEqual({ level: 0, length: 3 });
  expect(startOf(boundaries, '--abc')).toEqual({ level: 1, length: 5 });
  boundaries.leave(1);
  expect(startOf(boundaries, '--abc')).toEqual({ level: 0, length: 3 });
  expect(boundaries.push('abcd')).toBe(1);
  expect(startOf(boundaries, '--abcd')).toEqual({ level: 1, length: 6 });
  boundaries.leave(0);
  expect(boundaries.length).toBe(0);
  expect(startOf(boundaries, '--a')).toBeNull();
});

test('a line is looked at once, however many there are', () => {
  const boundaries = boundariesOf(...Array.from({ length: 50 }, (_, at) => `${'b'.repeat(60)}${at}`));
  const line = `--${'b'.repeat(60)}`;
  let looked = 0;
  const found = boundaries.startOf((place) => {
    looked += 1;
    return place < line.length ? line.charCodeAt(place) : -1;
  });
  expect(found).toBeNull();
  expect(looked).toBeLessThanOrEqual(line.length + 1);
});
