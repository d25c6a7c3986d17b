// The accounts of the configuration file: put once, changed where the file changed, released when they leave it.

import { expect, it } from 'vitest';
import { makePassword, verifyPassword } from '../../src/directory/password.ts';
import { AddressTaken, type SeedAccount, seedAccounts } from '../../src/directory/seed.ts';
import { accountStore } from './account-store.ts';

const account = (address: string, more: Partial<SeedAccount> = {}): SeedAccount => ({
  address,
  aliases: [],
  password: null,
  passwordHash: null,
  quota: null,
  ...more,
});

it('puts what the file says, and nothing at the second start', async () => {
  const store = accountStore();
  const hash = (await makePassword('builder')).argon2id;
  const file = [
    account('Alice@Example.test', { password: 'wonderland', aliases: ['postmaster@example.test'] }),
    account('bob@example.test', { passwordHash: hash, quota: 1000 }),
    account('list@example.test'),
  ];
  expect((await seedAccounts(store, file)).put).toEqual([
    'alice@example.test',
    'bob@example.test',
    'list@example.test',
  ]);
  const [alice, bob, list] = await store.read.accounts();
  expect(alice?.password && (await verifyPassword(alice.password, 'wonderland'))).toBe(true);
  expect(bob).toMatchObject({ quota: 1000, seeded: true, password: { argon2id: hash, scramSha256: null } });
  expect(list?.password).toBeNull();
  const writes = store.commands.length;
  expect(await seedAccounts(store, file)).toEqual({ put: [], released: [] });
  expect(store.commands).toHaveLength(writes);
});

it('keeps the hash where only something else changed, and makes a new one for a new password', async () => {
  const store = accountStore();
  await seedAccounts(store, [account('alice@example.test', { password: 'wonderland' })]);
  const [before] = await store.read.accounts();
  await seedAccounts(store, [account('alice@example.test', { password: 'wonderland', quota: 5 })]);
  const [same] = await store.read.accounts();
  expect(same).toMatchObject({ quota: 5, password: before?.password });
  await seedAccounts(store, [account('alice@example.test', { password: 'looking-glass', quota: 5 })]);
  const [changed] = await store.read.accounts();
  expect(changed?.password?.argon2id).not.toBe(before?.password?.argon2id);
});

it('releases an account that left the file, to whom its password opens nothing any more', async () => {
  const store = accountStore();
  await seedAccounts(store, [account('alice@example.test', { password: 'wonderland' })]);
  const [before] = await store.read.accounts();
  expect(await seedAccounts(store, [])).toEqual({ put: [], released: ['alice@example.test'] });
  const [after] = await store.read.accounts();
  expect(after).toEqual({ ...before, password: null, seeded: false });
  // Back in the file, it is as before.
  await seedAccounts(store, [account('alice@example.test', { password: 'wonderland' })]);
  const [again] = await store.read.accounts();
  expect(again?.password && (await verifyPassword(again.password, 'wonderland'))).toBe(true);
});

it('takes over an account that a verb made', async () => {
  const store = accountStore();
  const password = await makePassword('wonderland');
  await store.execute<'put-account'>({
    kind: 'put-account',
    address: 'alice@example.test',
    aliases: [],
    quota: null,
    password,
    seeded: false,
    existing: 'fail',
  });
  expect((await seedAccounts(store, [account('alice@example.test', { password: 'wonderland' })])).put).toHaveLength(1);
  expect(await store.read.accounts()).toMatchObject([{ seeded: true, password }]);
});

it('refuses what is no address and what is no hash', async () => {
  const store = accountStore();
  await expect(seedAccounts(store, [account('alice')])).rejects.toThrow(RangeError);
  await expect(seedAccounts(store, [account('alice@example.test', { passwordHash: 'plain' })])).rejects.toThrow(
    RangeError,
  );
  expect(await store.read.accounts()).toEqual([]);
});

it('lets an alias move from one account to another, whichever stands first', async () => {
  const store = accountStore();
  const file = (alices: string[], bobs: string[]) => [
    account('alice@example.test', { password: 'wonderland', aliases: alices }),
    account('bob@example.test', { password: 'builder', aliases: bobs }),
  ];
  await seedAccounts(store, file(['a@example.test', 'post@example.test'], []));
  await seedAccounts(store, file(['a@example.test'], ['post@example.test']));
  await seedAccounts(store, file(['a@example.test', 'Post@Example.test'], []));
  expect((await store.read.accounts()).map(({ aliases }) => aliases)).toEqual([
    ['a@example.test', 'Post@Example.test'],
    [],
  ]);
  expect(await seedAccounts(store, [account('carol@example.test', { aliases: ['a@example.test'] })])).toEqual({
    put: ['carol@example.test'],
    released: ['alice@example.test', 'bob@example.test'],
  });
});

it('lets an alias become an account', async () => {
  const store = accountStore();
  await seedAccounts(store, [account('alice@example.test', { aliases: ['post@example.test'] })]);
  await seedAccounts(store, [account('post@example.test'), account('alice@example.test')]);
  expect((await store.read.accounts()).map(({ address, aliases }) => [address, aliases])).toEqual([
    ['alice@example.test', []],
    ['post@example.test', []],
  ]);
});

it.each([
  ['as an alias', account('bob@example.test', { aliases: ['sales@example.test'] })],
  ['as its own', account('Sales@example.test')],
])('says whose an address is that it cannot have %s, and where that is written', async (_, wanted) => {
  const store = accountStore();
  await store.execute<'put-account'>({
    kind: 'put-account',
    address: 'carol@example.test',
    aliases: ['sales@example.test'],
    quota: null,
    password: null,
    seeded: false,
    existing: 'fail',
  });
  const error = await seedAccounts(store, [{ ...wanted, place: { file: 'postern.toml', line: 7 } }]).catch(
    (wrong) => wrong,
  );
  expect(error).toBeInstanceOf(AddressTaken);
  expect(error.message).toMatch(/^postern\.toml:7: sales@example\.test .*carol@example\.test/);
});
