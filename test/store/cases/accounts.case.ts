// Accounts, their addresses and their first mailboxes.

import { describe, expect, it } from 'vitest';
import type { CommandOf } from '../../../src/store/commands.ts';
import type { Store } from '../../../src/store/store.ts';
import { eachStore, type Harness, recorded } from './harness.ts';

function put(store: Store, address: string, more: Partial<CommandOf<'put-account'>> = {}) {
  return store.execute({
    kind: 'put-account',
    address,
    aliases: [],
    quota: null,
    password: null,
    seeded: false,
    existing: 'fail',
    ...more,
  });
}

const password = { argon2id: '$argon2id$', scramSha1: null, scramSha256: '4096:s$k:v' };

export function accountCases(harness: Harness): void {
  describe('accounts', () => {
    const given = eachStore(harness);

    it('keeps addresses, aliases and passwords', async () => {
      const { store } = given;
      const changes = recorded(store, { kind: 'directory' });
      const { account } = await put(store, 'Alice@example.test', {
        aliases: ['b@example.test', 'a@example.test', 'alice@example.test'],
        quota: 1_000,
        password,
        seeded: true,
      });
      expect(await store.read.account(account)).toEqual({
        id: account,
        address: 'Alice@example.test',
        aliases: ['b@example.test', 'a@example.test'],
        password,
        quota: 1_000,
        usedOctets: 0,
        usedMessages: 0,
        seeded: true,
      });
      await store.execute({ kind: 'set-password', account, password: { ...password, scramSha1: 'x' } });
      expect((await store.read.accounts())[0]?.password?.scramSha1).toBe('x');
      expect(changes).toMatchObject([{ kind: 'directory', account }, { account }]);
      await expect(store.execute({ kind: 'set-password', account: 77 as never, password })).rejects.toMatchObject({
        kind: 'missing',
      });
    });

    it('gets other aliases and another quota, and keeps all else', async () => {
      const { store } = given;
      const { account } = await put(store, 'alice@x.test', {
        aliases: ['a@x.test'],
        quota: 1_000,
        password,
        seeded: true,
      });
      const { account: other } = await put(store, 'bob@x.test', { aliases: ['b@x.test', 'bb@x.test'] });
      const changes = recorded(store, { kind: 'directory' });
      const change = (aliases: string[], taken: string[] = []) =>
        store.execute({ kind: 'change-account', account, aliases, taken, quota: 2_000 });
      for (const aliases of [['new@x.test', 'B@x.test'], ['bob@x.test']]) {
        await expect(change(aliases)).rejects.toMatchObject({ kind: 'exists' });
      }
      // The first address of an account is not for others to take.
      await expect(change(['bob@x.test'], ['bob@x.test'])).rejects.toMatchObject({ kind: 'exists' });
      expect(changes).toEqual([]);
      await change(['a@x.test', 'B@x.test'], ['B@x.test']);
      const [alice, bob] = await store.read.accounts();
      expect(alice).toMatchObject({ aliases: ['a@x.test', 'B@x.test'], quota: 2_000, password, seeded: true });
      expect(bob?.aliases).toEqual(['bb@x.test']);
      expect(changes).toMatchObject([{ account: other }, { account }]);
      const gone = { kind: 'change-account', account: 77 as never, aliases: [], taken: [], quota: null } as const;
      await expect(store.execute(gone)).rejects.toMatchObject({ kind: 'missing' });
    });

    it('has one account for an address, however its letters are written', async () => {
      const { store } = given;
      const { account } = await put(store, 'Jos\u00e9@x.test', { aliases: ['\u212aelvin@x.test'] });
      for (const same of ['JOS\u00c9@x.test', 'jose\u0301@x.test', 'kelvin@x.test']) {
        await expect(put(store, same), same).rejects.toMatchObject({ kind: 'exists' });
        await expect(put(store, 'other@x.test', { aliases: [same] }), same).rejects.toMatchObject({ kind: 'exists' });
      }
      expect(await put(store, 'JOSE\u0301@x.test', { existing: 'replace' })).toEqual({ account, created: false });
    });

    it('replaces, keeps or refuses an account that exists', async () => {
      const { store } = given;
      const { account } = await put(store, 'a@x.test', { aliases: ['b@x.test'] });
      await expect(put(store, 'A@X.test')).rejects.toMatchObject({ kind: 'exists' });
      expect(await put(store, 'a@x.test', { existing: 'keep', aliases: [] })).toEqual({ account, created: false });
      expect((await store.read.account(account))?.aliases).toEqual(['b@x.test']);
      expect(await put(store, 'a@x.test', { existing: 'replace', aliases: ['c@x.test'], quota: 5 })).toEqual({
        account,
        created: false,
      });
      expect(await store.read.account(account)).toMatchObject({ aliases: ['c@x.test'], quota: 5 });
      // b is free again, c is not.
      await expect(put(store, 'd@x.test', { aliases: ['c@x.test'] })).rejects.toMatchObject({ kind: 'exists' });
      await expect(put(store, 'c@x.test', { existing: 'replace' })).rejects.toMatchObject({ kind: 'exists' });
      expect(await store.read.accounts()).toHaveLength(1);
      expect((await put(store, 'b@x.test')).created).toBe(true);
    });

    it('stands again after it was closed', async () => {
      const { place } = given;
      const { account } = await put(given.store, 'a@x.test');
      await given.store.close();
      await given.store.close();
      await expect(put(given.store, 'b@x.test')).rejects.toMatchObject({ kind: 'closed' });
      const store = await place.open();
      expect((await store.read.account(account))?.address).toBe('a@x.test');
      expect((await put(store, 'b@x.test')).account).toBeGreaterThan(account);
    });
  });
}
