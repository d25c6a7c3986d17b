import { defineConfig } from 'vitest/config';
import { ProgramTable } from './test/interop/table.ts';

/** Where a machine wants to read the results as JSON. */
const results = process.env.INTEROP_RESULTS;

export default defineConfig({
  test: {
    include: ['test/interop/*.interop.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // The machine may be slow, and busy: whatever waits ends when what it waits for is there. These are for what hangs.
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', ...(results ? [['json', { outputFile: results }] as const] : []), new ProgramTable()],
  },
});
