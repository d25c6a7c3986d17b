// Programs that hand over mail by calling sendmail (PORTS.md H6): they find a link of that name, and know no port.

import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch } from '../cli/postern.ts';
import { Program, userAddress } from '../process/program.ts';
import { cases, program, run, succeed } from './foreign.ts';
import { bodyOf, message } from './mailbox.ts';

// Two of them have no way to say their version.
const mailx = await program('bsd-mailx', ['bsd-mailx', '-?'], /version (\S+)/);
const neomutt = await program('neomutt', ['neomutt', '-v'], /NeoMutt (\S+)/);
const git = await program('git send-email', ['/usr/lib/git-core/git-send-email', '-h'], /version (\S+)/);

let server: Program;
let folder: string;
let link: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-sendmail-'));
  server = await Program.start({ users: 3 });
  link = join(folder, 'sendmail');
  await symlink(launch, link);
  const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
  env = { PATH: path, POSTERN_CONFIG: server.config, HOME: folder, EMAIL: userAddress(1) };
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

cases([mailx], () => {
  test('mail -s, with copies seen and unseen', async () => {
    const rc = join(folder, 'mailrc');
    await writeFile(rc, `set sendmail=${link}\n`);
    const args = ['-s', 'by mail', '-c', userAddress(3), '-b', userAddress(1), 'user02'];
    await succeed('bsd-mailx', args, { input: 'one line\n..\nÜ\n', env: { ...env, MAILRC: rc } });
    const octets = await message(server, 2, 'by mail');
    expect(bodyOf(octets)).toContain('one line\r\n..\r\nÜ\r\n');
    expect(octets).toMatch(/^Cc: user03@example\.test\r$/im);
    expect(octets).not.toMatch(/^Bcc:/im);
    for (const user of [1, 3]) await message(server, user, 'by mail');
  });

  test('who is nobody is told to the caller', async () => {
    const rc = join(folder, 'mailrc');
    await writeFile(rc, `set sendmail=${link}\nset sendwait\n`);
    const { said } = await run('bsd-mailx', ['-s', 'to nobody', 'no@example.test'], {
      input: 'x\n',
      env: { ...env, MAILRC: rc },
    });
    expect(said).toContain('5.1.1');
  });
});

cases([neomutt], () => {
  test('neomutt -s, with an address of its own and a report asked for', async () => {
    const rc = join(folder, 'muttrc');
    const settings = [`sendmail="${link} -oem -oi"`, 'use_envelope_from=yes', `from=${userAddress(1)}`, 'copy=no'];
    await writeFile(rc, [...settings, 'dsn_notify=success', 'dsn_return=hdrs'].map((line) => `set ${line}\n`).join(''));
    const args = ['-n', '-F', rc, '-s', 'by mutt', '--', userAddress(2)];
    await succeed('neomutt', args, { input: 'hello\n.\nend\n', env });
    const octets = await message(server, 2, 'by mutt');
    expect(octets).toMatch(/^Return-Path: <user01@example\.test>\r\n/);
    expect(bodyOf(octets)).toBe('hello\r\n.\r\nend\r\n');
  });
});

cases([git], () => {
  test('git send-email', async () => {
    const patch = join(folder, '0001-x.patch');
    const head = 'From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001';
    await writeFile(patch, `${head}\nFrom: Al <${userAddress(1)}>\nSubject: [PATCH] by git\n\nwhy\n---\n x | 1 +\n`);
    const args = [`--sendmail-cmd=${link}`, '--from', userAddress(1), '--to', userAddress(2), '--confirm=never', patch];
    await succeed('git', ['send-email', ...args], { env, cwd: folder });
    expect(bodyOf(await message(server, 2, '[PATCH] by git'))).toContain('\r\nwhy\r\n---\r\n');
  });
});
