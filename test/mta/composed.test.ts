// Reports that leave this machine are signed, by another implementation's judgement; those that stay are not.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDkimSigner } from '../../src/trust/dkim/signer.ts';
import { FakeClock } from '../fake-clock.ts';
import { good, SELECTORS, verify } from '../trust/verifier.ts';
import { queueStage } from './queue-stage.ts';

const empty = (entries: readonly unknown[]) => entries.length === 0;
const refuse = { on: (line: string) => (line.startsWith('RCPT') ? '550 5.1.1 nobody here' : undefined) };

/** The report on a failure, as another server gets it; the host is mail.here.test. */
async function reportOf(domains: readonly string[], to = 'eve@home.test') {
  const folder = await mkdtemp(join(tmpdir(), 'postern-composed-'));
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  const dkim = createDkimSigner({ ...SELECTORS, folder, domains, clock });
  await using stage = await queueStage({ dkim });
  await stage.hop(2, refuse);
  const home = await stage.hop(3);
  stage.domain('far.test', 2);
  stage.domain('home.test', 3);
  await stage.put({ to: ['bob@far.test'], from: to });
  await stage.until(empty);
  return { folder, sent: home.messages, inbox: await stage.inbox(), records: stage.records };
}

test.each([
  ['the domain of the host', ['here.test', 'mail.here.test'], 'mail.here.test'],
  ['the domain above it', ['other.test', 'here.test'], 'here.test'],
  ['the first domain where it has none of these', ['other.test', 'third.test'], 'other.test'],
])('a report that leaves is signed by %s', async (_, domains, signer) => {
  const { folder, sent } = await reportOf(domains);
  expect(sent).toHaveLength(1);
  const [report] = sent;
  expect(report?.mail).toContain('FROM:<>');
  expect(await verify(Buffer.from(report?.content ?? '', 'latin1'), folder, domains)).toEqual(good(signer));
  await rm(folder, { recursive: true });
});

test('a report for a mailbox here is not', async () => {
  const { folder, inbox } = await reportOf(['here.test'], 'alice@here.test');
  expect(inbox).toHaveLength(1);
  expect(inbox[0]).not.toContain('DKIM-Signature');
  await rm(folder, { recursive: true, force: true });
});

test('what cannot be signed is told all the same', async () => {
  await using stage = await queueStage({
    dkim: {
      signsFor: () => true,
      firstDomain: 'here.test',
      begin: () => ({
        body: () => {},
        fields: () => Promise.reject(new Error('no key')),
      }),
    },
  });
  await stage.hop(2, refuse);
  const home = await stage.hop(3);
  stage.domain('far.test', 2);
  stage.domain('home.test', 3);
  await stage.put({ to: ['bob@far.test'], from: 'eve@home.test' });
  await stage.until(empty);
  expect(home.messages).toHaveLength(1);
  expect(home.messages[0]?.content).not.toContain('DKIM-Signature');
  expect(stage.records.some(({ level, message }) => level === 50 && String(message).endsWith('.dsn'))).toBe(true);
});
