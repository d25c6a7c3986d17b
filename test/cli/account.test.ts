// The verb `account` over a store where no server runs and through one that does: the same words, the same outcome, and no
// password anywhere but where it belongs.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { passwd } from '../../src/cli/account.ts';
import { ImapClient } from '../clients/imap.ts';
import { Program, userAddress } from '../process/program.ts';
import { type Ended, linesOf, postern, type RunOptions, type Site, site } from './postern.ts';

type Run = (args: readonly string[], options?: RunOptions) => Promise<Ended>;

interface Place {
  readonly run: Run;
  /** An account of the configuration, and where it is written. */
  readonly seeded: { readonly address: string; readonly at: string };
}

/** What must hold, with the server running and without. */
function verbs(place: () => Place): void {
  it('makes an account with a password from standard input', async () => {
    const { run } = place();
    const args = ['account', 'add', 'Carol@EXAMPLE.test', '--alias', 'c@example.test', '--alias', 'cc@example.test'];
    const made = await run([...args, '--quota', '1GB'], { input: 'looking glass\nmore\n' });
    expect(made).toEqual({ code: 0, stdout: expect.stringContaining('Carol@example.test'), stderr: '' });
    const listed = await run(['account', 'list', '--json']);
    expect(JSON.parse(listed.stdout)).toContainEqual(
      expect.objectContaining({
        address: 'Carol@example.test',
        aliases: ['c@example.test', 'cc@example.test'],
        quota: 1024 ** 3,
        seeded: false,
        hasPassword: true,
      }),
    );
    expect(listed.stdout).not.toMatch(/argon2|scram|looking/i);
  });

  it('makes one with a password from the environment, and shows it in columns', async () => {
    const { run } = place();
    const made = await run(['account', 'add', 'dave@example.test'], {
      env: { POSTERN_PASSWORD: 'from the environment' },
    });
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const { stdout } = await run(['account', 'list']);
    expect(linesOf(stdout).find((line) => line.startsWith('dave@example.test '))).toBeDefined();
  });

  it.each([
    ['an address that is taken', ['dave@example.test'], 1],
    ['an address that is taken, in other letters', ['DAVE@example.test'], 1],
    ['an alias that is taken', ['erin@example.test', '--alias', 'c@example.test'], 1],
    ['an address that is an alias', ['c@example.test'], 1],
    ['what stands for no address but itself', ['erin@example.test', '--alias', '*@example.test'], 2],
  ])('refuses %s', async (_, args, code) => {
    const ended = await place().run(['account', 'add', ...args], { input: 'x\n' });
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    expect(linesOf(ended.stderr)).toHaveLength(1);
  });

  it.each([
    ['none', ''],
    ['an empty line', '\nsecond line\n'],
    ['one that is too long', `${'x'.repeat(1025)}\n`],
    ['one that does not end', 'x'.repeat(5_000_000)],
    ['one with NUL', 'a\0b\n'],
  ])('a password: %s', async (_, input) => {
    const { run } = place();
    const ended = await run(['account', 'add', 'erin@example.test'], { input });
    expect([ended.code, ended.stdout]).toEqual([2, '']);
    expect(linesOf(ended.stderr)).toHaveLength(1);
    expect((await run(['account', 'list'])).stdout).not.toContain('erin');
  });

  it('sets a password anew, by any address of the account', async () => {
    const { run } = place();
    const ended = await run(['account', 'passwd', 'CC@example.test'], { input: 'second\r\n' });
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('Carol@example.test'), stderr: '' });
  });

  it('changes aliases and quota, and nothing else', async () => {
    const { run } = place();
    const accounts = async (): Promise<{ address: string }[]> =>
      JSON.parse((await run(['account', 'list', '--json'])).stdout);
    const carol = async () => (await accounts()).find(({ address }) => address === 'Carol@example.test');
    const before = await carol();
    const args = ['--alias', 'c2@example.test', '--alias', 'CC@example.test', '--drop', 'C@example.test'];
    const changed = await run(['account', 'change', 'carol@example.test', ...args]);
    expect(changed).toEqual({
      code: 0,
      stdout: 'Carol@example.test has the aliases cc@example.test c2@example.test and a quota of 1.0 GB now\n',
      stderr: '',
    });
    expect(await carol()).toEqual({ ...before, aliases: ['cc@example.test', 'c2@example.test'] });
    // What another account has is taken on purpose only.
    const alias = ['account', 'change', 'dave@example.test', '--quota', '2GB', '--alias', 'c2@example.test'];
    expect(await run(alias)).toMatchObject({ code: 1, stderr: expect.stringContaining('--take') });
    const take = alias.map((word) => (word === '--alias' ? '--take' : word));
    expect(await run(take)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('c2@example.test and a quota of 2'),
    });
    expect(await carol()).toEqual({ ...before, aliases: ['cc@example.test'] });
    expect((await run(['account', 'change', 'dave@example.test', '--quota', 'none'])).stdout).toBe(
      'dave@example.test has the aliases c2@example.test and no quota now\n',
    );
  });

  it.each([
    ['nothing', [], 2, '--quota'],
    ['an alias of another domain', ['--alias', 'dave@example.org'], 2, 'example.org'],
    ['a quota that is none', ['--quota', 'much'], 2, '--quota much'],
    ['an alias away that is none', ['--drop', 'c@example.test'], 1, 'no alias of dave@example.test'],
    ['an alias away that is the account', ['--drop', 'dave@example.test'], 1, 'no alias of dave@example.test'],
    ['to what is an account of its own', ['--take', 'carol@example.test'], 1, 'an account of its own'],
    ['to what is nobody', ['--take', 'nobody@example.test'], 1, 'no account nobody@example.test'],
    ["to what is the configuration's", ['--take', 'postmaster@example.test'], 1, 'is written in'],
  ])('does not change %s', async (_, args, code, told) => {
    const { run } = place();
    const before = (await run(['account', 'list', '--json'])).stdout;
    const ended = await run(['account', 'change', 'dave@example.test', ...args]);
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    expect(linesOf(ended.stderr)).toEqual([expect.stringContaining(told)]);
    expect((await run(['account', 'list', '--json'])).stdout).toBe(before);
  });

  it('does not touch what the configuration has made, and names the line', async () => {
    const { run, seeded } = place();
    for (const verb of ['passwd', 'remove', 'change']) {
      const more = verb === 'change' ? ['--quota', 'none'] : [];
      const ended = await run(['account', verb, seeded.address, ...more], { input: 'x\n' });
      expect([ended.code, ended.stdout]).toEqual([1, '']);
      expect(linesOf(ended.stderr)).toEqual([expect.stringContaining(seeded.at)]);
    }
  });

  it('knows who is not there', async () => {
    for (const verb of ['passwd', 'remove']) {
      const ended = await place().run(['account', verb, 'nobody@example.test'], { input: 'x\n' });
      expect([ended.code, ended.stdout]).toEqual([1, '']);
      expect(ended.stderr).toContain('nobody@example.test');
    }
  });

  it('removes an account, and its addresses are free again; by its own name, not by an alias', async () => {
    const { run } = place();
    const byAlias = await run(['account', 'remove', 'cc@example.test']);
    expect([byAlias.code, byAlias.stdout]).toEqual([1, '']);
    expect(linesOf(byAlias.stderr)).toEqual([expect.stringContaining('Carol@example.test')]);
    expect(await run(['account', 'remove', 'carol@example.test'])).toMatchObject({ code: 0, stderr: '' });
    expect((await run(['account', 'list'])).stdout).not.toContain('arol@');
    expect((await run(['account', 'add', 'cc@example.test'], { input: 'x\n' })).code).toBe(0);
    expect((await run(['account', 'remove', 'cc@example.test'])).code).toBe(0);
  });
}

