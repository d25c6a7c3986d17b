// `npm run bench`: measures the real program and prints figures as JSON; with `--peer` the same loads run against Postfix
// and Dovecot in turn, and a table of medians and ratios follows. A ratio stands only on sound runs of both.
//
//   npm run bench -- [--peer] [--quick] [--sign] [--rounds 3] [--only inbound,relay]
//   npm run bench -- imap [--peer] [--quick] [--rounds 3] [--messages 10000]
//
// With `--sign` Postern signs by DKIM what it relays; the peer, which has no signer of its own, does not.

import { parseArgs } from 'node:util';
import { type Figures, goals, works } from './figures.ts';
import { benchImap } from './imap/bench.ts';
import { joined, type Measured, report } from './measured.ts';
import { startPeer } from './peer.ts';
import { startPostern } from './postern.ts';
import { Receivers } from './receivers.ts';
import type { LoadedServer } from './server.ts';
import { settle } from './settling.ts';
import { countDeliverySyncs } from './syncs.ts';
import { tableOf } from './table.ts';
import { timed } from './timing.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    sign: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    messages: { type: 'string' },
  },
});
const messages = Number(options.messages ?? (options.quick ? 1_000 : 10_000));
const rounds = Number(options.rounds ?? (options.peer && !options.quick ? 3 : 1));
const chosen = works.filter((work) => options.only === undefined || options.only.split(',').includes(work.name));

async function record(receivers: Receivers, start: (receivers: Receivers) => Promise<LoadedServer>): Promise<Measured> {
  await using server = await start(receivers);
  const figures = new Map<string, Figures[]>();
  for (const work of chosen) {
    const { values, unsound, details } = await work.run(server, receivers, options.quick);
    // What a load leaves to be done behind the scenes is told beside it, and is no burden of the next one.
    const { result, serverCpuMs } = await timed(server, () => settle(server));
    const made = { values: { ...values, afterwardsCpuMs: serverCpuMs }, unsound: [...unsound, ...result], details };
    figures.set(work.name, [made]);
    console.error(`${server.name}: ${work.name} ${JSON.stringify(made.values)} ${made.unsound.join(', ')}`);
  }
  const syncs = await countDeliverySyncs(server);
  return { server: server.name, version: server.version, syncs, rounds: figures };
}

/** The flow of mail. @returns whether every goal is reached */
async function benchMail(): Promise<boolean> {
  await using receivers = await Receivers.open();
  const ours: Measured[] = [];
  const theirs: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await record(receivers, ({ routes }) => startPostern(routes, options.sign)));
    if (options.peer) theirs.push(await record(receivers, ({ routes }) => startPeer(routes)));
  }
  const postern = joined(ours);
  console.log(JSON.stringify(report(postern)));
  if (!options.peer) return true;
  const peer = joined(theirs);
  console.log(JSON.stringify(report(peer)));
  const { text, reached } = tableOf(postern, peer, goals);
  console.log(`\n${text}`);
  return reached;
}

const reached =
  positionals[0] === 'imap'
    ? await benchImap({ peer: options.peer, messages, rounds, loginSeconds: options.quick ? 1 : 10 })
    : await benchMail();
process.exitCode = reached ? 0 : 1;
