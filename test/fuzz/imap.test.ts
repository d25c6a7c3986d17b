// A short run of the IMAP fuzzer. FUZZ_MUTANTS and FUZZ_SEED make it longer or another.

import { expect, test } from 'vitest';
import { fuzzImap } from './imap.ts';

const MUTANTS = Number(process.env.FUZZ_MUTANTS ?? 1_500);
const SEED = Number(process.env.FUZZ_SEED ?? 2);

test('every mutant is survived in step, in bounded memory', { timeout: 30_000 + 40 * MUTANTS }, async () => {
  const result = await fuzzImap(SEED, MUTANTS);
  console.info(`imap fuzz, seed ${SEED}:`, result);
  expect(result.alive + result.closed).toBe(MUTANTS);
  expect(result.alive).toBeGreaterThan(MUTANTS / 4);
  expect(result.growth).toBeLessThan(20 * 1024 * 1024);
});
