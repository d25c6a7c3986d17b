// How long something takes, and what of it the server spends: the client shares the machine with it.

import { cpuSeconds } from './process-tree.ts';
import type { LoadedServer } from './server.ts';
import { median, round } from './statistics.ts';

export interface Timed<T> {
  readonly ms: number;
  readonly serverCpuMs: number;
  readonly result: T;
}

export async function timed<T>(server: LoadedServer, work: () => Promise<T>): Promise<Timed<T>> {
  const pids = await server.pids();
  const cpu = cpuSeconds(pids);
  const begun = performance.now();
  const result = await work();
  const ms = performance.now() - begun;
  return { ms: round(ms), serverCpuMs: round((cpuSeconds(pids) - cpu) * 1000, 0), result };
}

/** Runs that do not count: what a server is once it runs, as with the loads of mail. */
const WARMING = 5;

/** The same several times, once it has been done often: the median, and what each run gave. */
export async function timedOften<T>(
  server: LoadedServer,
  times: number,
  work: () => Promise<T>,
): Promise<Timed<T[]> & { readonly all: readonly number[] }> {
  for (let run = 0; run < WARMING; run++) await work();
  const runs: Timed<T>[] = [];
  for (let run = 0; run < times; run++) runs.push(await timed(server, work));
  const all = runs.map(({ ms }) => ms);
  const serverCpuMs = round(median(runs.map((run) => run.serverCpuMs)), 0);
  return { ms: median(all), serverCpuMs, all, result: runs.map(({ result }) => result) };
}
