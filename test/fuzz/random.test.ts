// The fuzzers' generator: it repeats, it spreads, and its mutants stay bounded.

import { expect, test } from 'vitest';
import { mutate, Random } from './random.ts';

test('one seed, one sequence', () => {
  const draw = (seed: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 5 }, () => random.next());
  };
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test('numbers spread over their range', () => {
  const random = new Random(7);
  const counts = new Array<number>(10).fill(0);
  for (let n = 0; n < 10_000; n++) {
    const drawn = random.below(10);
    counts[drawn] = (counts[drawn] ?? 0) + 1;
  }
  for (const count of counts) expect(count).toBeGreaterThan(850);
});

test('mutants differ, repeat, and stay bounded', () => {
  const valid = Buffer.from('a1 FETCH 1:* (FLAGS BODY.PEEK[HEADER])\r\n');
  const mutants = (): Buffer[] => {
    const random = new Random(42);
    return Array.from({ length: 2000 }, () => mutate(random, valid, [Buffer.from('NIL')]));
  };
  const first = mutants();
  expect(first).toEqual(mutants());
  expect(first.filter((mutant) => !mutant.equals(valid)).length).toBeGreaterThan(1900);
  expect(Math.max(...first.map((mutant) => mutant.length))).toBeLessThan(valid.length + 4 * 51 * 64);
  expect(mutate(new Random(1), Buffer.alloc(0))).toBeInstanceOf(Buffer);
});

test('pieces are the whole', () => {
  const random = new Random(3);
  for (let n = 0; n < 200; n++) {
    const octets = random.bytes(random.below(100));
    expect(Buffer.concat(random.pieces(octets))).toEqual(octets);
  }
});
