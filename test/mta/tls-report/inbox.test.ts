// Reports that are brought: signed by who reports, about us, within bounds; and all that is none.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseHeader } from '../../../src/formats/header.ts';
import { tlsReportMail } from '../../../src/formats/tls-report/message.ts';
import { formatTlsReport, type TlsReport } from '../../../src/formats/tls-report/report.ts';
import { createTlsReportInbox } from '../../../src/mta/tls-report/inbox.ts';
import { dkimKeys, dkimRecord } from '../../../src/trust/dkim/keys.ts';
import { createDkimSigner, type DkimSigner } from '../../../src/trust/dkim/signer.ts';
import { FakeClock } from '../../fake-clock.ts';
import { FakeDns } from '../../fake-dns.ts';
import { recordingLog } from '../../recording-log.ts';
import { storeFolder } from '../../store/open-folder.ts';
import { SELECTORS } from '../../trust/verifier.ts';

const FAR = ['far.test', 'evil.test'];
const NOW = Date.UTC(2026, 0, 3, 4);
let folder: string;
let signer: DkimSigner;
const records = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-dkim-'));
  for (const domain of FAR) {
    for (const key of await dkimKeys(folder, domain, SELECTORS)) {
      records.set(`${key.selector}._domainkey.${domain}`, dkimRecord(key));
    }
  }
  signer = createDkimSigner({ folder, domains: FAR, clock: new FakeClock(NOW), ...SELECTORS });
});
afterAll(() => rm(folder, { recursive: true }));

const REPORT: TlsReport = {
  organization: 'Far Away',
  contact: 'tls@reports.far.test',
  id: 'r1',
  start: Date.UTC(2026, 0, 2),
  end: Date.UTC(2026, 0, 3) - 1_000,
  policies: ['here.test', 'MAIL.here.test', 'sub.here.test', 'elsewhere.test', 'there.test'].map((domain) => ({
    type: 'sts',
    text: [],
    domain,
    mxHosts: [],
    successes: 1,
    failures: 2,
    details: [{ type: 'certificate-expired', sessions: 2 }],
  })),
};

/** A report as it comes, signed. @param packed in the place of the report itself */
async function message(
  report: TlsReport,
  packed = gzipSync(formatTlsReport(report)),
  by = 'far.test',
  more = '',
): Promise<Buffer> {
  const { header, body: parts } = tlsReportMail({
    domain: 'here.test',
    submitter: 'reports.far.test',
    from: { localPart: 'tls', domain: 'reports.far.test' },
    to: { localPart: 'tls-reports', domain: 'here.test' },
    reportId: 'r1@far.test',
    messageId: '<1@far.test>',
    boundary: 'xyz',
    start: report.start,
    end: report.end,
    now: NOW,
    zone: 0,
    report: packed,
    text: 'text',
  });
  const body = parts + more;
  const octets = Buffer.from(header);
  const signature = signer.begin();
  signature.body(Buffer.from(body));
  return Buffer.from(`${await signature.fields(by, { octets, fields: parseHeader(octets) })}${header}${body}`);
}

