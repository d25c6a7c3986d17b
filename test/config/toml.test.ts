// Hostile and odd files: whatever stands in one ends in a configuration or in a ConfigError, soon, and changes nothing else.

import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { readToml } from '../../src/config/toml.ts';
import { LEAST, LISTENER, load, refusal } from './written.ts';

it('gives the line of what is no TOML', async () => {
  for (const line of ['a = ]', 'a = "x', '[a]]', 'a = 1 b = 2', '= 1', 'hostname = "again"']) {
    const { complaints } = await refusal([...LEAST, line, '# the end']);
    expect(complaints[0]?.place.line, line).toBe(3);
  }
});

it('knows the line of every key, however it is written', () => {
  const { tree, places } = readToml(
    ['a.b = 1', '[c]', 'd = [', '  1,', '  { e = 2 },', ']', '[[f]]', '[[f]]', 'g = 3', '[f.h]', 'i = 4'].join('\n'),
    'x',
  );
  expect(JSON.parse(JSON.stringify(tree))).toEqual({
    a: { b: 1 },
    c: { d: [1, { e: 2 }] },
    f: [{}, { g: 3, h: { i: 4 } }],
  });
  const lineOf = (...path: (string | number)[]) => places.of(path).line;
  expect(lineOf('a')).toBe(1);
  expect(lineOf('a', 'b')).toBe(1);
  expect(lineOf('c')).toBe(2);
  expect(lineOf('c', 'd', 0)).toBe(4);
  expect(lineOf('c', 'd', 1, 'e')).toBe(5);
  expect(lineOf('f', 1)).toBe(8);
  expect(lineOf('f', 1, 'g')).toBe(9);
  expect(lineOf('f', 1, 'h', 'i')).toBe(11);
  expect(lineOf('f', 1, 'none')).toBe(8);
  expect(lineOf('none')).toBe(0);
});

it.each(['[__proto__]\nvalue = 1', '__proto__.value = 1', '[tls.__proto__]\nvalue = 1', '[constructor.prototype]'])(
  '%j is a key like any other, and unknown',
  async (text) => {
    const { complaints } = await refusal([text]);
    expect(complaints.map(({ place }) => place.line)).toContain(1);
    expect({}).not.toHaveProperty('value');
    await load([...LEAST, ...LISTENER]);
  },
);

const huge = {
  'lists within lists': `a = ${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  'tables within tables': `a = ${'{ a = '.repeat(50_000)}1${'}'.repeat(50_000)}`,
  'a key of many parts': `a${'.a'.repeat(200_000)} = 1`,
  'a header of many parts': `[a${'.a'.repeat(200_000)}]`,
  'lists a little too deep': `a = ${'['.repeat(20)}1${']'.repeat(20)}`,
  'many tables': '[[listener]]\n'.repeat(30_000),
  'many keys': Array.from({ length: 30_000 }, (_, index) => `k${index} = 1`).join('\n'),
  'a long key': `${'k'.repeat(400_000)} = 1`,
  'a long value': `hostname = "${'k'.repeat(400_000)}"`,
  'a long address': `[[listener]]\naddress = "${'k'.repeat(400_000)}"`,
  'more than is read': `# ${'x'.repeat(600_000)}`,
};

it.each(Object.entries(huge))('%s', async (_, text) => {
  const { message } = await refusal([text]);
  expect(message.length).toBeLessThan(2_000);
});

it('a file that never ends is not read to its end', async () => {
  const endless = loadConfig({ file: '/dev/zero', env: {}, cwd: '/' });
  await expect(endless).rejects.toMatchObject({ complaints: [{ place: { file: '/dev/zero', line: 0 } }] });
});

it('octets that are no UTF-8 are refused, a byte order mark is not', async () => {
  await refusal(Buffer.from([...Buffer.from('hostname = "'), 0xff, 0x22]));
  const text = [...LEAST, ...LISTENER].join('\r\n');
  expect((await load(Buffer.from(`\ufeff${text}`))).hostname).toBe('mail.example.test');
});

it('an escape in a key is not handed to the terminal', async () => {
  const { message } = await refusal(['"\\u001b[31mred" = 1']);
  expect(message).not.toContain('\u001b');
});

it('a pipe will do for a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-config-'));
  try {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const writing = writeFile(pipe, [...LEAST, ...LISTENER].join('\n'));
    expect((await loadConfig({ file: pipe, env: {}, cwd: '/' })).listeners).toHaveLength(1);
    await writing;
  } finally {
    await rm(folder, { recursive: true });
  }
});
