// What verbs print: columns, times and sizes for people, and nothing that a terminal would obey.

import { expect, it } from 'vitest';
import { inColumns, instant, octets, printable, span } from '../../src/cli/columns.ts';
import { gatesOf, renderGates, renderTry } from '../../src/cli/ports-table.ts';
import { loadConfig } from '../../src/config/load.ts';

it('columns are as wide as their widest cell', () => {
  expect(
    inColumns(
      ['A', 'LONG'],
      [
        ['wide', 'x'],
        ['', 'y'],
      ],
    ).split('\n'),
  ).toEqual(['A     LONG', 'wide  x', '      y']);
  expect(inColumns(['A', 'B'], [])).toBe('A  B');
});

it('what a terminal would obey, or read the other way round, is written out', () => {
  const hostile = 'a\u001b[2J\u0007\r\n\t\u009b1m\u2028\u202eb\u2066ü\u{1f600}';
  expect(printable(hostile)).not.toMatch(/[\0-\x1f\x7f-\x9f\u2028\u202e\u2066]/);
  expect(printable(hostile)).toMatch(/^a\\u001b\[2J.*ü\u{1f600}$/u);
  expect(inColumns(['H'], [[hostile]]).split('\n')).toHaveLength(2);
});

it.each([
  [0, '0s'],
  [-5_000, '0s'],
  [12_400, '12s'],
  [60_000, '1m'],
  [3_725_000, '1h 2m'],
  [86_400_000 * 3 + 3_600_000 * 4 + 60_000, '3d 4h'],
  [86_400_000 * 400, '400d'],
])('%d ms are %s', (ms, text) => {
  expect(span(ms)).toBe(text);
});

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KB'],
  [1_572_864, '1.5 MB'],
  [1024 ** 4 * 5000, '5000.0 TB'],
])('%d octets are %s', (count, text) => {
  expect(octets(count)).toBe(text);
});

it('an instant is that of no place', () => {
  expect(instant(Date.UTC(2026, 10, 24, 5, 17, 3, 999))).toBe('2026-11-24 05:17:03Z');
});

it('a gate where certificates are taken says so, and none of the others', async () => {
  const config = await loadConfig({ file: 'config/postern.toml', env: {}, cwd: `${import.meta.dirname}/../..` });
  const asking = config.listeners.map((listener) =>
    listener.role === 'imap' ? { ...listener, clients: { files: ['/users.pem'], place: null } } : listener,
  );
  const saying = gatesOf({ ...config, listeners: asking }, null).filter(({ reasons }) => /EXTERNAL/.test(reasons.auth));
  expect(saying.map(({ role }) => role)).toEqual(['imap', 'imap']);
});

it('the table of the shipped configurations has a reason in every cell, and something to try', async () => {
  for (const file of ['postern', 'testing', 'production']) {
    const config = await loadConfig({ file: `config/${file}.toml`, env: {}, cwd: `${import.meta.dirname}/../..` });
    const gates = gatesOf(config, null);
    expect(gates).toHaveLength(config.listeners.flatMap(({ addresses }) => addresses).length);
    for (const { role, tls, floor, auth, reasons } of gates) {
      expect(floor).toBe(tls === 'none' ? null : role === 'transfer' ? 'TLS 1.0' : 'TLS 1.2');
      expect(auth).toBe(role === 'transfer' ? 'never' : 'mandatory');
      for (const reason of Object.values(reasons)) expect(reason).not.toBe('');
    }
    expect(renderGates(gates).split('\n')).toHaveLength(gates.length + 1);
    expect(renderTry(config, gates)).toContain(String(config.listeners[0]?.port));
  }
});
