// Files of authorities: certificates out of them, and what stops a start.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAuthorities } from '../../src/platform/authorities.ts';
import { makeTestIdentity } from '../smtp/test-identity.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-authorities-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('all certificates of all files', async () => {
  const [one, two] = await Promise.all([makeTestIdentity('one.test'), makeTestIdentity('two.test')]);
  await writeFile(join(folder, 'two.pem'), `# comment\n${one.certificate}\n${two.certificate}\n`);
  expect(await readAuthorities([join(folder, 'two.pem')], 'relay.ca')).toHaveLength(2);
  expect(await readAuthorities([], 'relay.ca')).toEqual([]);
});

test.each([
  ['no file', null],
  ['no certificate', 'hello'],
  ['a broken one', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
])('%s is an error that names the file', async (_, text) => {
  const file = join(folder, 'wrong.pem');
  if (text !== null) await writeFile(file, text);
  await expect(readAuthorities([file], 'relay.ca')).rejects.toThrow(file);
});
