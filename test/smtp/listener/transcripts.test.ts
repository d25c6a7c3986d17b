// The transcripts of this folder against real listeners: `given:` says which port. Line by line and octet by octet.

import { join } from 'node:path';
import { FakeClock } from '../../fake-clock.ts';
import { runTranscripts } from '../../transcript.ts';
import { dial, type Gate, type GateOptions, openGate } from './gate.ts';

/** Ports by the name that `given:` uses. */
const GATES: Readonly<Record<string, GateOptions>> = {
  'port 25': { role: 'transfer', tls: 'offered' },
  'port 25 for 1000 octets': { role: 'transfer', tls: 'offered', messageSize: 1_000 },
  'port 25 for 3 recipients': { role: 'transfer', tls: 'offered', recipients: 3 },
  'port 587': { role: 'submission', tls: 'required' },
  'a submission port in clear': { role: 'submission', tls: 'none' },
  'a submission port that holds nothing': { role: 'submission', tls: 'none', maxHold: 0 },
  'a submission port that offers STARTTLS': { role: 'submission', tls: 'offered' },
};

let gate: Gate | undefined;

runTranscripts(join(import.meta.dirname, 'transcripts'), {
  given: [{ when: new RegExp(`^(?:${Object.keys(GATES).join('|')})$`), make: () => {} }],
  before: async (script) => {
    // Time stands still, so that no time-out helps a session out of a state it should leave by itself.
    const options = GATES[script.given[0] ?? ''];
    if (options === undefined) throw new Error(`given what? ${script.given[0]}`);
    gate = await openGate({ ...options, clock: new FakeClock() });
  },
  connect: () => dial(gate?.port ?? 0),
  after: async () => {
    await gate?.[Symbol.asyncDispose]();
  },
});
