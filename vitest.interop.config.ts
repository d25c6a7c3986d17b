import { defineConfig } from 'vitest/config';
import { ProgramTable } from './test/interop/table.ts';

/** Where a machine wants to read the results as JSON. */
const results = process.env.INTEROP_RESULTS;

export default defineConfig({
  test: {
    include: ['test/interop/*.interop.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // The machine may be busy: a poll ends when what it waits for is there.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default', ...(results ? [['json', { outputFile: results }] as const] : []), new ProgramTable()],
  },
});
