// A run of the POP3 fuzzer.

import { expect, test } from 'vitest';
import { MOST_GROWTH } from './occupied.ts';
import { mutantsOf, SEED } from './plan.ts';
import { fuzzPop3 } from './pop3.ts';

const MUTANTS = mutantsOf('pop3');

test('every mutant is survived in step, in bounded memory', { timeout: 120_000 + 40 * MUTANTS }, async () => {
  const result = await fuzzPop3(SEED, MUTANTS);
  console.info(`pop3 fuzz, seed ${SEED}:`, result);
  expect(result.alive + result.closed).toBe(MUTANTS);
  expect(result.alive).toBeGreaterThan(MUTANTS / 4);
  expect(result.growth).toBeLessThan(MOST_GROWTH);
});
