// What an address and a login name mean (RFC 5321 §2.4, §4.5.1), and that the directory is never behind its store. Over
// accounts in memory; store.test.ts has the real store.

import { pino } from 'pino';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Directory } from '../../src/directory/directory.ts';
import { AuthenticationFailure } from '../../src/directory/directory.ts';
import { type DirectoryOptions, openDirectory } from '../../src/directory/open.ts';
import { makePassword } from '../../src/directory/password.ts';
import { domainsWithoutPostmaster } from '../../src/directory/postmaster.ts';
import type { Address } from '../../src/formats/address.ts';
import type { PasswordRecord } from '../../src/store/rows.ts';
import { FakeClock } from '../fake-clock.ts';
import { type AccountStore, accountStore } from './account-store.ts';

let wonderland: PasswordRecord;
let builder: PasswordRecord;

beforeAll(async () => {
  [wonderland, builder] = await Promise.all([makePassword('wonderland'), makePassword('builder')]);
});

const put = (store: AccountStore, address: string, aliases: string[] = [], password: PasswordRecord | null = null) =>
  store.execute<'put-account'>({
    kind: 'put-account',
    address,
    aliases,
    quota: null,
    password,
    seeded: false,
    existing: 'replace',
  });

async function open(given: Partial<DirectoryOptions> & { store?: AccountStore } = {}) {
  const store = given.store ?? accountStore();
  if (given.store === undefined) {
    await put(store, 'alice@example.test', ['postmaster@example.test', 'alice@second.test'], wonderland);
    await put(store, 'bob@example.test', [], builder);
  }
  const directory = await openDirectory({
    domains: ['example.test', 'second.test', 'bücher.test'],
    hostname: 'mail.example.test',
    test: { catchAll: false, anyPassword: false },
    clock: new FakeClock(),
    log: pino({ level: 'silent' }),
    ...given,
    store,
  });
  return { directory, store };
}

const at = (localPart: string, domain = 'example.test'): Address => ({ localPart, domain });

async function whom(directory: Directory, address: Address) {
  const found = await directory.resolve(address);
  return found.kind === 'account' ? [found.account.address, found.detail] : found.kind;
}

async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'accepted';
  } catch (error) {
    if (error instanceof AuthenticationFailure) return error.kind;
    throw error;
  }
}

describe('addresses', () => {
  it('finds accounts, aliases and user+detail, without regard to case', async () => {
    const { directory } = await open();
    expect(await whom(directory, at('alice'))).toEqual(['alice@example.test', null]);
    expect(await whom(directory, at('ALICE', 'Example.TEST'))).toEqual(['alice@example.test', null]);
    expect(await whom(directory, at('alice', 'second.test'))).toEqual(['alice@example.test', null]);
    expect(await whom(directory, at('Bob+Lists+x'))).toEqual(['bob@example.test', 'Lists+x']);
    expect(await whom(directory, at('bob+'))).toEqual(['bob@example.test', '']);
  });

  it('tells the unknown from the remote', async () => {
    const { directory } = await open();
    expect(await whom(directory, at('nobody'))).toBe('unknown');
    expect(await whom(directory, at('+bob'))).toBe('unknown');
    expect(await whom(directory, at('bob', 'second.test'))).toBe('unknown');
    expect(await whom(directory, at('bob', 'sub.example.test'))).toBe('remote');
    expect(await whom(directory, at('bob', '[127.0.0.1]'))).toBe('remote');
  });

  it('takes a domain in A-labels and in U-labels for one', async () => {
    const { directory, store } = await open();
    await put(store, 'buch@xn--bcher-kva.test');
    expect(directory.isLocalDomain('BÜCHER.test')).toBe(true);
    expect(await whom(directory, at('buch', 'bücher.test'))).toEqual(['buch@xn--bcher-kva.test', null]);
    expect(await whom(directory, at('buch', 'xn--bcher-kva.test'))).toEqual(['buch@xn--bcher-kva.test', null]);
  });

  it('T9: bare Postmaster and the postmaster of this host are that of the first domain', async () => {
    const { directory } = await open();
    expect(await whom(directory, at('Postmaster', ''))).toEqual(['alice@example.test', null]);
    expect(await whom(directory, at('postmaster', 'mail.example.test'))).toEqual(['alice@example.test', null]);
    expect(await whom(directory, at('alice', 'mail.example.test'))).toBe('remote');
    expect(await whom(directory, at('alice', ''))).toBe('unknown');
  });

  it('T9: names the domains whose postmaster is nobody', async () => {
    const { directory } = await open();
    expect(await domainsWithoutPostmaster(directory, ['example.test', 'second.test'])).toEqual(['second.test']);
  });

  it('owns its own address, its aliases and their details, and nothing else', async () => {
    const { directory } = await open();
    const found = await directory.resolve(at('alice'));
    if (found.kind !== 'account') throw new Error('alice is not there');
    for (const own of [
      at('alice'),
      at('Alice+news'),
      at('alice', 'second.test'),
      at('postmaster'),
      at('postmaster', ''),
    ])
      expect(directory.owns(found.account, own)).toBe(true);
    for (const other of [at('bob'), at('alice', 'elsewhere.test'), at('nobody'), at('bob+alice')])
      expect(directory.owns(found.account, other)).toBe(false);
  });

  it('S6: owns no address of a domain that is ours no more', async () => {
    const { store } = await open();
    const { directory } = await open({ store, domains: ['second.test'] });
    const found = await directory.resolve(at('alice', 'second.test'));
    if (found.kind !== 'account') throw new Error('alice is not there');
    expect(directory.owns(found.account, at('alice', 'second.test'))).toBe(true);
    expect(directory.owns(found.account, at('alice'))).toBe(false);
  });

  it.each([true, false])('knows a change as soon as its command resolved (account named: %s)', async (namesAccount) => {
    const store = accountStore({ namesAccount });
    const { directory } = await open({ store });
    const { account } = await put(store, 'carol@example.test', ['caro@example.test']);
    expect(await whom(directory, at('caro'))).toEqual(['carol@example.test', null]);
    await put(store, 'carol@example.test', []);
    expect(await whom(directory, at('caro'))).toBe('unknown');
    await store.execute<'remove-account'>({ kind: 'remove-account', account });
    expect(await whom(directory, at('carol'))).toBe('unknown');
    expect(directory.account(account)).toBeUndefined();
  });

  it('stops following when it is disposed', async () => {
    const { directory, store } = await open();
    expect(store.followers).toBe(1);
    await directory[Symbol.asyncDispose]();
    expect(store.followers).toBe(0);
  });
});

