// Logging in without saying the password: SCRAM with and without channel binding on every port that knows users.

import { describe, expect, test } from 'vitest';
import { makePassword } from '../../src/directory/password.ts';
import { type Binding, bindingOf, scramClient } from '../clients/scram.ts';
import { createWorld, loginOf } from '../world.ts';
import { type Conversation, converse, LOGGED_IN, REFUSED } from './login-talk.ts';

/** The replies to a whole exchange. `wrong` binds to another connection. */
async function login(
  client: Conversation,
  hash: 'sha1' | 'sha256',
  binding: Binding,
  { user = 'alice', password = loginOf('alice').password, wrong = false } = {},
): Promise<{ proved: boolean; ended: string }> {
  const { secure } = client.link;
  if (secure === null) throw new Error('TLS is on by now');
  const octets = wrong ? Buffer.alloc(32) : bindingOf(secure, binding);
  const scram = scramClient(hash, { user: loginOf(user).user, password }, binding, octets);
  const mechanism = `SCRAM-SHA-${hash === 'sha1' ? '1' : '256'}${binding === 'none' ? '' : '-PLUS'}`;
  const { message, verifier } = scram.final(await client.say(scram.first, mechanism));
  const proof = await client.say(message);
  if (proof !== verifier) return { proved: false, ended: proof };
  return { proved: true, ended: await client.say('') };
}

describe.each([465, 587, 993, 143, 995, 110] as const)('on %d', (gate) => {
  test('every mechanism and binding leads in, and a wrong password or connection does not', async () => {
    await using world = await createWorld({
      level: 'fatal',
      configure: (config) => ({ ...config, sasl: { channelBinding: true } }),
    });
    const { here } = world;
    for (const hash of ['sha1', 'sha256'] as const) {
      for (const binding of ['none', 'tls-exporter', 'tls-server-end-point'] as const) {
        using client = await converse(here, gate);
        const { proved, ended } = await login(client, hash, binding);
        expect([proved, ended], `${hash} ${binding}`).toEqual([true, expect.stringMatching(LOGGED_IN)]);
        await client.leave();
      }
    }
    for (const binding of ['tls-unique', 'tls-server-end-point'] as const) {
      using older = await converse(here, gate, { maxVersion: 'TLSv1.2' });
      expect((await login(older, 'sha256', binding)).ended, binding).toMatch(LOGGED_IN);
      await older.leave();
      expect(older.offered).toMatch(/SCRAM-SHA-256-PLUS/);
    }

    using elsewhere = await converse(here, gate);
    expect((await login(elsewhere, 'sha256', 'tls-exporter', { wrong: true })).ended).toMatch(REFUSED);
    using mistyped = await converse(here, gate);
    expect(await login(mistyped, 'sha256', 'none', { password: 'sesame' })).toEqual({
      proved: false,
      ended: expect.stringMatching(REFUSED),
    });
  });

  test('without the setting no binding is offered, and who could bind gets in all the same', async () => {
    await using world = await createWorld({ level: 'fatal' });
    const { here } = world;
    using client = await converse(here, gate);
    expect(client.offered).toMatch(/SCRAM-SHA-256(?!-)/);
    expect(client.offered).not.toMatch(/-PLUS/);
    const { user, password } = loginOf('alice');
    const scram = scramClient('sha256', { user, password }, 'none', Buffer.alloc(0), 'y');
    const { message, verifier } = scram.final(await client.say(scram.first, 'SCRAM-SHA-256'));
    expect(await client.say(message)).toBe(verifier);
    expect(await client.say('')).toMatch(LOGGED_IN);
  });
});

test('a name that nobody has is answered as a name that somebody has', async () => {
  await using world = await createWorld({ level: 'fatal' });
  const { here } = world;
  const first = async (user: string): Promise<string> => {
    using client = await converse(here, 993);
    return (await client.say(`n,,n=${user}@example.test,r=abc`, 'SCRAM-SHA-256')).replace(/^r=[^,]+/, '');
  };
  const [known, unknown] = [await first('alice'), await first('nobody')];
  expect(unknown.length).toBe(known.length);
  expect(unknown).not.toBe(await first('nobody2'));
  expect(await first('nobody')).toBe(unknown);
  expect(await first('NOBODY')).toBe(unknown);
  await here.restart();
  expect(await first('nobody')).toBe(unknown);
  expect(await first('alice')).toBe(known);
});

test('a name that is written in another way tells no more of whether somebody has it', async () => {
  await using world = await createWorld({ level: 'fatal' });
  const salt = async (user: string): Promise<string> => {
    using client = await converse(world.here, 993);
    return (await client.say(`n,,n=${user},r=abc`, 'SCRAM-SHA-256')).replace(/^r=[^,]+/, '');
  };
  expect(await salt('alice')).toBe(await salt('alice@Example.test'));
  expect(await salt('nobody')).toBe(await salt('nobody@Example.test'));
});

test.each([465, 993, 995] as const)(
  'on %d the password that counts is that of the end of an exchange',
  async (gate) => {
    await using world = await createWorld({ level: 'fatal' });
    const { store } = world.here.running;
    using client = await converse(world.here, gate);
    const { user, password } = loginOf('alice');
    const scram = scramClient('sha256', { user, password }, 'none', Buffer.alloc(0));
    const { message } = scram.final(await client.say(scram.first, 'SCRAM-SHA-256'));
    const alice = (await store.read.accounts()).find(({ address }) => address === user);
    if (alice === undefined) throw new Error('no alice');
    const changed = await makePassword('another');
    await store.execute<'set-password'>({ kind: 'set-password', account: alice.id, password: changed });
    expect(await client.say(message)).toMatch(REFUSED);
  },
);

test('no proof is asked for where any password will do', async () => {
  await using world = await createWorld({
    level: 'fatal',
    configure: (config) => ({ ...config, test: { ...config.test, anyPassword: true, catchAll: true } }),
  });
  for (const gate of [465, 993, 995] as const) {
    using client = await converse(world.here, gate);
    expect(client.offered).toMatch(/PLAIN/);
    expect(client.offered).not.toMatch(/SCRAM/);
  }
});
