// The transcripts of the MTA and the MSA against real listeners: `given:` says which port.

import { join } from 'node:path';
import { StoreError } from '../../src/store/store.ts';
import { dial } from '../smtp/listener/gate.ts';
import { runTranscripts } from '../transcript.ts';
import { type AgentListener, openAgent } from './agent-listener.ts';

let agent: AgentListener | undefined;

for (const folder of ['mta', 'msa']) {
  runTranscripts(join(import.meta.dirname, '..', folder, 'transcripts'), {
    given: [
      { when: /^port (25|587)(?: that catches all)?$/, make: () => {} },
      {
        when: /^a full disk$/,
        make: () => {
          if (agent !== undefined) agent.store.failure = { at: 'accept', error: new StoreError('full', 'disk full') };
        },
      },
      { when: /^bob's mailbox is full$/, make: () => void agent?.store.used.set('bob@example.test', 10_000) },
    ],
    before: async ({ given }) => {
      const [port = ''] = given;
      const catcher = port.endsWith('catches all') ? { catchAll: true, anyPassword: true } : undefined;
      agent = await openAgent(port.startsWith('port 25') ? 'transfer' : 'submission', catcher);
    },
    connect: () => dial(agent?.port ?? 0),
    after: async () => {
      await agent?.[Symbol.asyncDispose]();
      agent = undefined;
    },
  });
}