async function stage() {
  const stack = new AsyncDisposableStack();
  const clock = new FakeClock(NOW);
  const store = await stack.use(await storeFolder()).open({ clock });
  const dns = new FakeDns();
  for (const [name, record] of records) dns.set(name, { txt: [record] });
  const lines: Record<string, unknown>[] = [];
  const inbox = createTlsReportInbox({
    store,
    dns,
    clock,
    log: recordingLog(lines, 'info'),
    domains: ['here.test', 'there.test'],
    hostname: 'mail.here.test',
    tlsReports: { address: { localPart: 'tls-reports', domain: null } },
  });
  /** The message as the agent sees it. */
  const bring = async (octets: Uint8Array, alone = true) => {
    const inspection = inbox.inspect('m-1');
    const end = Buffer.from(octets).indexOf('\r\n\r\n') + 4;
    const header = octets.subarray(0, end);
    try {
      inspection.header({ octets: header, fields: parseHeader(header) });
      for (let at = end; at < octets.length; at += 60_000) inspection.body(octets.subarray(at, at + 60_000));
      await inspection.done(alone);
    } finally {
      inspection.end();
    }
  };
  return {
    inbox,
    dns,
    bring,
    lines,
    kept: async () => (await store.read.tlsReports.received({}, null)).rows,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const refused = (code: number, status: string) => ({ reply: { code, status } });

test('what is about us is kept, the rest is not', async () => {
  await using s = await stage();
  await s.bring(await message(REPORT));
  const rows = await s.kept();
  expect(rows.map(({ domain }) => domain).sort()).toEqual([
    'here.test',
    'mail.here.test',
    'sub.here.test',
    'there.test',
  ]);
  expect(rows[0]).toMatchObject({
    organization: 'Far Away',
    contact: 'tls@reports.far.test',
    signer: 'far.test',
    reportId: 'r1',
    receivedAt: NOW,
    successes: 1,
    failures: 2,
  });
});

test('once, however often it is sent', async () => {
  await using s = await stage();
  for (let time = 0; time < 3; time++) await s.bring(await message(REPORT));
  expect(await s.kept()).toHaveLength(4);
});

test('without compression', async () => {
  await using s = await stage();
  const text = (await message(REPORT)).toString();
  const octets = Buffer.from(`Content-Type: application/tlsrpt+json\r\n\r\n${formatTlsReport(REPORT)}`);
  await expect(s.bring(octets)).rejects.toMatchObject(refused(550, '5.7.20'));
  expect(text).toContain('application/tlsrpt+gzip');
});

test.each([
  [
    'not signed',
    async () => Buffer.from((await message(REPORT)).toString().replaceAll('DKIM-Signature', 'X')),
    '5.7.20',
  ],
  ['signed by somebody else', () => message(REPORT, undefined, 'evil.test'), '5.7.20'],
  [
    'signed, and changed',
    async () => Buffer.from((await message(REPORT)).toString().replace('Report Domain', 'Another Domain')),
    '5.7.20',
  ],
  ['about others', () => message({ ...REPORT, policies: REPORT.policies.slice(3, 4) }), '5.6.0'],
  ['about a neighbour', () => message({ ...REPORT, policies: [{ ...first(), domain: 'nothere.test' }] }), '5.6.0'],
  ['about nothing', () => message({ ...REPORT, policies: [] }), '5.6.0'],
  ['no gzip', () => message(REPORT, Buffer.from('{}')), '5.6.0'],
  ['half of a gzip', () => message(REPORT, gzipSync(formatTlsReport(REPORT)).subarray(0, 100)), '5.6.0'],
  ['a bomb', () => message(REPORT, gzipSync(formatTlsReport(REPORT).padEnd(64 * 1024 * 1024)), 'far.test'), '5.6.0'],
  ['no JSON', () => message(REPORT, gzipSync('hello')), '5.6.0'],
  ['another JSON', () => message(REPORT, gzipSync('{"a":1}')), '5.6.0'],
  ['too large', () => message(REPORT, undefined, 'far.test', 'x'.repeat(2 * 1024 * 1024)), '5.6.0'],
  ['a letter', async () => Buffer.from('Subject: hello\r\n\r\nhello\r\n'), '5.6.0'],
  ['nothing', async () => Buffer.from('\r\n\r\n'), '5.6.0'],
] as const)('refused, or left to who else gets it: %s', async (_, make, status) => {
  await using s = await stage();
  const octets = await make();
  await expect(s.bring(octets)).rejects.toMatchObject(refused(550, status));
  await s.bring(octets, false);
  expect(await s.kept()).toEqual([]);
  expect(s.lines.filter(({ level }) => Number(level) >= 40)).toHaveLength(2);
});

function first() {
  const [policy] = REPORT.policies;
  if (policy === undefined) throw new Error('the report has policies');
  return policy;
}

test('a reporter that only tests DKIM has not signed', async () => {
  await using s = await stage();
  for (const [name, record] of records) s.dns.set(name, { txt: [`${record}; t=y`] });
  await expect(s.bring(await message(REPORT))).rejects.toMatchObject(refused(550, '5.7.20'));
  expect(await s.kept()).toEqual([]);
});

test('the DNS does not answer: come again', async () => {
  await using s = await stage();
  for (const name of records.keys()) s.dns.set(name, { broken: true });
  await expect(s.bring(await message(REPORT), false)).rejects.toMatchObject(refused(451, '4.4.3'));
  expect(await s.kept()).toEqual([]);
});

test('many at once are asked to come again, and what ended holds no room', async () => {
  await using s = await stage();
  const piece = Buffer.alloc(1024 * 1024);
  const open = Array.from({ length: 20 }, () => s.inbox.inspect('m'));
  for (const inspection of open) inspection.body(piece);
  await expect(open.at(-1)?.done(true)).rejects.toMatchObject(refused(451, '4.3.2'));
  for (const inspection of open) inspection.end();
  await s.bring(await message(REPORT));
  expect(await s.kept()).toHaveLength(4);
});

test('it is for one address, in any case', async () => {
  await using s = await stage();
  const at = (localPart: string, domain: string) => s.inbox.isFor({ localPart, domain });
  expect([at('tls-reports', 'here.test'), at('TLS-Reports', 'There.test')]).toEqual([true, true]);
  expect([at('tls-report', 'here.test'), at('tls-reports', 'elsewhere.test'), at('tls-reports', '')]).toEqual([
    false,
    false,
    false,
  ]);
});
