import { defineConfig } from 'vitest/config';

/** A minute of mutants on two cores; FUZZ_MUTANTS makes it longer, FUZZ_SEED another. */
const MINUTE = '36000';

export default defineConfig({
  test: {
    include: ['test/fuzz/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    env: { FUZZ_MUTANTS: process.env.FUZZ_MUTANTS ?? MINUTE },
  },
});
