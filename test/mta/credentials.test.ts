// Secrets from files and commands: read anew at each login, and in no error text.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LoginConfig } from '../../src/config/config.ts';
import { credentialsOf } from '../../src/mta/credentials.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-credentials-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const secretOf = (secret: LoginConfig['secret']) => credentialsOf({ user: 'u', mechanism: null, secret }).secret();
const node = (script: string) => ({ kind: 'token-command', command: [process.execPath, '-e', script] }) as const;

test('a file is read anew at each login', async () => {
  const path = join(folder, 'password');
  const credentials = credentialsOf({ user: 'u', mechanism: null, secret: { kind: 'password-file', path } });
  await expect(credentials.secret()).rejects.toThrow(path);
  await writeFile(path, 'one two \r\nnot this\n');
  expect(await credentials.secret()).toEqual({ kind: 'password', text: 'one two ' });
  await writeFile(path, 'three');
  expect(await credentials.secret()).toEqual({ kind: 'password', text: 'three' });
});

test('a token from a file or a command', async () => {
  const path = join(folder, 'token');
  await writeFile(path, ' ya29.token \n');
  expect(await secretOf({ kind: 'token-file', path })).toEqual({ kind: 'token', text: 'ya29.token' });
  expect(await secretOf(node('console.log("from a command")'))).toEqual({ kind: 'token', text: 'from a command' });
});

test.each([
  ['fails', 'console.error("s3cret"); console.log("s3cret"); process.exit(3)'],
  ['says nothing', ''],
  ['says too much', 'process.stdout.write("s3cret".repeat(100000))'],
])('a command that %s gives no secret, and tells none', async (_, script) => {
  const error = await secretOf(node(script)).then(
    () => expect.unreachable(),
    (reason: Error) => reason,
  );
  expect(error.message).not.toContain('s3cret');
});

test('a command that does not exist', async () => {
  await expect(secretOf({ kind: 'token-command', command: [join(folder, 'none')] })).rejects.toThrow('ENOENT');
});
