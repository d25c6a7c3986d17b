// TLS reports from server to server (RFC 8460): a day of mail, a night, and the other side reads what came of it; once,
// whatever happens in between, and without an end that never comes.

import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { formatTlsReport, type TlsReport } from '../../src/formats/tls-report/report.ts';
import { dayOf } from '../../src/mta/security/results.ts';
import type { TlsResultRow } from '../../src/store/rows.ts';
import { dkimFolder, dkimKeys, dkimRecord } from '../../src/trust/dkim/keys.ts';
import { startFakeServer } from '../smtp/fake-server.ts';
import { addressOf, createWorld, loginOf, type Server, type World } from '../world.ts';
import { DAY, pass, queueUntil, queueWaits } from './passage.ts';

const HOUR = DAY / 24;
const DOMAINS = ['example.test', 'other.test'];
const SELECTORS = { rsaSelector: 'postern-rsa', ed25519Selector: 'postern-ed' };

/** Keys of both, made once: they take their time. */
let keys: string;
beforeAll(async () => {
  keys = await mkdtemp(join(tmpdir(), 'postern-dkim-'));
  for (const domain of DOMAINS) await dkimKeys(keys, domain, SELECTORS);
});
afterAll(() => rm(keys, { recursive: true }));

function signing(config: Config): Config {
  cpSync(keys, dkimFolder(config.data), { recursive: true });
  return { ...config, dkim: { ...SELECTORS, enabled: true } };
}

/** Two servers that sign, with their keys in the DNS; the second asks for reports. */
async function stage(rua = 'mailto:tls-reports@other.test', more: (config: Config) => Config = (config) => config) {
  const world = await createWorld({ servers: 2, level: 'info', configure: (config) => more(signing(config)) });
  for (const domain of DOMAINS) {
    for (const key of await dkimKeys(keys, domain, SELECTORS)) {
      world.dns.set(`${key.selector}._domainkey.${domain}`, { txt: [dkimRecord(key)] });
    }
  }
  world.dns.set('_smtp._tls.other.test', { txt: [`v=TLSRPTv1; rua=${rua}`] });
  return world;
}

/** Lets the day end, and the hours after which reports are made.
 * @param counted whose sessions are to be written down
 * @param such what is to be among them */
async function night(
  { clock }: World,
  counted: Server | null = null,
  such: (row: TlsResultRow) => boolean = () => true,
): Promise<void> {
  const day = dayOf(clock.now());
  // That is a minute after they were.
  clock.advance(2 * 60_000);
  await settled();
  const written = async () => (await counted?.running.store.read.receivers.tlsResults(day, 'other.test'))?.some(such);
  await until(async () => (await written()) !== false);
  const midnight = Math.ceil(clock.now() / DAY) * DAY;
  clock.advance(midnight + 5 * HOUR - clock.now());
}

/** Some turns of the event loop: for what happens or must not. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function received({ running }: Server) {
  return (await running.store.read.tlsReports.received({}, null)).rows;
}

const made = ({ records }: World) => records.filter(({ msg }) => msg === 'TLS report made');

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

const sending = (server: Server, text = 'x') => server.submit('alice', { to: addressOf('carol'), text });

/** One goes to a host in the other server's place that has no TLS. */
async function sendingInClear({ here, there }: World): Promise<void> {
  const peer = await startFakeServer({ keywords: ['PIPELINING'] });
  here.wayOut.target = peer.port;
  await sending(here);
  await here.queueEmpty();
  await peer.close();
  here.wayOut.target = there.port(25);
}

test('a day of sessions that went well: the other server can show it in the morning', async () => {
  await using world = await stage();
  const { here, there } = world;
  await sending(here);
  await here.queueEmpty();
  const day = dayOf(world.clock.now());
  await night(world, world.here);
  await until(async () => (await received(there)).length > 0);
  expect(await received(there)).toMatchObject([
    {
      organization: 'The example.test people',
      contact: 'postmaster@example.test',
      signer: 'example.test',
      policy: 'no-policy-found',
      domain: 'other.test',
      startAt: Date.parse(day),
      endAt: Date.parse(day) + DAY - 1_000,
      successes: 1,
      failures: 0,
      details: [],
    },
  ]);
  // The address has no mailbox, and nobody else got it.
  expect(await there.messages('carol')).toHaveLength(1);
  await here.queueEmpty();
});

