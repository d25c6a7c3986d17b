import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/fsync/*.fsync.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 120_000,
  },
});
