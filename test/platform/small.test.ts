// The small parts of the platform: sources and how they are counted, identifiers, files, what is said seldom, time.

import { chmod, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nearest } from '../../src/config/suggestion.ts';
import { createAdmission } from '../../src/platform/admission.ts';
import { replaceFile } from '../../src/platform/atomic-file.ts';
import { readBounded } from '../../src/platform/bounded-file.ts';
import { makeRoom } from '../../src/platform/bounded-memory.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { makeFolders } from '../../src/platform/folder.ts';
import { newIdentifier } from '../../src/platform/identifier.ts';
import { createLineWriter } from '../../src/platform/line-writer.ts';
import { seldom } from '../../src/platform/seldom.ts';
import { isLoopback, isPrivate, plainAddress, sourceOf } from '../../src/platform/source.ts';
import { recognise } from '../../src/platform/wrong-door.ts';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.1', '192.0.2.1'],
  ['64:ff9b::c000:201', '192.0.2.1'],
  ['64:ff9b:1::192.0.2.1', '64:ff9b:1:0::/64'],
  ['nonsense', 'nonsense'],
  ['', ''],
])('%s counts as %s', (address, source) => {
  expect(sourceOf(address)).toBe(source);
});

it('two addresses of one /64 are one source, of two /64 they are two', () => {
  expect(sourceOf('2001:db8:0:1::a')).toBe(sourceOf('2001:db8:0:1:ffff::b'));
  expect(sourceOf('2001:db8:0:1::a')).not.toBe(sourceOf('2001:db8:0:2::a'));
});

