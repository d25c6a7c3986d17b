// The directory over the real store: what other tests of this folder show with accounts in memory holds there, too.

import { pino } from 'pino';
import { expect, it } from 'vitest';
import { openDirectory } from '../../src/directory/open.ts';
import { seedAccounts } from '../../src/directory/seed.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { storeFolder } from '../store/open-folder.ts';

const log = pino({ level: 'silent' });

const seed = (address: string, aliases: string[] = []) => ({
  address,
  aliases,
  password: 'wonderland',
  passwordHash: null,
  quota: null,
});

it('seeds, moves an alias, releases, and writes nothing the second time', async () => {
  await using folder = await storeFolder();
  const store = await folder.open();
  await seedAccounts(store, [seed('alice@example.test', ['post@example.test']), seed('bob@example.test')]);
  const file = [seed('alice@example.test'), seed('Bob@Example.test', ['Post@example.test', 'BJ\u00d6RN@example.test'])];
  expect((await seedAccounts(store, file)).put).toEqual(['alice@example.test', 'bob@example.test']);
  expect(await seedAccounts(store, file)).toEqual({ put: [], released: [] });
  expect((await seedAccounts(store, file.slice(1))).released).toEqual(['alice@example.test']);
  expect((await store.read.accounts()).map(({ address, seeded }) => [address, seeded])).toEqual([
    ['alice@example.test', false],
    ['bob@example.test', true],
  ]);
});

it('knows accounts as soon as they are put, and forgets them as soon as they are removed', async () => {
  await using folder = await storeFolder();
  const store = await folder.open();
  const test = { catchAll: false, anyPassword: false };
  await using directory = await openDirectory({
    store,
    domains: ['example.test'],
    hostname: 'mail.example.test',
    test,
    clock: systemClock,
    log,
  });
  for (let round = 0; round < 20; round++) {
    const address = { localPart: `user${round}`, domain: 'example.test' };
    const { account } = await store.execute<'put-account'>({
      kind: 'put-account',
      address: `user${round}@example.test`,
      aliases: [],
      quota: null,
      password: null,
      seeded: false,
      existing: 'fail',
    });
    expect((await directory.resolve(address)).kind).toBe('account');
    await store.execute<'remove-account'>({ kind: 'remove-account', account });
    expect((await directory.resolve(address)).kind).toBe('unknown');
  }
});

it('makes the accounts of a catch-all, each once, by however many at a time', async () => {
  await using folder = await storeFolder();
  const store = await folder.open();
  const test = { catchAll: true, anyPassword: true };
  await using directory = await openDirectory({
    store,
    domains: ['example.test'],
    hostname: 'mail.example.test',
    test,
    clock: systemClock,
    log,
  });
  const all = Array.from({ length: 200 }, (_, index) =>
    directory.resolve({ localPart: `User${index % 50}+${index}`, domain: 'anywhere.example' }),
  );
  expect((await Promise.all(all)).every(({ kind }) => kind === 'account')).toBe(true);
  expect(await store.read.accounts()).toHaveLength(50);
});
