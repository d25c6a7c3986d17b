// Bodies that go out as they are read, and whose memory is given back behind them: whole by whatever way they go, also to
// a client that takes its time, and as often as they are asked for in one command.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ImapClient } from '../clients/imap.ts';
import { openGate, PASSWORD } from './gate.ts';

const lines = (octets: number) =>
  randomBytes(octets)
    .toString('base64')
    .replace(/.{1,76}/g, '$&\r\n');
const MESSAGES = [200_000, 30_000, 900_000, 65_536].map((octets) => `Subject: large\r\n\r\n${lines(octets)}`);

test.each(['none', 'starttls', 'implicit'] as const)('arrive whole: %s', async (tls) => {
  await using gate = await openGate({ tls: tls === 'starttls' ? 'offered' : tls });
  await gate.fill('INBOX', MESSAGES);
  using client = await ImapClient.open({ port: gate.port, tls }, { user: 'alice@example.test', password: PASSWORD });
  await client.done('SELECT INBOX');
  for (let round = 0; round < 3; round++) {
    const answer = client.done('FETCH 1:* (BODY.PEEK[] BODY.PEEK[TEXT] BODY.PEEK[]<70000.80000> BODY.PEEK[])');
    client.link.socket.pause();
    await sleep(50);
    client.link.socket.resume();
    const responses = await answer;
    expect(responses).toHaveLength(MESSAGES.length);
    for (const [at, { literals }] of responses.entries()) {
      const whole = Buffer.from(MESSAGES[at] ?? '');
      const expected = [whole, whole.subarray(whole.indexOf('\r\n\r\n') + 4), whole.subarray(70_000, 150_000), whole];
      expect(literals.map((octets, place) => expected[place]?.equals(octets))).toEqual([true, true, true, true]);
    }
  }
});
