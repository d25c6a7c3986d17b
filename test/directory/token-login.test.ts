// Whose token it is: the name in it, the accounts here, and the name that the client gives must be one.

import { pino } from 'pino';
import { expect, it } from 'vitest';
import { AuthenticationFailure, type Directory } from '../../src/directory/directory.ts';
import { openDirectory } from '../../src/directory/open.ts';
import type { Said } from '../../src/directory/token/issuer.ts';
import { FakeClock } from '../fake-clock.ts';
import { accountStore } from './account-store.ts';

/** An issuer for whom a token is its name; `bad` is good for nothing, `away` cannot be asked. */
async function open() {
  const store = accountStore();
  const put = (address: string, aliases: string[] = []) =>
    store.execute<'put-account'>({
      kind: 'put-account',
      address,
      aliases,
      quota: null,
      password: null,
      seeded: false,
      existing: 'replace',
    });
  await put('alice@example.test', ['postmaster@example.test']);
  await put('bob@example.test');
  const clock = new FakeClock();
  const asked: string[] = [];
  const check = async (token: string): Promise<Said> => {
    asked.push(token);
    if (token === 'away') throw new AuthenticationFailure('busy', 'away');
    if (token === 'bad') return { kind: 'refused', error: 'invalid_token', reason: 'bad' };
    return { kind: 'good', name: token };
  };
  const directory = await openDirectory({
    store,
    domains: ['example.test'],
    hostname: 'mail.example.test',
    test: { catchAll: false, anyPassword: false },
    issuer: { scope: null, configuration: 'https://id.test', check },
    clock,
    log: pino({ level: 'silent' }),
  });
  const ask = async (token: string, username: string | null, source = '192.0.2.1') => {
    const verdict = await desk(directory).check(token, username, source);
    return verdict.kind === 'account' ? directory.account(verdict.account)?.address : verdict.error;
  };
  return { directory, clock, asked, ask };
}

function desk({ tokens }: Directory) {
  if (tokens === null) throw new Error('tokens are taken here');
  return tokens;
}

it.each<[string, string | null, string | undefined]>([
  ['alice@example.test', null, 'alice@example.test'],
  ['alice@example.test', 'alice@example.test', 'alice@example.test'],
  ['Alice@EXAMPLE.test', 'alice', 'alice@example.test'],
  ['alice', 'postmaster@example.test', 'alice@example.test'],
  ['postmaster@example.test', 'alice', 'alice@example.test'],
  ['alice@example.test', 'bob@example.test', 'invalid_token'],
  ['alice@example.test', 'nobody@example.test', 'invalid_token'],
  ['nobody@example.test', 'alice@example.test', 'invalid_token'],
  ['nobody@example.test', 'nobody@example.test', 'invalid_token'],
  ['nobody@example.test', null, 'invalid_token'],
  ['alice@other.test', null, 'invalid_token'],
  ['\uFF41lice@example.test', null, 'invalid_token'],
  ['alice+x@example.test', null, 'invalid_token'],
  [`${'x'.repeat(300)}@example.test`, null, 'invalid_token'],
  ['alice@example.test', 'x'.repeat(300), 'invalid_token'],
  ['alice@example.test', 'al\0ice', 'invalid_token'],
  ['not an address@', null, 'invalid_token'],
  ['bad', 'alice@example.test', 'invalid_token'],
])('a token of %s, shown by %s', async (token, username, expected) => {
  const { ask } = await open();
  expect(await ask(token, username)).toBe(expected);
});

it('failures are slowed as wrong passwords are, and a source that is held may ask about one token at a time', async () => {
  const { ask, clock, asked } = await open();
  for (let index = 0; index < 3; index++) await ask('bad', null);
  let late = false;
  const fourth = ask('bad', null).finally(() => {
    late = true;
  });
  await expect.poll(() => clock.next).not.toBeNull();
  expect(late).toBe(false);
  const before = asked.length;
  await expect(ask('alice@example.test', 'alice')).rejects.toMatchObject({ kind: 'busy' });
  expect(asked).toHaveLength(before);
  // Elsewhere nobody is held.
  expect(await ask('alice@example.test', 'alice', '198.51.100.1')).toBe('alice@example.test');
  clock.advance(500);
  expect(await fourth).toBe('invalid_token');
});

it('an issuer that cannot be asked is no failure of the client', async () => {
  const { ask, clock } = await open();
  for (let index = 0; index < 10; index++) await expect(ask('away', null)).rejects.toMatchObject({ kind: 'busy' });
  expect(await ask('bad', null)).toBe('invalid_token');
  expect(clock.next).toBeNull();
});

it('an account that was vouched for is let in, unless it is gone', async () => {
  const { directory } = await open();
  const verdict = await desk(directory).check('bob@example.test', null, '192.0.2.1');
  const account = verdict.kind === 'account' ? verdict.account : 0;
  expect((await directory.admit({ kind: 'account', account }, '192.0.2.1')).address).toBe('bob@example.test');
  await expect(directory.admit({ kind: 'account', account: 999 }, '192.0.2.1')).rejects.toMatchObject({
    kind: 'rejected',
  });
});