describe('before the first start', () => {
  let place: Site;
  beforeAll(async () => {
    place = await site();
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('there is nothing to see or to change, and looking makes nothing', async () => {
    for (const args of [['list'], ['passwd', 'carol@example.test'], ['remove', 'carol@example.test']]) {
      const ended = await place.run(['account', ...args], { input: 'x\n' });
      expect([ended.code, ended.stdout]).toEqual([1, '']);
      expect(linesOf(ended.stderr)).toEqual([expect.stringContaining(join(place.folder, 'data'))]);
    }
    expect(await readdir(place.folder)).toEqual(['postern.toml']);
  });

  it('an account can be made', async () => {
    expect((await place.run(['account', 'add', 'first@example.test'], { input: 'x\n' })).code).toBe(0);
    // Standard input may stay open.
    const env = { POSTERN_PASSWORD: 'x' };
    expect((await place.run(['account', 'add', 'second@example.test'], { env, input: null })).code).toBe(0);
    const listed = JSON.parse((await place.run(['account', 'list', '--json'])).stdout);
    expect(listed).toMatchObject([{ address: 'first@example.test' }, { address: 'second@example.test' }]);
  });

  it('the address of the postmaster goes from one account to another, and is never nobody', async () => {
    const postmaster = 'postmaster@example.test';
    const change = (address: string, ...args: string[]) => place.run(['account', 'change', address, ...args]);
    expect(
      (await place.run(['account', 'add', 'third@example.test', '--alias', postmaster], { input: 'x\n' })).code,
    ).toBe(0);
    for (const args of [
      ['change', 'third@example.test', '--drop', postmaster],
      ['remove', 'third@example.test'],
    ]) {
      const ended = await place.run(['account', ...args]);
      expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('RFC 5321 §4.5.1') });
    }
    expect(await change('second@example.test', '--take', 'Postmaster@example.test')).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect((await place.run(['account', 'remove', 'third@example.test'])).code).toBe(0);
  });

  it('nobody has the store while a password is awaited', async () => {
    const seen = Promise.withResolvers<Ended>();
    const typed = new Readable({
      read() {
        place.run(['account', 'list']).then((ended) => {
          seen.resolve(ended);
          this.push('second\n');
          this.push(null);
        }, seen.reject);
      },
    });
    const context = {
      configFile: place.config,
      env: {},
      cwd: place.folder,
      stdin: typed as NodeJS.ReadStream, // no terminal
      stdout: new PassThrough(),
      stderr: new PassThrough(),
    };
    expect(await passwd(context, 'first@example.test')).toBe(0);
    expect(await seen.promise).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('after the server has ended', () => {
  let program: Program;
  const own = { address: userAddress(2), at: '' };
  beforeAll(async () => {
    program = await Program.start();
    await program.stop();
    own.at = await lineOf(program.config, own.address);
  });
  afterAll(() => program[Symbol.asyncDispose]());
  verbs(() => ({ run: (args, options) => postern(['--config', program.config, ...args], options), seeded: own }));
});

/** `file:line` of the table that has an account. */
async function lineOf(config: string, address: string): Promise<string> {
  const lines = (await readFile(config, 'utf8')).split('\n');
  return `${config}:${lines.indexOf(`address = "${address}"`)}`;
}

describe('through a server', () => {
  let program: Program;
  const own = { address: userAddress(2), at: '' };
  const place = (): Place => ({
    run: (args, options) => postern(['--config', program.config, ...args], options),
    seeded: own,
  });
  beforeAll(async () => {
    program = await Program.start({ logLevel: 'trace' });
    own.at = await lineOf(program.config, own.address);
  });
  afterAll(() => program[Symbol.asyncDispose]());

  verbs(place);

  it('a change counts at once: the account can log in, then with another password, then not at all', async () => {
    const { run } = place();
    const login = (password: string) =>
      ImapClient.open({ port: program.port(993), tls: 'implicit' }, { user: 'frank@example.test', password }).then(
        (client) => {
          client[Symbol.dispose]();
          return true;
        },
        () => false,
      );
    await run(['account', 'add', 'frank@example.test'], { input: 'Tr0ubadour-one\n' });
    expect(await login('Tr0ubadour-one')).toBe(true);
    await run(['account', 'passwd', 'frank@example.test'], { input: 'Tr0ubadour-two\n' });
    expect(await login('Tr0ubadour-one')).toBe(false);
    expect(await login('Tr0ubadour-two')).toBe(true);
    await run(['account', 'remove', 'frank@example.test']);
    expect(await login('Tr0ubadour-two')).toBe(false);
    expect(program.output.join('\n')).not.toContain('Tr0ubadour');
  });

  it('the postmaster stays somebody', async () => {
    const { run } = place();
    const ended = await run(['account', 'remove', 'postmaster@example.test']);
    expect([ended.code, ended.stdout]).toEqual([1, '']);
  });
});
