// A real listener with the real MTA or MSA behind it, over a store that records: for transcripts of what the agents
// answer. Cleartext also for submission, which is what these transcripts are not about.

import { makePassword } from '../../src/directory/password.ts';
import { createMsa } from '../../src/msa/submit.ts';
import { createMta } from '../../src/mta/receive.ts';
import { createSmtp } from '../../src/smtp/listener/smtp.ts';
import { openDoor } from '../door.ts';
import { testKeeper } from '../smtp/listener/gate.ts';
import type { RecordingStore } from './recording-store.ts';
import { agentWorld } from './smtp-session.ts';

export interface AgentListener extends AsyncDisposable {
  readonly port: number;
  readonly store: RecordingStore;
}

const PORTS = { implicit: 465, starttls: 587 };

export async function openAgent(
  role: 'transfer' | 'submission',
  test?: { readonly catchAll: boolean; readonly anyPassword: boolean },
): Promise<AgentListener> {
  const { options, store, directory, clock } = await agentWorld(test);
  const [alice] = await store.read.accounts();
  if (alice === undefined) throw new Error('alice is not there');
  const password = await makePassword('wonderland');
  await store.execute<'set-password'>({ kind: 'set-password', account: alice.id, password });
  const keeper = await testKeeper();
  const { log, hostname } = options;
  const smtp = createSmtp({
    role,
    tls: 'none',
    floor: 'strict',
    keeper,
    receiver: role === 'transfer' ? createMta(options) : createMsa(options),
    channelBinding: false,
    clock,
    log,
    hostname,
    limits: { messageSize: options.limits.messageSize, recipients: 100 },
    maxHold: 86_400_000,
    earlyTalkerWait: 0,
    submissionPorts: PORTS,
  });
  const door = await openDoor(
    {
      role,
      tls: 'none',
      floor: 'strict',
      keeper,
      log,
      busyLine: '421 4.7.0 Busy\r\n',
      wrongDoorLine: () => '',
    },
    (connection) => smtp.handle(connection),
  );
  return {
    port: door.port,
    store,
    async [Symbol.asyncDispose]() {
      await door.close();
      await smtp.close(0);
      await directory[Symbol.asyncDispose]();
    },
  };
}
