// A run of the IMAP fuzzer.

import { expect, test } from 'vitest';
import { fuzzImap } from './imap.ts';
import { MOST_GROWTH } from './occupied.ts';
import { mutantsOf, SEED } from './plan.ts';

const MUTANTS = mutantsOf('imap');

test('every mutant is survived in step, in bounded memory', { timeout: 120_000 + 40 * MUTANTS }, async () => {
  const result = await fuzzImap(SEED, MUTANTS);
  console.info(`imap fuzz, seed ${SEED}:`, result);
  expect(result.alive + result.closed).toBe(MUTANTS);
  expect(result.alive).toBeGreaterThan(MUTANTS / 4);
  expect(result.growth).toBeLessThan(MOST_GROWTH);
});