describe('catch-all', () => {
  const test = { catchAll: true, anyPassword: false };

  it('makes an account for any address of any domain at first use, once', async () => {
    const { directory, store } = await open({ store: accountStore(), test });
    const both = await Promise.all([
      whom(directory, at('Someone+tag', 'anywhere.example')),
      whom(directory, at('someone', 'anywhere.example')),
    ]);
    expect(both).toEqual([
      ['someone@anywhere.example', 'tag'],
      ['someone@anywhere.example', null],
    ]);
    expect(await store.read.accounts()).toHaveLength(1);
    expect(await whom(directory, at('Postmaster', ''))).toEqual(['postmaster@example.test', null]);
  });

  it('has no passwords without any_password', async () => {
    const { directory } = await open({ store: accountStore(), test });
    expect(await outcome(directory.authenticate('new@example.test', 'x', '192.0.2.1'))).toBe('rejected');
  });

  it('any_password takes every password but an empty one, for every account', async () => {
    const { directory } = await open({ store: accountStore(), test: { catchAll: true, anyPassword: true } });
    expect((await directory.authenticate('app', 'x', '192.0.2.1')).address).toBe('app@example.test');
    expect((await directory.authenticate('New@any.example', 'y', '192.0.2.1')).address).toBe('new@any.example');
    expect(await outcome(directory.authenticate('app', '', '192.0.2.1'))).toBe('rejected');
    expect(await outcome(directory.authenticate('not an address@', 'x', '192.0.2.1'))).toBe('rejected');
  });

  it('any_password opens the mailbox that mail for user+detail goes to, whichever comes first', async () => {
    const { directory } = await open({ store: accountStore(), test: { catchAll: true, anyPassword: true } });
    expect(await whom(directory, at('app+signup', 'any.example'))).toEqual(['app@any.example', 'signup']);
    expect((await directory.authenticate('app+signup@any.example', 'x', '192.0.2.1')).address).toBe('app@any.example');
    expect((await directory.authenticate('new+1@any.example', 'x', '192.0.2.1')).address).toBe('new@any.example');
    expect(await whom(directory, at('new+1', 'any.example'))).toEqual(['new@any.example', '1']);
  });

  it('any_password alone makes nobody', async () => {
    const { directory } = await open({ test: { catchAll: false, anyPassword: true } });
    expect((await directory.authenticate('bob@example.test', 'x', '192.0.2.1')).address).toBe('bob@example.test');
    expect(await outcome(directory.authenticate('carol@example.test', 'x', '192.0.2.1'))).toBe('rejected');
  });
});

