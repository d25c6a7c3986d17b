// `npm run bench -- imap`: the works of IMAP on one large mailbox, as JSON and, with the peer, as a table.

import type { Figures } from '../figures.ts';
import { joined, type Measured, report } from '../measured.ts';
import { startPeer } from '../peer.ts';
import { startPostern } from '../postern.ts';
import type { LoadedServer } from '../server.ts';
import { tableOf } from '../table.ts';
import { corpusMessage } from './corpus.ts';
import { imapGoals } from './goals.ts';
import { type ImapLoad, runImapWorks } from './works.ts';

export interface ImapBenchOptions {
  readonly peer: boolean;
  /** Messages of the mailbox; the goals are for 10,000. */
  readonly messages: number;
  readonly rounds: number;
  readonly loginSeconds: number;
}

/** @returns whether every goal is reached on sound figures; without the peer, whether the figures are sound */
export async function benchImap({ peer, messages, rounds, loginSeconds }: ImapBenchOptions): Promise<boolean> {
  const load = { corpus: Array.from({ length: messages }, (_, number) => corpusMessage(number)), loginSeconds };
  const ours: Measured[] = [];
  const theirs: Measured[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await record(() => startPostern([], false), load));
    if (peer) theirs.push(await record(() => startPeer([]), load));
  }
  const postern = joined(ours);
  console.log(JSON.stringify(report(postern)));
  if (!peer) return [...postern.rounds.values()].flat().every(({ unsound }) => unsound.length === 0);
  const other = joined(theirs);
  console.log(JSON.stringify(report(other)));
  const { text, reached } = tableOf(postern, other, imapGoals);
  const octets = load.corpus.reduce((sum, { length }) => sum + length, 0);
  console.log(`\n${messages} messages, ${Math.round(octets / 1e6)} MB; the goals are for 10,000\n\n${text}`);
  return reached;
}

async function record(start: () => Promise<LoadedServer>, load: ImapLoad): Promise<Measured> {
  await using server = await start();
  const done = await runImapWorks(server, load, (work, { values, unsound }) =>
    console.error(`${server.name}: ${work} ${JSON.stringify(values)} ${unsound.join(', ')}`),
  );
  const rounds = new Map<string, Figures[]>([...done].map(([work, figures]) => [work, [figures]]));
  return { server: server.name, version: server.version, syncs: null, rounds };
}
