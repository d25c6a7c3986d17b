// Postern as a server under load: the real program over a configuration whose bounds on a source are lifted, as they are
// for the peer.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program } from '../process/program.ts';
import { RETRY, type Route } from './receivers.ts';
import type { LoadedServer } from './server.ts';
import { USERS } from './server.ts';

/** @param routes where the mail for other domains goes @param sign by DKIM, as Postern does by itself */
export async function startPostern(routes: readonly Route[], sign: boolean): Promise<LoadedServer> {
  const more = [
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
    pids: async () => [program.pid],
    async restart() {
      await program.stop();
      await program.start();
      return program.readyAfter;
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}