it('knows what is loopback, and what is no host of the public net', () => {
  for (const address of ['127.0.0.1', '127.255.0.1', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1']) {
    expect(isLoopback(address), address).toBe(true);
    expect(isPrivate(address), address).toBe(true);
  }
  const inside =
    '0.0.0.0 10.1.2.3 100.64.0.1 169.254.1.1 172.31.0.1 192.168.1.1 224.0.0.1 255.255.255.255 :: fc00::1 fd12::1 ' +
    'fe80::1%eth0 ff02::1 ::ffff:10.0.0.1';
  for (const address of inside.split(' ')) {
    expect(isLoopback(address), address).toBe(false);
    expect(isPrivate(address), address).toBe(true);
  }
  for (const address of ['192.0.2.1', '172.32.0.1', '100.128.0.1', '2001:db8::1', 'localhost', '']) {
    expect(isLoopback(address), address).toBe(false);
    expect(isPrivate(address), address).toBe(false);
  }
  expect(plainAddress('::FFFF:192.0.2.1%eth0')).toBe('192.0.2.1');
});

it('admits so many of one source and so many in all, and forgets who has gone', () => {
  const admission = createAdmission(3, 2);
  expect([1, 2, 3].map(() => admission.enter('192.0.2.1'))).toEqual([null, null, 'source']);
  expect(admission.enter('2001:db8::1')).toBeNull();
  expect(admission.enter('192.0.2.2')).toBe('total');
  admission.leave('192.0.2.1');
  expect(admission.enter('2001:db8::2')).toBeNull();
  expect(admission.enter('192.0.2.1')).toBe('total');
  // Who was never let in leaves nothing.
  admission.leave('192.0.2.99');
  expect(admission.enter('192.0.2.1')).toBe('total');
});

it('identifiers are 12 letters and digits, from all of the alphabet', () => {
  const seen = new Set(Array.from({ length: 500 }, () => newIdentifier()));
  expect(seen.size).toBe(500);
  for (const each of seen) expect(each).toMatch(/^[0-9a-z]{12}$/);
  expect(new Set([...seen].join('')).size).toBe(32);
  expect(newIdentifier((bytes) => bytes.fill(255))).toBe('z'.repeat(12));
});

it('what was remembered first makes room, and only where there is none', () => {
  const memory = new Map(['a', 'b', 'c'].map((key) => [key, 0]));
  makeRoom(memory, 4);
  expect([...memory.keys()]).toEqual(['a', 'b', 'c']);
  makeRoom(memory, 3);
  expect([...memory.keys()]).toEqual(['b', 'c']);
});

it('says seldom what happens often, and how often it did', () => {
  let now = 0;
  const said: unknown[] = [];
  const say = seldom(
    10,
    (unsaid, what: string) => said.push([unsaid, what]),
    () => now,
  );
  say('a');
  say('b');
  say('c');
  now = 10;
  say('d');
  now = 19;
  say('e');
  now = 20;
  say('f');
  expect(said).toEqual([
    [0, 'a'],
    [2, 'd'],
    [1, 'f'],
  ]);
});

it('reads a file to its bound, and replaces one as a whole', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-file-'));
  try {
    const path = join(folder, 'file');
    await writeFile(path, 'x'.repeat(200_000));
    await chmod(path, 0o644);
    expect(await readBounded(path, 200_000)).toHaveLength(200_000);
    await expect(readBounded(path, 199_999)).rejects.toMatchObject({ code: 'EFBIG' });
    await expect(readBounded('/dev/zero', 1_000)).rejects.toMatchObject({ code: 'EFBIG' });
    await expect(readBounded(join(folder, 'none'), 1)).rejects.toMatchObject({ code: 'ENOENT' });

    const before = process.umask(0o077);
    await replaceFile(path, 'public', 0o644);
    process.umask(before);
    expect(await readFile(path, 'utf8')).toBe('public');
    expect((await stat(path)).mode & 0o777).toBe(0o644);
    await replaceFile(path, 'secret', 0o600);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expect(replaceFile(join(folder, 'none', 'file'), 'x', 0o600)).rejects.toMatchObject({ code: 'ENOENT' });
    // Nothing of a try is left.
    expect(await readdir(folder)).toEqual(['file']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('makes a folder and what is missing above it, and leaves one that is there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-folder-'));
  try {
    const path = join(folder, 'a/b');
    expect(makeFolders(path, 0o750)).toBe(true);
    for (const made of [join(folder, 'a'), path]) expect((await stat(made)).mode & 0o777).toBe(0o750);
    expect(makeFolders(path, 0o700)).toBe(false);
    expect((await stat(path)).mode & 0o777).toBe(0o750);
    await writeFile(join(folder, 'file'), '');
    for (const wrong of ['file', 'file/a', `${'x'.repeat(300)}/a`]) {
      expect(() => makeFolders(join(folder, wrong), 0o700), wrong).toThrow();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('writes lines behind, in their order, to a bound, and at the end what is left', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-lines-'));
  const path = join(folder, 'file');
  const file = await open(path, 'w+');
  try {
    const writer = createLineWriter(file.fd, 50_000);
    const said = () => readFile(path, 'utf8');
    const lines = Array.from({ length: 2_000 }, (_, index) => `line ${index}\n`);
    for (const line of lines) {
      writer.write(line);
      if (line.endsWith('7\n')) await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(said).toBe(lines.join(''));
    writer.write('x'.repeat(50_001));
    writer.write('y'.repeat(49_999));
    writer.write('zzz');
    writer.finish();
    expect(await said()).toBe(`${lines.join('')}${'y'.repeat(49_999)}`);
    writer.finish();
    await expect.poll(async () => (await said()).length).toBe(lines.join('').length + 49_999);
  } finally {
    await file.close();
    await rm(folder, { recursive: true });
  }
});

it('lines that cannot be written are lost, and nothing else', async () => {
  const full = await open('/dev/full', 'w');
  const writer = createLineWriter(full.fd, 1_000);
  for (let round = 0; round < 100; round++) {
    writer.write('x'.repeat(999));
    await new Promise((resolve) => setImmediate(resolve));
  }
  writer.finish();
  await full.close();
  writer.write('closed');
  writer.finish();
});

it('a timer of the machine fires once, not when it was cancelled, and not at once for a year', async () => {
  const fired: string[] = [];
  systemClock.after(60_000 * 60 * 24 * 365, () => fired.push('year'))();
  const far = systemClock.after(3_000_000_000, () => fired.push('far'));
  systemClock.after(1, () => fired.push('cancelled'))();
  await new Promise<void>((resolve) => {
    const kept = setTimeout(resolve, 2_000);
    systemClock.after(5, () => {
      clearTimeout(kept);
      fired.push('soon');
      resolve();
    });
  });
  far();
  expect(fired).toEqual(['soon']);
});

it.each([
  ['\x16\x03\x01\x02\x00\x01', 'tls'],
  ['\x16', 'tls'],
  ['\x80\x2e\x01\x00\x02', 'tls'],
  ['GET / HTTP/1.1\r\n', 'http'],
  ['POST /x', 'http'],
  ['CONNECT a.test:443 HTTP/1.1', 'http'],
  ['PRI * HTTP/2.0\r\n', 'http'],
  ['EHLO mail.example.test\r\n', 'smtp'],
  ['helo', 'smtp'],
  ['MAIL FROM:<a@b.test>\r\n', 'smtp'],
  ['a1 LOGIN alice secret\r\n', 'imap'],
  ['A001 CAPABILITY', 'imap'],
  ['USER alice\r\n', 'pop3'],
  ['CAPA\r\n', 'pop3'],
  ['STARTTLS\r\n', 'starttls'],
  ['a STARTTLS\r\n', 'starttls'],
  ['STLS', 'starttls'],
  ['', null],
  ['\x16\x02', null],
  ['NOOP\r\n', null],
  ['GETTING there', null],
  ['hello\r\nEHLO x\r\n', null],
  [`${'x'.repeat(300)} LOGIN`, null],
])('%j looks like %s', (text, seen) => {
  expect(recognise(Buffer.from(text, 'latin1'))).toBe(seen);
});

it('suggests what is near, and nothing that is far', () => {
  const known = ['hostname', 'message_size', 'retry', 'tls'];
  expect(nearest('hostnaem', known)).toBe('hostname');
  expect(nearest('MESSAGE-SIZE', known)).toBe('message_size');
  expect(nearest('messagesizes', known)).toBe('message_size');
  expect(nearest('tsl', known)).toBe('tls');
  expect(nearest('xyz', known)).toBeNull();
  expect(nearest('hostname'.repeat(10), known)).toBeNull();
  expect(nearest('a', [])).toBeNull();
});
