// Starts a thread on a module of ours.

import { type Transferable, Worker } from 'node:worker_threads';

export interface ThreadOptions {
  /** Shown by debuggers and in traces. */
  readonly name: string;
  /** A clone of it is the thread's `workerData`. */
  readonly data: unknown;
  readonly transfer: readonly Transferable[];
}

/** MiB that a thread's young objects take at most: ours have little in hand at a time, and V8 gives back none of it. */
const YOUNG = 6;

/** @param entry the module to run, as a URL */
export function startThread(entry: URL, { name, data, transfer }: ThreadOptions): Worker {
  return new Worker(new URL('./thread.js', import.meta.url), {
    name,
    argv: [entry.href],
    workerData: data,
    transferList: [...transfer],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG },
  });
}
