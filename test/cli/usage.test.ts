// What the program says of itself, and how it ends where it is used wrongly or cannot start: in few words, with the exit code
// that a script can tell them apart by.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bare, launch, linesOf, postern, site } from './postern.ts';

/** Every verb with those under it. */
async function verbs(path: readonly string[] = []): Promise<readonly (readonly string[])[]> {
  // A verb that is not known shows the help of all, whose verbs would be looked for below it without end.
  if (path.length > 2) throw new Error(`no verb lies so deep: ${path.join(' ')}`);
  const { stdout } = await postern([...path, '--help']);
  const section = stdout.split('\nCommands:\n')[1]?.split('\n\n')[0] ?? '';
  const names = linesOf(section).flatMap((line) => /^ {2}([\w-]+)/.exec(line)?.[1] ?? []);
  const under = await Promise.all(names.map((name) => verbs([...path, name])));
  return [path, ...under.flat()];
}

it('the help of each verb describes it, its arguments and its options', async () => {
  const all = await verbs();
  expect(all.map((path) => path.join(' ')).sort()).toEqual(
    [
      '',
      'account',
      'account add',
      'account change',
      'account list',
      'account passwd',
      'account remove',
      'dns',
      'health',
      'ports',
      'queue',
      'queue hold',
      'queue list',
      'queue release',
      'queue remove',
      'queue resume',
      'queue retry',
      'queue show',
      'queue status',
      'queue suspend',
      'send',
      'sendmail',
      'serve',
      'tls-reports',
    ].sort(),
  );
  for (const path of all) {
    const { code, stdout, stderr } = await postern([...path, '--help']);
    expect([code, stderr], path.join(' ')).toEqual([0, '']);
    const [usage = '', description = ''] = linesOf(stdout);
    expect(usage).toMatch(/^Usage: postern/);
    expect(description, path.join(' ')).toMatch(/^\w.{10}/);
    for (const line of linesOf(stdout).filter((each) => /^ {2}\S/.test(each))) {
      expect(line, path.join(' ')).toMatch(/^ {2}\S+(?: \S+)* {2,}\S/);
    }
  }
});

it('says its version', async () => {
  expect(await postern(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

it.each([
  [[]],
  [['account']],
  [['queue']],
  [['sevre']],
  [['serve', '--port', '25']],
  [['serve', 'extra']],
  [['account', 'add']],
  [['account', 'add', 'carol@example.test', 'dave@example.test']],
  [['account', 'add', 'carol']],
  [['account', 'add', 'carol@other.test']],
  [['account', 'add', 'carol@example.test', '--quota', 'lots']],
  [['account', 'add', 'carol@example.test', '--alias', 'dave']],
  [['queue', 'show']],
  [['queue', 'show', 'first']],
  [['queue', 'show', '0']],
  [['queue', 'retry']],
  [['queue', 'remove', '1', '--all']],
  [['queue', 'remove', '--all', '--domain', 'a.test']],
  [['queue', 'list', '--domain', 'a b']],
  [['queue', 'list', '--sender', 'alice']],
  [['queue', 'list', '--recipient', '<>']],
  [['queue', 'list', '--state', 'lost']],
  [['queue', 'list', '--older', 'yesterday']],
  [['queue', 'hold']],
  [['queue', 'release', '1', '--state', 'held']],
  [['queue', 'suspend']],
  [['queue', 'resume', 'a b']],
  [['send']],
  [['send', '--from', 'alice@example.test']],
  [['send', '--from', 'alice@example.test', '--to', 'alice@example.test', '--attach', '']],
  [['send', '--from', 'alice@example.test', '--to', 'alice@example.test', 'bob']],
  [['send', '--from', 'alice@example.test', '--to', 'alice@example.test', '']],
  [['send', '--from', 'alice', '--to', 'alice@example.test']],
])('%j is wrong usage', async (args) => {
  await using place = await site();
  const { code, stdout, stderr } = await place.run(args, { input: 'secret\n' });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).not.toBe('');
  expect(stderr).not.toContain('    at ');
});

it('a wrong configuration ends every verb, with its line', async () => {
  await using place = await site('[limits]\nrecipients = 5');
  const lines = linesOf(await readFile(place.config, 'utf8'));
  const line = 1 + lines.indexOf('recipients = 5');
  for (const verb of [['serve'], ['ports'], ['account', 'list'], ['queue', 'list'], ['health']]) {
    const { code, stdout, stderr } = await place.run(verb);
    expect([code, stdout]).toEqual([78, '']);
    expect(linesOf(stderr)).toEqual([expect.stringContaining(`${place.config}:${line}: limits.recipients `)]);
  }
  const missing = await postern(['ports', '--config', 'none.toml'], { cwd: place.folder });
  expect(missing).toMatchObject({ code: 78, stderr: expect.stringMatching(/^none\.toml: [^\n]+\n$/) });
  const variable = await place.run(['ports'], { env: { POSTERN_LIMITS_RECIPIENTS: '100', POSTERN_HOSTNAM: 'x' } });
  expect(variable).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/^POSTERN_HOSTNAM: [^\n]*POSTERN_HOSTNAME/),
  });
});

