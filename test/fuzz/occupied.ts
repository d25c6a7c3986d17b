// What this thread holds when nothing is garbage any more: how the fuzzers see that nothing grows with their mutants.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What a run may grow by from its first tenth to its end, octets. */
export const MOST_GROWTH = 20 * 1024 * 1024;

/** Heap and buffers in use, octets. */
export async function occupied(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // V8 gives the function to a context made under that flag.
  for (let time = 0; time < 3; time++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