test('sessions that failed, with the reason', async () => {
  await using world = await stage();
  const { there } = world;
  await sendingInClear(world);
  await night(world, world.here);
  await until(async () => (await received(there)).length > 0);
  const [row] = await received(there);
  expect(row).toMatchObject({ successes: 0, failures: 1 });
  expect(row?.details).toMatchObject([
    { type: 'starttls-not-supported', sessions: 1, host: 'mail.other.test', receivingIp: '127.0.0.1' },
  ]);
});

test('the report itself makes no report: the next day counts only what was sent then, and then it is quiet', async () => {
  await using world = await stage();
  const { here, there, clock } = world;
  await sending(here);
  await here.queueEmpty();
  await night(world, here);
  await until(async () => (await received(there)).length > 0);
  await here.queueEmpty();
  // The report's session is behind; the day's other one fails, to be told from it.
  clock.advance(HOUR);
  await sendingInClear(world);
  await night(world, here, ({ failure }) => failure !== null);
  await until(async () => (await received(there)).length > 1);
  const told = (await received(there)).map(({ successes, failures }) => ({ successes, failures }));
  expect(told).toEqual(
    expect.arrayContaining([
      { successes: 1, failures: 0 },
      { successes: 0, failures: 1 },
    ]),
  );
  await here.queueEmpty();
  for (let day = 0; day < 2; day++) {
    clock.advance(DAY / 2);
    await night(world);
  }
  expect(made(world)).toHaveLength(2);
});

test('a restart in the morning sends nothing twice, and one at midnight forgets nothing', async () => {
  await using world = await stage();
  const { here, there } = world;
  await sending(here);
  await here.queueEmpty();
  // Closed in the evening, opened after midnight.
  await here.restart();
  await night(world, world.here);
  await until(async () => (await received(there)).length > 0);
  await here.restart();
  await settled();
  world.clock.advance(5 * HOUR);
  await settled();
  await here.restart();
  world.clock.advance(5 * HOUR);
  await settled();
  expect(made(world)).toHaveLength(1);
  expect(await received(there)).toHaveLength(1);
});

test('a domain that asks for nothing gets nothing, and is asked once', async () => {
  await using world = await stage();
  const { here, there, dns } = world;
  dns.remove('_smtp._tls.other.test');
  await sending(here);
  await here.queueEmpty();
  await night(world, world.here);
  await until(() => dns.asked.includes('txt _smtp._tls.other.test'));
  await settled();
  await here.restart();
  world.clock.advance(5 * HOUR);
  await settled();
  expect(dns.asked.filter((question) => question === 'txt _smtp._tls.other.test')).toHaveLength(1);
  expect([made(world), await received(there)]).toEqual([[], []]);
});

test('where nothing is signed, nothing goes by mail', async () => {
  await using world = await stage(undefined, (config) => ({ ...config, dkim: { ...config.dkim, enabled: false } }));
  const { here, there } = world;
  await sending(here);
  await here.queueEmpty();
  await night(world, here);
  await until(() => made(world).length > 0);
  await here.queueEmpty();
  expect(made(world)).toMatchObject([{ messages: [] }]);
  expect(await received(there)).toEqual([]);
});

test('a DNS that does not answer is asked again', async () => {
  await using world = await stage();
  const { here, there, dns, clock } = world;
  dns.set('_smtp._tls.other.test', { broken: true });
  await sending(here);
  await here.queueEmpty();
  await night(world, world.here);
  await until(() => dns.asked.includes('txt _smtp._tls.other.test'));
  await settled();
  dns.set('_smtp._tls.other.test', { txt: ['v=TLSRPTv1; rua=mailto:tls-reports@other.test'] });
  clock.advance(HOUR);
  await until(async () => (await received(there)).length > 0);
});

test('a report that nobody takes is given up after a day, and nobody hears of it', async () => {
  await using world = await stage('mailto:nobody@other.test,mailto:tls-reports@nowhere.test');
  const { here, there, clock, dns } = world;
  dns.set('nowhere.test', { mx: [{ preference: 1, exchange: 'mx.nowhere.test' }] });
  dns.set('mx.nowhere.test', { ipv4: ['127.0.0.9'] });
  await sending(here);
  await here.queueEmpty();
  await night(world, world.here);
  const begin = clock.now();
  // Refused at once there, and out of reach.
  await queueUntil(here, (entries) => entries.length === 1 && entries[0]?.destination === 'nowhere.test');
  await queueWaits(here);
  while ((await here.running.store.read.queue.size()) > 0) await pass(world, here);
  expect(clock.now() - begin).toBeLessThanOrEqual(DAY + HOUR);
  await settled();
  expect(await here.messages('alice')).toEqual([]);
  expect(await there.messages('carol')).toHaveLength(1);
  expect(made(world)).toHaveLength(1);
});

