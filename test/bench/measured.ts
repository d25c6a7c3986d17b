// What was measured of one server, over its rounds, and how it is shown as JSON.

import type { Figures } from './figures.ts';
import { median } from './statistics.ts';
import type { SyncFigures } from './syncs.ts';

export interface Measured {
  readonly server: string;
  readonly version: string;
  /** null: the works have looked at that themselves. */
  readonly syncs: SyncFigures | null;
  readonly rounds: ReadonlyMap<string, readonly Figures[]>;
}

/** Several records of one server as one. */
export function joined(records: readonly Measured[]): Measured {
  const [first] = records;
  if (!first) throw new Error('nothing was measured');
  const all = new Map<string, Figures[]>();
  for (const each of records) {
    for (const [name, figures] of each.rounds) all.set(name, [...(all.get(name) ?? []), ...figures]);
  }
  // The worst round speaks for the server.
  const syncs = records
    .flatMap((each) => each.syncs ?? [])
    .reduce<SyncFigures | null>((worst, each) => (worst && worst.syncs <= each.syncs ? worst : each), null);
  return { ...first, syncs, rounds: all };
}

export const report = (figures: Measured): unknown => ({
  server: figures.server,
  version: figures.version,
  ...(figures.syncs && { syncs: figures.syncs }),
  works: Object.fromEntries(
    [...figures.rounds].map(([name, results]) => [
      name,
      {
        medians: Object.fromEntries(
          Object.keys(results[0]?.values ?? {}).map((key) => [
            key,
            median(results.map((each) => each.values[key] ?? Number.NaN)),
          ]),
        ),
        unsound: results.flatMap((each) => each.unsound),
        rounds: results.map((each) => each.details),
      },
    ]),
  ),
});