it('finds its configuration by the option, the variable, or in its usual place', async () => {
  await using place = await site();
  const env = { POSTERN_CONFIG: place.config };
  expect((await postern(['ports', '--json'], { env })).code).toBe(0);
  const option = await postern(['ports', '-c', 'postern.toml'], { cwd: place.folder, env: { POSTERN_CONFIG: 'none' } });
  expect(option.code).toBe(0);
  const usual = await postern(['ports'], { cwd: place.folder });
  expect(usual).toMatchObject({ code: 78, stderr: expect.stringContaining('config/postern.toml') });
});

it('what keeps the server from starting is one line', async () => {
  const taken = createServer();
  await once(taken.listen(0, '127.0.0.1'), 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const starts: readonly (readonly [string, string])[] = [
    [`[[listener]]\nrole = "imap"\nport = ${port}\ntls = "implicit"`, String(port)],
    ['[[listener]]\nrole = "imap"\naddress = "192.0.2.1"\nport = 0\ntls = "implicit"', '192.0.2.1'],
  ];
  for (const [more, named] of starts) {
    await using place = await site(more);
    const { code, stdout, stderr } = await place.run(['serve'], { env: { POSTERN_LOG_LEVEL: 'silent' } });
    expect([code, stdout]).toEqual([1, '']);
    expect(linesOf(stderr)).toEqual([expect.stringContaining(named)]);
  }
  taken.close();
});

it('so is a certificate that cannot be used, a postmaster that is missing, a data folder that is none', async () => {
  await using place = await site();
  const pem = join(place.folder, 'own.pem');
  await writeFile(pem, 'nonsense');
  const starts: readonly (readonly [Record<string, string>, string])[] = [
    [{ POSTERN_TLS_CERTIFICATE: pem, POSTERN_TLS_KEY: pem }, pem],
    [{ POSTERN_DOMAINS: 'example.test,second.test' }, 'postmaster@second.test'],
    [{ POSTERN_DATA: pem }, pem],
    // Where nobody can make anything, whatever the rights.
    [{ POSTERN_DATA: '/proc/x/data' }, '/proc/x/data'],
    [{ POSTERN_TLS_FOLDER: '/proc/x/certs' }, '/proc/x/certs'],
    [{ POSTERN_TLS_FOLDER: join(pem, 'certs') }, pem],
    [{ POSTERN_DATA: join(place.folder, 'x'.repeat(120)) }, 'x'.repeat(120)],
  ];
  for (const [env, named] of starts) {
    const { code, stdout, stderr } = await place.run(['serve'], { env: { POSTERN_LOG_LEVEL: 'silent', ...env } });
    expect([code, stdout], named).toEqual([1, '']);
    expect(linesOf(stderr)).toEqual([expect.stringContaining(named)]);
  }
});

const old = `data:text/javascript,${encodeURIComponent(
  "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.4' } });",
)}`;

it('a Node that is too old is told so in one line', async () => {
  for (const args of [['serve'], ['--require-node'], ['--version']]) {
    const { code, stdout, stderr } = await postern(args, { node: ['--import', old] });
    expect([code, stdout]).toEqual([1, '']);
    expect(linesOf(stderr)).toEqual([expect.stringContaining('20.19.4')]);
  }
  expect(await postern(['--require-node'])).toEqual({ code: 0, stdout: '', stderr: '' });
});

it('one that is too old hands over to the Node that came along, also under another name and for a server', async () => {
  const elsewhere = `data:text/javascript,${encodeURIComponent("process.execPath = '/bin/sh';")}`;
  const node = ['--import', old, '--import', elsewhere];
  expect(await postern(['--version'], { node })).toEqual(await postern(['--version']));
  expect(await postern(['frob'], { node })).toMatchObject({ code: 2, stdout: '' });
  // For npm's own scripts, which have it in their path.
  expect(await postern(['--require-node'], { node })).toMatchObject({ code: 1, stdout: '' });
  await using place = await site();
  const link = join(place.folder, 'sendmail');
  await symlink(launch, link);
  const env = { POSTERN_CONFIG: place.config };
  const taken = await postern(['alice@example.test'], { node, script: link, env, input: 'Subject: from cron\n\nx\n' });
  expect(taken).toEqual({ code: 0, stdout: '', stderr: '' });

  const server = spawn(process.execPath, [...node, launch, 'serve'], { env: { ...bare(), ...env } });
  let said = '';
  server.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  await expect.poll(() => said).toContain('ready');
  server.kill();
  expect(await once(server, 'close')).toEqual([0, null]);
});

it('so does the Node of this machine, if it is one', async () => {
  const executable = '/usr/bin/node';
  const version = existsSync(executable) ? execFileSync(executable, ['--version'], { encoding: 'utf8' }).trim() : '';
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
  if (version === '' || major > 24 || (major === 24 && minor >= 7)) return;
  const { code, stdout, stderr } = await postern(['--require-node'], { executable });
  expect([code, stdout]).toEqual([1, '']);
  expect(linesOf(stderr)).toEqual([expect.stringContaining(version.slice(1))]);
  expect(await postern(['--version'], { executable })).toEqual(await postern(['--version']));
});
