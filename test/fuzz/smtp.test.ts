// A run of the SMTP fuzzer.

import { expect, test } from 'vitest';
import { MOST_GROWTH } from './occupied.ts';
import { mutantsOf, SEED } from './plan.ts';
import { fuzzSmtp } from './smtp.ts';

const MUTANTS = mutantsOf('smtp');

test('every mutant is survived in step, in bounded memory', { timeout: 120_000 + 20 * MUTANTS }, async () => {
  const result = await fuzzSmtp(SEED, MUTANTS);
  console.info(`smtp fuzz, seed ${SEED}:`, result);
  expect(result.alive + result.closed).toBe(MUTANTS);
  expect(result.alive).toBeGreaterThan(MUTANTS / 4);
  expect(result.growth).toBeLessThan(MOST_GROWTH);
});
