// The verb `tls-reports`: what others have reported, for people and as JSON, through the running server and without one.

import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { startServer } from '../../src/serve.ts';
import type { ReceivedTlsPolicyRow } from '../../src/store/rows.ts';
import { linesOf, type Site, site } from './postern.ts';

const DAY = 24 * 3_600_000;
const START = Date.UTC(2026, 0, 2);

const row = (more: Partial<ReceivedTlsPolicyRow>): ReceivedTlsPolicyRow => ({
  organization: 'Far Away',
  contact: 'tls@far.test',
  signer: 'far.test',
  reportId: '1',
  position: 0,
  startAt: START,
  endAt: START + DAY - 1_000,
  receivedAt: START + DAY,
  policy: 'sts',
  domain: 'example.test',
  policyText: ['version: STSv1'],
  mxHosts: ['mail.example.test'],
  successes: 5_326,
  failures: 0,
  details: [],
  ...more,
});

const ROWS: readonly ReceivedTlsPolicyRow[] = [
  row({}),
  row({
    reportId: '2',
    domain: 'mail.example.test',
    policy: 'tlsa',
    startAt: START + 3 * DAY,
    endAt: START + 4 * DAY - 1_000,
    failures: 7,
    details: [
      { type: 'certificate-expired', sessions: 2, host: 'mail.example.test' },
      { type: 'starttls-not-supported', sessions: 4 },
      { type: 'certificate-expired', sessions: 1 },
    ],
  }),
  row({ reportId: '3', organization: 'evil\u001b[31m', startAt: START + 5 * DAY, endAt: START + 6 * DAY - 1_000 }),
];

let place: Site;
beforeAll(async () => {
  place = await site();
});
afterAll(() => place[Symbol.asyncDispose]());

const print = async (...args: string[]) => {
  const { code, stdout, stderr } = await place.run(['tls-reports', ...args]);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
};

async function server() {
  const config = await loadConfig({ file: place.config, env: {}, cwd: place.folder });
  return await startServer(config, { log: pino({ level: 'silent' }) });
}

async function look(): Promise<void> {
  const [heading, latest = '', second = '', first = '', ...more] = linesOf(await print());
  expect(more).toEqual([]);
  expect(heading?.split(/ {2,}/)).toHaveLength(7);
  expect(latest).not.toContain('\u001b');
  expect(first.split(/ {2,}/)).toEqual(['2026-01-02', 'Far Away (far.test)', 'sts', 'example.test', '5326', '0']);
  expect(second).toMatch(/^2026-01-05 .* tlsa .* 7 +starttls-not-supported 4, certificate-expired 3$/);

  const daysOf = async (...args: string[]) =>
    (JSON.parse(await print('--json', ...args)) as { day: string }[]).map(({ day }) => day);
  expect(await daysOf()).toEqual(['2026-01-07', '2026-01-05', '2026-01-02']);
  expect(await daysOf('--since', '2026-01-05')).toEqual(['2026-01-07', '2026-01-05']);
  expect(await daysOf('--domain', 'Mail.Example.test')).toEqual(['2026-01-05']);
  expect(await daysOf('--failures')).toEqual(['2026-01-05']);
  expect(await daysOf('--domain', 'else.test')).toEqual([]);
  expect(JSON.parse(await print('--json', '--failures'))).toMatchObject([
    {
      policyText: ['version: STSv1'],
      details: ROWS[1]?.details,
      start: '2026-01-05T00:00:00.000Z',
      signer: 'far.test',
    },
  ]);
}

it('shows what there is, through the running server and without one', async () => {
  expect((await place.run(['tls-reports'])).code).toBe(1);
  {
    await using running = await server();
    expect(linesOf(await print())).toHaveLength(1);
    for (const one of ROWS) {
      await running.store.execute<'put-received-tls-report'>({
        kind: 'put-received-tls-report',
        rows: [one],
        forget: 0,
      });
    }
    await look();
  }
  await look();
});

it('a filter that is none is wrong usage', async () => {
  for (const args of [
    ['--since', 'yesterday'],
    ['--since', '2026-13-01'],
    ['--domain', 'a b'],
    ['--domains', 'x'],
  ]) {
    expect((await place.run(['tls-reports', ...args])).code).toBe(2);
  }
});

it('many are one table after another, and one array', async () => {
  await using running = await server();
  const rows = Array.from({ length: 450 }, (_, position) => row({ reportId: 'many', position, domain: 'many.test' }));
  await running.store.execute<'put-received-tls-report'>({ kind: 'put-received-tls-report', rows, forget: 0 });
  expect(JSON.parse(await print('--json', '--domain', 'many.test'))).toHaveLength(450);
  expect(linesOf(await print('--domain', 'many.test')).filter((line) => line.startsWith('2026'))).toHaveLength(450);
});
