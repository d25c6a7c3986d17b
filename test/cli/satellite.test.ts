// config/satellite.toml as it is shipped, with the paths and ports of a test: a local program's message reaches the
// smarthost, with the login, over TLS, and the password is in nothing that is written.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeSpool } from '../../src/msa/spool.ts';
import { makeContext } from '../../src/platform/tls.ts';
import { type FakeServer, KEYWORDS, startFakeServer } from '../smtp/fake-server.ts';
import { scramServer } from '../smtp/scram-server.ts';
import { makeTestIdentity } from '../smtp/test-identity.ts';
import { launch, postern } from './postern.ts';

const config = join(import.meta.dirname, '../../config/satellite.toml');
const SECRET = 'w0nderl@nd';
const USER = 'satellite@example.org';

let folder: string;
let smarthost: FakeServer;
let env: Record<string, string>;
let child: ChildProcess | null = null;
let output = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-satellite-'));
  const identity = await makeTestIdentity('127.0.0.1');
  smarthost = await startFakeServer({
    implicit: true,
    context: makeContext([identity], 'strict'),
    keywords: [...KEYWORDS, 'AUTH PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS'],
    on: scramServer(USER, SECRET).on,
  });
  await writeFile(join(folder, 'password'), `${SECRET}\n`);
  await writeFile(join(folder, 'ca.pem'), identity.certificate);
  env = {
    POSTERN_DATA: join(folder, 'data'),
    POSTERN_TLS_FOLDER: join(folder, 'certs'),
    POSTERN_SENDMAIL_FOLDER: join(folder, 'spool'),
    POSTERN_LISTENER_1: 'role=transfer;address=127.0.0.1;port=0;tls=none',
    POSTERN_RELAY_SMARTHOST: `smtps://127.0.0.1:${smarthost.port}`,
    POSTERN_RELAY_CA: join(folder, 'ca.pem'),
    POSTERN_RELAY_CREDENTIALS_1: `host=127.0.0.1;user=${USER};password_file=${join(folder, 'password')}`,
  };
});
afterEach(async () => {
  await stop();
  await smarthost.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const given = Object.entries(process.env).filter(([name]) => !/^(?:POSTERN_|VITEST|NODE_)/.test(name));
  child = spawn(process.execPath, [launch, '--config', config, 'serve'], {
    cwd: folder,
    env: { ...Object.fromEntries(given), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  output = '';
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (/^ready$/m.test(output)) ready.resolve();
    });
  }
  child.once('exit', () => ready.reject(new Error(output)));
  await ready.promise;
}

async function stop(): Promise<void> {
  const running = child;
  child = null;
  if (running === null || running.exitCode !== null) return;
  const ended = once(running, 'exit');
  running.kill();
  await ended;
}

const sendmail = (args: readonly string[], input: string) =>
  postern(['--config', config, 'sendmail', ...args], { cwd: folder, env, input });

it('relays what local programs send, now and from before it ran', async () => {
  await makeSpool({ folder: join(folder, 'spool'), open: true });
  expect((await sendmail(['-i', '-f', 'cron', 'root'], 'Subject: before\nFrom: cron\nTo: root\n\nx\n')).code).toBe(0);
  await start();
  expect((await sendmail(['-t', '-f', 'me@example.org'], 'Subject: now\nTo: you@far.test\n\nx\n')).code).toBe(0);
  await smarthost.until(() => smarthost.messages.length === 2);
  const [before, now] = [...smarthost.messages].sort((one, other) => one.mail.localeCompare(other.mail));
  expect(before).toMatchObject({ secure: true, recipients: ['RCPT TO:<root@example.org>'] });
  expect(before?.mail).toMatch(/^MAIL FROM:<cron@example\.org>/);
  expect(before?.content).toContain('From: cron@example.org\r\nTo: root@example.org\r\n');
  expect(now).toMatchObject({ secure: true, recipients: ['RCPT TO:<you@far.test>'] });
  await stop();
  expect(output).not.toContain(SECRET);
});

it('shows a refused login in its log, and in nothing a password', async () => {
  smarthost.script = {
    ...smarthost.script,
    on: (line) => (line.startsWith('AUTH') ? `535 5.7.8 ${SECRET}` : undefined),
  };
  await start();
  expect((await sendmail(['you@far.test'], 'Subject: x\n\nx\n')).code).toBe(0);
  const show = () => postern(['--config', config, 'queue', 'show', '1'], { cwd: folder, env });
  await expect.poll(async () => (await show()).stdout).toContain('535');
  const ports = await postern(['--config', config, 'ports', '--json'], { cwd: folder, env });
  expect(output).toContain('535');
  expect([output, (await show()).stdout, ports.stdout].join('\n')).not.toContain(SECRET);
});
