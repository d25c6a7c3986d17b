// The files that keys are in: made once, closed to others, and refused by name when they are no keys for this.

import { execFile } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DkimKeyError, dkimKeys, dkimRecord } from '../../src/trust/dkim/keys.ts';
import { SELECTORS } from './verifier.ts';

let folder: string;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'postern-keys-')), 'dkim');
});
afterEach(() => rm(join(folder, '..'), { recursive: true }));

const keys = () => dkimKeys(folder, 'example.test', SELECTORS);
const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

it('are made at first use, for their owner alone, and stay', async () => {
  const before = await keys();
  expect(before.map(({ algorithm, selector }) => [algorithm, selector])).toEqual([
    ['rsa-sha256', 'postern-rsa'],
    ['ed25519-sha256', 'postern-ed'],
  ]);
  const files = ['postern-ed.pem', 'postern-rsa.pem'];
  expect((await readdir(join(folder, 'example.test'))).sort()).toEqual(files);
  expect(await mode(folder)).toBe('700');
  expect(await mode(join(folder, 'example.test'))).toBe('700');
  for (const file of files) expect(await mode(join(folder, 'example.test', file))).toBe('600');
  expect((await keys()).map(dkimRecord)).toEqual(before.map(dkimRecord));
});

it('are the same for all who come first at once', async () => {
  const all = await Promise.all([keys(), keys(), keys()]);
  expect(new Set(all.map((each) => each.map(dkimRecord).join()))).toHaveProperty('size', 1);
  expect(await readdir(join(folder, 'example.test'))).toHaveLength(2);
});

it('are what openssl reads from the files, and the records what it derives', async () => {
  const [rsa, ed] = (await keys()).map(dkimRecord);
  const publicKey = async (selector: string) => {
    const file = join(folder, 'example.test', `${selector}.pem`);
    const { stdout } = await promisify(execFile)('openssl', ['pkey', '-in', file, '-pubout'], { encoding: 'utf8' });
    return stdout.replace(/-----[^-]*-----|\n/g, '');
  };
  expect(rsa).toBe(`v=DKIM1; k=rsa; p=${await publicKey('postern-rsa')}`);
  const raw = Buffer.from(await publicKey('postern-ed'), 'base64').subarray(-32);
  expect(ed).toBe(`v=DKIM1; k=ed25519; p=${raw.toString('base64')}`);
});

it('are written anew where one was removed, and the other stays', async () => {
  const [rsa, ed] = (await keys()).map(dkimRecord);
  await rm(join(folder, 'example.test', 'postern-ed.pem'));
  const [rsaNow, edNow] = (await keys()).map(dkimRecord);
  expect(rsaNow).toBe(rsa);
  expect(edNow).not.toBe(ed);
});

it.each([
  ['a text', () => 'hello'],
  ['an RSA key of 1024 bits', () => pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)],
  ['a key of another kind', () => pem(generateKeyPairSync('ed25519').privateKey)],
])('%s in place of the RSA key is refused by its name', async (_, text) => {
  const file = join(folder, 'example.test', 'postern-rsa.pem');
  await mkdir(join(folder, 'example.test'), { recursive: true });
  await writeFile(file, text());
  const error = await keys().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DkimKeyError);
  expect(String(error)).toContain(file);
  // What somebody put there is theirs to remove.
  expect(await readFile(file, 'utf8')).toMatch(_ === 'a text' ? /^hello$/ : /PRIVATE KEY/);
});

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