test('where there is a mailbox, the mail is there, too: signed, from <>, for any TLS', async () => {
  await using world = await stage('mailto:carol@other.test', (config) => ({
    ...config,
    tlsReports: {
      ...config.tlsReports,
      address: { localPart: config.domains[0] === 'other.test' ? 'carol' : 'x', domain: null },
    },
  }));
  const { here, there } = world;
  await sending(here);
  await here.queueEmpty();
  await night(world, world.here);
  await until(async () => (await received(there)).length > 0);
  await here.queueEmpty();
  const [, octets = Buffer.alloc(0)] = await there.messages('carol');
  expect(octets.toString()).toMatch(/^Return-Path: <>\r\n/);
  const mail = await simpleParser(octets);
  expect(mail.headers.get('tls-report-domain')).toBe('other.test');
  expect(mail.headers.get('tls-required')).toBe('No');
  expect(String(octets)).toMatch(/h=[^;]*tls-report-domain:\s*tls-report-submitter/);
  const { attachments } = mail;
  const json = JSON.parse(gunzipSync(attachments[0]?.content ?? '').toString()) as { 'report-id': string };
  const { reportId } = (await received(there))[0] ?? {};
  expect(json['report-id']).toBe(reportId);
});

test('nothing is told where it is switched off', async () => {
  await using world = await stage(undefined, (config) => ({
    ...config,
    tlsReports: { ...config.tlsReports, enabled: false },
  }));
  await sending(world.here);
  await world.here.queueEmpty();
  await night(world, world.here);
  await settled();
  expect(made(world)).toEqual([]);
});

const REPORT: TlsReport = {
  organization: 'Somebody',
  contact: 'tls@far.test',
  id: '1',
  start: 0,
  end: DAY - 1,
  policies: [{ type: 'sts', text: [], domain: 'example.test', mxHosts: [], successes: 1, failures: 0, details: [] }],
};
const mailOf = (text: string) => `Content-Type: application/tlsrpt+json\r\nSubject: x\r\n\r\n${text}\r\n.\r\n`;

test('what nobody has signed is refused where there is no mailbox', async () => {
  await using world = await stage();
  const { here } = world;
  using client = await here.smtp(25);
  const refused = (content: string, status: string) =>
    expect(client.send('', ['tls-reports@example.test'], content)).rejects.toMatchObject({
      reply: { code: 550, lines: [expect.stringMatching(new RegExp(`^${status}`))] },
    });
  await refused(mailOf(formatTlsReport(REPORT)), '5\\.7\\.20');
  await refused(mailOf('{}'), '5\\.6\\.0');
  await refused('Subject: hello\r\n\r\nhello\r\n.\r\n', '5\\.6\\.0');
  // The session goes on, and who has a mailbox gets it.
  await client.send('', ['Tls-Reports@Example.test', addressOf('bob')], mailOf(formatTlsReport(REPORT)));
  expect(await here.messages('bob')).toHaveLength(1);
  expect(await received(here)).toEqual([]);
  // Nobody else is made up.
  await client.command('MAIL FROM:<>', 250);
  await client.command('RCPT TO:<tls-report@example.test>', 550);
  await client.command('RCPT TO:<tls-reports@other.test>', 550);
});

test('a catcher takes it for an ordinary address', async () => {
  await using world = await stage(undefined, (config) => ({ ...config, test: { ...config.test, catchAll: true } }));
  using client = await world.here.smtp(25);
  await client.send('', ['tls-reports@example.test'], mailOf('{}'));
  using user = await world.here.smtp(465, loginOf('alice'));
  await user.send(addressOf('alice'), ['tls-reports@example.test'], mailOf('{}'));
  const accounts = await world.here.running.store.read.accounts();
  expect(accounts.find(({ address }) => address === 'tls-reports@example.test')?.usedMessages).toBe(2);
});
