// Postern as a server under load: the real program over a configuration whose bounds on a source are lifted, as they are
// for the peer.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program } from '../process/program.ts';
import type { LoadedServer } from './server.ts';
import { USERS } from './server.ts';

/** @param sinkPort where remote.test leads */
export async function startPostern(sinkPort: number): Promise<LoadedServer> {
  const route = [
    '[[relay.route]]',
    'domain = "remote.test"',
    'host = "127.0.0.1"',
    `port = ${sinkPort}`,
    'tls = "none"',
    // The peer signs nothing. POSTERN_DKIM_ENABLED=yes measures what signatures cost.
    '[dkim]',
    'enabled = false',
  ];
  const program = await Program.start({ users: USERS, more: route.join('\n') });
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string; // The shape that npm gives the file.
  };
  return {
    name: 'postern',
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
