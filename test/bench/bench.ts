// `npm run bench`: measures the real program and prints figures as JSON; with `--peer` the same loads run against Postfix
// and Dovecot in turn, and a table of medians and ratios follows. A ratio stands only on sound runs of both.
//
//   npm run bench -- [--peer] [--quick] [--sign] [--rounds 3] [--only inbound,relay]
//
// With `--sign` Postern signs by DKIM what it relays; the peer, which has no signer of its own, does not.

import { parseArgs } from 'node:util';
import { type Figures, works } from './figures.ts';
import { startPeer } from './peer.ts';
import { startPostern } from './postern.ts';
import { Receivers } from './receivers.ts';
import type { LoadedServer } from './server.ts';
import { median } from './statistics.ts';
import { countSyncs } from './syncs.ts';
import { type Measured, tableOf } from './table.ts';

const { values: options } = parseArgs({
  options: {
    peer: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    sign: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
  },
});
const rounds = Number(options.rounds ?? (options.peer && !options.quick ? 3 : 1));
const chosen = works.filter((work) => options.only === undefined || options.only.split(',').includes(work.name));

async function record(start: (receivers: Receivers) => Promise<LoadedServer>): Promise<Measured> {
  await using server = await start(receivers);
  const figures = new Map<string, Figures[]>();
  for (const work of chosen) {
    const result = await work.run(server, receivers, options.quick);
    figures.set(work.name, [result]);
    console.error(`${server.name}: ${work.name} ${JSON.stringify(result.values)} ${result.unsound.join(', ')}`);
  }
  const syncs = await countSyncs(server);
  return { server: server.name, version: server.version, syncs, rounds: figures };
}

function joined(records: readonly Measured[]): Measured {
  const [first] = records;
  if (!first) throw new Error('nothing was measured');
  const all = new Map<string, Figures[]>();
  for (const each of records) {
    for (const [name, figures] of each.rounds) all.set(name, [...(all.get(name) ?? []), ...figures]);
  }
  // The worst round speaks for the server.
  const syncs = records.map((each) => each.syncs).reduce((worst, each) => (each.syncs < worst.syncs ? each : worst));
  return { ...first, syncs, rounds: all };
}

const report = (figures: Measured): unknown => ({
  server: figures.server,
  version: figures.version,
  syncs: figures.syncs,
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

await using receivers = await Receivers.open();
const ours: Measured[] = [];
const theirs: Measured[] = [];
for (let round = 0; round < rounds; round++) {
  ours.push(await record(({ routes }) => startPostern(routes, options.sign)));
  if (options.peer) theirs.push(await record(({ routes }) => startPeer(routes)));
}
const postern = joined(ours);
console.log(JSON.stringify(report(postern)));
if (options.peer) {
  const peer = joined(theirs);
  console.log(JSON.stringify(report(peer)));
  const { text, reached } = tableOf(postern, peer);
  console.log(`\n${text}`);
  process.exitCode = reached ? 0 : 1;
}
