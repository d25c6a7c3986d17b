// The verb `sendmail` and the link of its name, as processes: with a server, without one, and for the next one.

import { readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ImapClient } from '../clients/imap.ts';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { launch, postern, type RunOptions, site } from './postern.ts';

const [alice, bob] = [userAddress(1), userAddress(2)];
const LETTER = 'Subject: hello\nTo: user02\nBcc: user01\n\nHello.\n';

let program: Program;
beforeAll(async () => {
  program = await Program.start();
});
afterAll(() => program[Symbol.asyncDispose]());

const run = (args: readonly string[], input: string, options: RunOptions = {}) =>
  postern(['--config', program.config, 'sendmail', ...args], { cwd: program.folder, input, ...options });

async function inbox(user: string): Promise<string[]> {
  using client = await ImapClient.open({ port: program.port(993), tls: 'implicit' }, { user, password: PASSWORD });
  return (await client.messages('INBOX')).map(String);
}

describe('with a server', () => {
  it('-t: everybody named has it when the program ends, and nobody sees the Bcc', async () => {
    expect(await run(['-t', '-i', '-f', alice, '-F', 'Al Ice'], LETTER)).toEqual({ code: 0, stdout: '', stderr: '' });
    const [[mine = ''], [theirs = '']] = await Promise.all([inbox(alice), inbox(bob)]);
    expect(mine).toContain(`From: Al Ice <${alice}>\r\n`);
    expect(theirs).toContain(`Return-Path: <${alice}>\r\n`);
    expect(mine + theirs).not.toMatch(/^Bcc:/m);
    expect(await readdir(join(program.folder, 'data/spool'))).toEqual([]);
  });

  it('as a link called sendmail, from any folder', async () => {
    const link = join(program.folder, 'sendmail');
    await symlink(launch, link);
    const env = { POSTERN_CONFIG: program.config };
    const before = (await inbox(bob)).length;
    // The link stands where the program's own file does.
    const ended = await postern(['-oi', '--', bob], { cwd: '/', env, input: 'no header\n', script: link });
    expect(ended).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await inbox(bob)).slice(before)).toEqual([expect.stringMatching(/\r\n\r\nno header\r\n$/)]);
  });

  it.each([
    [['no@example.test', bob], LETTER, 67],
    [['-t'], 'Subject: to nobody\n\n', 64],
    [[], LETTER, 64],
    [['-bs'], '', 64],
    [['-Z', bob], LETTER, 64],
    [['@', bob], LETTER, 65],
    [[bob], `X-Long: ${'x'.repeat(600_000)}\n\n`, 65],
    [['-C', '/does/not/exist.toml', bob], LETTER, 78],
    [['-bi'], '', 0],
  ])('%j ends with its code of sysexits', async (args, input, code) => {
    const before = (await inbox(bob)).length;
    const ended = await run(args, input);
    expect(ended.code).toBe(code);
    expect(ended.stderr === '').toBe(code === 0);
    expect(await inbox(bob)).toHaveLength(before);
    expect(await readdir(join(program.folder, 'data/spool'))).toEqual([]);
  });
});

describe('without a server', () => {
  it('the message waits for the next one, which takes it at its start', async () => {
    await program.stop();
    expect((await run(['-i', bob], 'Subject: waits\n\n.\nx\n')).code).toBe(0);
    expect(await readdir(join(program.folder, 'data/spool'))).toHaveLength(1);
    await program.start();
    await expect
      .poll(async () => (await inbox(bob)).filter((each) => each.includes('Subject: waits')))
      .toEqual([expect.stringMatching(/\r\n\r\n\.\r\nx\r\n$/)]);
    await expect.poll(() => readdir(join(program.folder, 'data/spool'))).toEqual([]);
  });

  it('also where none has ever run', async () => {
    await using nowhere = await site();
    const { code } = await nowhere.run(['sendmail', bob], { input: LETTER });
    expect(code).toBe(0);
    expect(await readdir(join(nowhere.folder, 'data/spool'))).toHaveLength(1);
  });
});