describe('proofs', () => {
  const source = '192.0.2.1';

  it('are for the password that is kept, and not for one before it', async () => {
    const { directory, store } = await open();
    const kept = await directory.verifier('alice', 'sha256', source);
    expect(await directory.admit({ kind: 'account', account: await kept.confirm() }, source)).toMatchObject({
      address: 'alice@example.test',
    });
    await put(store, 'alice@example.test', [], builder);
    expect(await outcome(kept.confirm())).toBe('rejected');
  });

  it('ask as much of the store for a name that somebody has as for one that nobody has', async () => {
    const asked = async (name: string) => {
      const { directory, store } = await open();
      for (let round = 0; round < 3; round++) await directory.verifier(name, 'sha256', source);
      return store.epochs;
    };
    expect(await asked('alice')).toBe(1);
    expect(await asked('nobody')).toBe(1);
  });

  it('are told to nobody whose source has to wait', async () => {
    const clock = new FakeClock();
    const { directory } = await open({ clock });
    const guess = () => outcome(directory.admit({ kind: 'unproven', username: 'alice' }, source));
    for (let failures = 0; failures < 3; failures++) expect(await guess()).toBe('rejected');
    const waiting = guess();
    const kept = await directory.verifier('alice', 'sha256', source);
    expect(await outcome(kept.confirm())).toBe('busy');
    const elsewhere = await directory.verifier('alice', 'sha256', '198.51.100.1');
    expect(await outcome(elsewhere.confirm())).toBe('accepted');
    clock.advance(60_000);
    expect(await waiting).toBe('rejected');
    expect(await outcome(kept.confirm())).toBe('accepted');
  });
});

describe('certificates', () => {
  const refused = { kind: 'refused', reason: expect.any(String) };

  it('open the account that an address in them leads to, as a login name does', async () => {
    const { directory } = await open();
    const idOf = async (name: string) => (await directory.authenticate(name, 'wonderland', '192.0.2.1')).id;
    const alice = { kind: 'account', account: await idOf('alice') };
    for (const address of [
      'alice@example.test',
      'Alice@EXAMPLE.test',
      'alice@second.test',
      'postmaster@example.test',
    ]) {
      expect(await directory.certified([address], null)).toEqual(alice);
      expect(await directory.certified(['nobody@example.test', address], 'alice')).toEqual(alice);
    }
    for (const address of [
      'nobody@example.test',
      '\uFF41lice@example.test',
      'alice@other.test',
      'alice+x@example.test',
      `${'a'.repeat(300)}@x`,
    ]) {
      expect(await directory.certified([address], null)).toEqual(refused);
      expect(await directory.certified([address], 'alice')).toEqual(refused);
    }
    expect(await directory.certified([], null)).toEqual(refused);
  });

  it('of several accounts open the one that is asked for, and no other', async () => {
    const { directory } = await open();
    const both = ['alice@example.test', 'bob@example.test'];
    expect(await directory.certified(both, null)).toEqual(refused);
    expect(await directory.certified(both, 'bob@example.test')).toMatchObject({ kind: 'account' });
    expect(await directory.certified(both, 'postmaster@example.test')).toMatchObject({ kind: 'account' });
    expect(await directory.certified(['bob@example.test'], 'alice@example.test')).toEqual(refused);
    expect(await directory.certified(both, 'x\0')).toEqual(refused);
  });
});

describe('authentication', () => {
  it('takes the address, an alias, or the bare name of the first domain', async () => {
    const { directory } = await open();
    for (const name of ['alice@example.test', 'ALICE@second.test', 'alice'])
      expect((await directory.authenticate(name, 'wonderland', '192.0.2.1')).address).toBe('alice@example.test');
  });

  it('compares names as SASLprep has them (RFC 4616 §2)', async () => {
    const { directory } = await open();
    for (const name of ['al\u00ADice@example.test', '\uFF41lice', '\u24D0lice@example.test'])
      expect((await directory.authenticate(name, 'wonderland', '192.0.2.1')).address).toBe('alice@example.test');
  });

  it('rejects a wrong password, an unknown name, and a name with NUL or detail', async () => {
    const { directory } = await open();
    const attempts: [string, string][] = [
      ['alice@example.test', 'Wonderland'],
      ['nobody@example.test', 'wonderland'],
      ['alice@example.test\0x', 'wonderland'],
      ['alice@example.test', 'wonderland\0'],
      ['alice+x@example.test', 'wonderland'],
      ['alice@example.test', ''],
      ['', 'wonderland'],
    ];
    for (const [index, [name, password]] of attempts.entries())
      expect(await outcome(directory.authenticate(name, password, `192.0.2.${index}`))).toBe('rejected');
  });

  it('knows a new password at once, and the old one no more', async () => {
    const { directory, store } = await open();
    const bob = await directory.authenticate('bob@example.test', 'builder', '192.0.2.1');
    await store.execute<'set-password'>({ kind: 'set-password', account: bob.id as never, password: wonderland });
    expect(await outcome(directory.authenticate('bob@example.test', 'builder', '192.0.2.1'))).toBe('rejected');
    expect(await outcome(directory.authenticate('bob@example.test', 'wonderland', '192.0.2.1'))).toBe('accepted');
  });

  it('does not let a password through that changed while it was checked', async () => {
    const { directory, store } = await open();
    const login = outcome(directory.authenticate('bob@example.test', 'builder', '192.0.2.1'));
    const [bob] = (await store.read.accounts()).filter((row) => row.address === 'bob@example.test');
    if (bob === undefined) throw new Error('bob is not there');
    await store.execute<'set-password'>({ kind: 'set-password', account: bob.id, password: wonderland });
    expect(await login).toBe('rejected');
  });
});
