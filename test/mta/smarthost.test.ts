// All mail through smarthosts (PORTS.md H5): the next one where one fails, and a login that is refused, which waits for the
// operator and is told to nobody but the log, without a secret.

import { beforeAll, expect, test } from 'vitest';
import type { SmarthostConfig } from '../../src/config/config.ts';
import { type Identity, makeContext } from '../../src/platform/tls.ts';
import { type FakeServer, fakeServer, KEYWORDS, type Script } from '../smtp/fake-server.ts';
import { scramServer } from '../smtp/scram-server.ts';
import { makeTestIdentity } from '../smtp/test-identity.ts';
import { queueStage } from './queue-stage.ts';

const SECRET = 'w0nderl@nd';
let identity: Identity;
beforeAll(async () => {
  identity = await makeTestIdentity('127.0.0.1');
});

async function smarthost(script: Script): Promise<{ server: FakeServer; config: SmarthostConfig }> {
  const context = makeContext([identity], 'strict');
  const keywords = [...KEYWORDS, 'STARTTLS', 'AUTH PLAIN SCRAM-SHA-256-PLUS'];
  const server = await fakeServer({ context, keywords, ...script });
  const secret = { kind: 'password', text: SECRET } as const;
  const tls = script.implicit === true ? 'implicit-unverified' : 'required';
  return {
    server,
    config: { host: '127.0.0.1', port: server.port, tls, login: { user: 'alice', mechanism: null, secret } },
  };
}

const refuse = (line: string) => (line.startsWith('AUTH') ? `535 5.7.8 not ${SECRET}` : undefined);

test('587 and 465, by SCRAM; where the first does not take the login, the second has the mail', async () => {
  const first = await smarthost({ on: refuse });
  const second = await smarthost({ implicit: true, on: scramServer('alice', SECRET).on });
  await using stage = await queueStage({ relay: { smarthosts: [first.config, second.config] } });
  await stage.put({ to: ['a@far.test', 'b@other.test'] });
  await stage.until((entries) => entries.length === 0);
  await stage.put({ to: ['c@third.test'] });
  await stage.until((entries) => entries.length === 0);
  expect(second.server.messages.flatMap(({ recipients }) => recipients).sort()).toEqual([
    'RCPT TO:<a@far.test>',
    'RCPT TO:<b@other.test>',
    'RCPT TO:<c@third.test>',
  ]);
  expect(second.server.messages.every(({ secure }) => secure)).toBe(true);
  // Two destinations may have begun at once; none begins anew.
  expect(first.server.sessions.length).toBeLessThanOrEqual(2);
  const told = stage.records.filter(({ level }) => level === 40);
  expect(told[0]).toMatchObject({ host: '127.0.0.1', user: 'alice' });
  expect(JSON.stringify(stage.records)).not.toContain(SECRET);
});

test('a login that is refused is not said again soon, and the message waits until it is put right', async () => {
  const { server, config } = await smarthost({ on: refuse });
  await using stage = await queueStage({ relay: { smarthosts: [config] } });
  await stage.put({ to: ['a@far.test'] });
  const [entry] = await stage.until((entries) => entries.some(({ attempts }) => attempts === 1));
  expect(entry?.last).toMatchObject({ reply: { code: 535 } });
  expect(JSON.stringify([entry, stage.records])).not.toContain(SECRET);
  // Five minutes later the message is due, and the server is left alone.
  await stage.pass();
  await stage.until((entries) => entries.some(({ attempts }) => attempts === 2));
  expect(server.sessions).toHaveLength(1);
  expect(await stage.inbox()).toEqual([]);
  await stage.pass();
  await stage.until((entries) => entries.some(({ attempts }) => attempts === 3));
  expect(server.sessions).toHaveLength(2);

  server.script = { ...server.script, on: scramServer('alice', SECRET).on };
  const ids = (await stage.entries()).map((each) => each.entry.id);
  stage.runner.kick();
  await stage.store.execute({ kind: 'queue-control', entries: ids, action: 'retry', now: stage.clock.now() });
  await stage.until((entries) => entries.length === 0);
  expect(server.messages).toHaveLength(1);
});

test('the answer of one address stands, whatever the others do not say', async () => {
  const { server, config } = await smarthost({ on: refuse });
  // Nobody listens on the second address of this name.
  await using stage = await queueStage({ relay: { smarthosts: [{ ...config, host: 'localhost' }] } });
  await stage.put({ to: ['a@far.test'] });
  const [entry] = await stage.until((entries) => entries.some(({ attempts }) => attempts === 1));
  expect(entry?.last).toMatchObject({ reply: { code: 535 }, address: '127.0.0.1' });
  expect(server.sessions).toHaveLength(1);
});

test('a smarthost that wants a login where none is configured: the message waits', async () => {
  const { server, config } = await smarthost({ on: (line) => (/^MAIL/.test(line) ? '530 5.7.0 log in' : undefined) });
  await using stage = await queueStage({ relay: { smarthosts: [{ ...config, login: null }] } });
  await stage.put({ to: ['a@far.test'] });
  const [entry] = await stage.until((entries) => entries.some(({ attempts }) => attempts === 1));
  expect(entry?.last).toMatchObject({ reply: { code: 530 } });
  server.script = { ...server.script, on: () => undefined };
  await stage.pass();
  await stage.until((entries) => entries.length === 0);
});
