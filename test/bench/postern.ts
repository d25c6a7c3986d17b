// Postern as a server under load: the real program over a configuration whose bounds on a source are lifted, as they are
// for the peer.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '../../src/store/engine.ts';
import { storeFiles } from '../../src/store/folder.ts';
import { nextDone } from '../../src/store/upkeep/text-index.ts';
import { freePorts } from '../process/postfix.ts';
import { Program } from '../process/program.ts';
import { RETRY, type Route } from './receivers.ts';
import type { LoadedServer } from './server.ts';
import { USERS } from './server.ts';

/** @param routes where the mail for other domains goes @param sign by DKIM, as Postern does by itself */
export async function startPostern(routes: readonly Route[], sign: boolean): Promise<LoadedServer> {
  const [clearImap = 0] = await freePorts(1);
  const more = [
    // Loads that are not about TLS go without it, to either server.
    ...['[[listener]]', 'role = "imap"', 'address = "127.0.0.1"', `port = ${clearImap}`, 'tls = "none"'],
    '[queue]',
    `retry = ["${RETRY}s"]`,
    ...routes.flatMap(({ domain, host, port }) => [
      '[[relay.route]]',
      `domain = "${domain}"`,
      `host = "${host}"`,
      `port = ${port}`,
      'tls = "opportunistic"',
    ]),
    '[dkim]',
    `enabled = ${sign}`,
  ];
  const program = await Program.start({ users: USERS, more: more.join('\n') });
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string; // The shape that npm gives the file.
  };
  return {
    name: sign ? 'postern (which signs)' : 'postern',
    version,
    port: (gate) => program.port(gate),
    clearImap,
    unindexed: async () => unindexedBodies(join(program.folder, 'data')),
    pids: async () => [program.pid],
    async restart() {
      await program.stop();
      await program.start();
      return program.readyAfter;
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** Bodies that the search index of a store does not have, looked at while a server runs on it. */
function unindexedBodies(folder: string): number {
  const files = storeFiles(folder);
  using mail = opened(files.mail);
  using derived = opened(files.derived);
  const bodies = mail.connection.all<{ id: number }>('SELECT id FROM body WHERE refs > 0 ORDER BY id');
  let missing = 0;
  let run = nextDone(derived.connection, 0);
  for (const { id } of bodies) {
    while (run && run.last < id) run = nextDone(derived.connection, run.first);
    if (!run || id < run.first) missing++;
  }
  return missing;
}

function opened(path: string): Disposable & { readonly connection: Connection } {
  const connection = new Connection(path, { readOnly: true, wait: 1_000 });
  return { connection, [Symbol.dispose]: () => connection.close() };
}
