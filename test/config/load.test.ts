// What a configuration file may say: defaults, every kind of value and its wrong ones, each with its line and key.

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { FILE, LEAST, LISTENER, load, refusal } from './written.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MEBI = 1_048_576;

it('fills in every default', async () => {
  const config = await load([...LEAST, ...LISTENER]);
  expect(config).toEqual({
    hostname: 'mail.example.test',
    domains: ['example.test'],
    data: expect.stringMatching(/\/data$/),
    tls: { folder: expect.stringMatching(/\/certs$/), certificates: [], keys: [] },
    listeners: [
      {
        role: 'imap',
        addresses: ['127.0.0.1'],
        port: 2993,
        tls: 'implicit',
        cleartext: false,
        private: false,
        earlyTalkerWait: 0,
        clients: null,
      },
    ],
    accounts: [],
    queue: {
      retry: [5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR],
      expire: 120 * HOUR,
      warn: 4 * HOUR,
    },
    relay: {
      smarthosts: [],
      authorities: [],
      port: 25,
      loopback: false,
      forbidDowngrade: false,
      resolvers: [],
      routes: [],
      perDestination: 10,
      concurrency: 50,
    },
    dkim: { enabled: true, rsaSelector: 'postern-rsa', ed25519Selector: 'postern-ed' },
    tlsReports: {
      enabled: true,
      organization: 'example.test',
      contact: 'postmaster@example.test',
      address: { localPart: 'tls-reports', domain: null },
    },
    limits: {
      messageSize: 50 * MEBI,
      headerSize: 512 * 1024,
      recipients: 1000,
      connections: 2000,
      connectionsPerSource: 100,
      literal: 65_536,
      queueEntries: 500_000,
      diskFree: 256 * MEBI,
    },
    submission: { showClient: true, maxHold: 720 * HOUR },
    sasl: { channelBinding: false },
    oauth: null,
    imap: { unauthenticate: true },
    pop3: { loginDelay: 0, expire: null },
    sendmail: { domain: null, folder: null },
    test: { catchAll: false, anyPassword: false, exposed: false },
    log: { level: 'info' },
  });
});

it('reads every setting', async () => {
  const config = await load([
    'hostname = "MAIL.Example.test"',
    'domains = "Example.test"',
    'data = "/var/lib/postern"',
    '[tls]',
    'folder = "secrets"',
    'certificate = ["one.pem", "/two.pem"]',
    'key = ["one.key", "/two.key"]',
    '[[listener]]',
    'role = "transfer"',
    'address = ["0.0.0.0", "0:0::0"]',
    'port = 25',
    'tls = "offered"',
    'early_talker_wait = "3s"',
    '[[account]]',
    'address = "Alice@EXAMPLE.test"',
    'password_hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg"',
    'aliases = "postmaster@example.test"',
    'quota = "2GB"',
    '[queue]',
    'retry = "90s"',
    'expire = "2w"',
    'warn = "1d"',
    '[relay]',
    'port = 2525',
    'loopback = true',
    'forbid_downgrade = true',
    'per_destination = 2',
    'concurrency = 7',
    '[[relay.resolver]]',
    'address = "127.0.0.1:5353"',
    'trusted = true',
    '[[relay.resolver]]',
    'address = "[::1]:53"',
    'trusted = true',
    '[[relay.route]]',
    'domain = "Remote.test"',
    'host = "127.0.0.1"',
    '[dkim]',
    'enabled = false',
    'rsa_selector = "Key-2026.rsa"',
    'ed25519_selector = "ed"',
    '[tls_reports]',
    'enabled = false',
    'organization = "The Example Club"',
    'contact = "mail@Example.test"',
    'address = "reports@Example.test"',
    '[limits]',
    'message_size = 1000000',
    'header_size = "64 KiB"',
    'recipients = 100',
    'connections = 10',
    'connections_per_source = 5',
    'literal = "1MB"',
    'queue_entries = 1000',
    'disk_free = "1GB"',
    '[submission]',
    'show_client = false',
    'max_hold = "2d"',
    '[sasl]',
    'channel_binding = true',
    '[imap]\nunauthenticate = false',
    '[pop3]',
    'login_delay = "1m"',
    'expire = "36h"',
    '[test]',
    'catch_all = true',
    'any_password = true',
    'exposed = true',
    '[log]',
    'level = "debug"',
  ]);
  expect(config).toMatchObject({
    hostname: 'mail.example.test',
    domains: ['example.test'],
    data: '/var/lib/postern',
    tls: { keys: [expect.stringMatching(/.\/one\.key$/), '/two.key'] },
    listeners: [{ addresses: ['0.0.0.0', '::'], earlyTalkerWait: 3000 }],
    accounts: [
      {
        address: 'Alice@example.test',
        aliases: ['postmaster@example.test'],
        password: null,
        quota: 2048 * MEBI,
        place: { file: FILE, line: 14 },
      },
    ],
    queue: { retry: [90_000], expire: 336 * HOUR, warn: 24 * HOUR },
    relay: {
      port: 2525,
      loopback: true,
      forbidDowngrade: true,
      perDestination: 2,
      concurrency: 7,
      resolvers: [
        { address: '127.0.0.1', port: 5353, trusted: true },
        { address: '::1', port: 53, trusted: true },
      ],
      routes: [{ domain: 'remote.test', host: '127.0.0.1', port: 25, tls: 'opportunistic' }],
    },
    dkim: { enabled: false, rsaSelector: 'key-2026.rsa', ed25519Selector: 'ed' },
    tlsReports: {
      enabled: false,
      organization: 'The Example Club',
      contact: 'mail@example.test',
      address: { localPart: 'reports', domain: 'example.test' },
    },
    limits: {
      messageSize: 1_000_000,
      headerSize: 65_536,
      recipients: 100,
      connections: 10,
      literal: MEBI,
      queueEntries: 1000,
      diskFree: 1024 * MEBI,
    },
    submission: { showClient: false, maxHold: 48 * HOUR },
    sasl: { channelBinding: true },
    imap: { unauthenticate: false },
    pop3: { loginDelay: 60_000, expire: 1 },
    test: { catchAll: true, anyPassword: true, exposed: true },
    log: { level: 'debug' },
  });
});

/** One line that is wrong, in which table, and the key that the message names. */
const wrong: readonly (readonly [string, string, string])[] = [
  ['', 'hostname = ""', 'hostname'],
  ['', 'hostname = 5', 'hostname'],
  ['', 'hostname = "mail_1.example.test"', 'hostname'],
  ['', 'hostname = "192.0.2.1"', 'hostname'],
  ['', 'hostname = "two words"', 'hostname'],
  ['', `hostname = "${'a.'.repeat(200)}a"`, 'hostname'],
  ['', 'domains = []', 'domains'],
  ['', 'domains = ["example.test", "-"]', 'domains'],
  ['', 'domains = [["example.test"]]', 'domains'],
  ['', 'domains = true', 'domains'],
  ['', 'domains = "[192.0.2.1]"', 'domains'],
  ['', `domains = [${'"a.test",'.repeat(1001)}]`, 'domains'],
  ['', 'data = ""', 'data'],
  ['', 'data = 1979-05-27', 'data'],
  ['[tls]', 'folder = ["certs"]', 'tls.folder'],
  ['[tls]', 'certificate = [""]', 'tls.certificate'],
  ['[tls]', 'key = 3', 'tls.key'],
  ['[[listener]]', 'role = "smtp"', 'listener[1].role'],
  ['[[listener]]', 'role = 25', 'listener[1].role'],
  ['[[listener]]', 'address = "localhost"', 'listener[1].address'],
  ['[[listener]]', 'address = "127.0.0.1:25"', 'listener[1].address'],
  ['[[listener]]', 'address = []', 'listener[1].address'],
  ['[[listener]]', 'port = "25"', 'listener[1].port'],
  ['[[listener]]', 'port = 65536', 'listener[1].port'],
  ['[[listener]]', 'port = -1', 'listener[1].port'],
  ['[[listener]]', 'port = 25.5', 'listener[1].port'],
  ['[[listener]]', 'port = nan', 'listener[1].port'],
  ['[[listener]]', 'tls = "starttls"', 'listener[1].tls'],
  ['[[listener]]', 'tls = true', 'listener[1].tls'],
  ['[[listener]]', 'cleartext = "true"', 'listener[1].cleartext'],
  ['[[listener]]', 'private = 1', 'listener[1].private'],
  ['[[listener]]', 'early_talker_wait = "1h"', 'listener[1].early_talker_wait'],
  ['[[listener]]', 'early_talker_wait = 5', 'listener[1].early_talker_wait'],
  ['[[account]]', 'address = "alice"', 'account[1].address'],
  ['[[account]]', 'address = "Alice <alice@example.test>"', 'account[1].address'],
  ['[[account]]', 'password = ""', 'account[1].password'],
  ['[[account]]', 'password = 12345', 'account[1].password'],
  ['[[account]]', 'password = "a\\u0000b"', 'account[1].password'],
  ['[[account]]', `password = "${'x'.repeat(1025)}"`, 'account[1].password'],
  ['[[account]]', 'password_hash = "$2y$10$abcdefghijklmnopqrstuv"', 'account[1].password_hash'],
  [
    '[[account]]',
    'password_hash = "$argon2id$v=19$m=9999999,t=2,p=1$c2FsdHNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg"',
    'account[1].password_hash',
  ],
  ['[[account]]', 'aliases = ["bob"]', 'account[1].aliases'],
  ['[[account]]', 'quota = "lots"', 'account[1].quota'],
  ['[[account]]', 'quota = -1', 'account[1].quota'],
  ['[queue]', 'retry = []', 'queue.retry'],
  ['[queue]', 'retry = ["5m", "1ms"]', 'queue.retry'],
  ['[queue]', 'retry = "5 minutes"', 'queue.retry'],
  ['[queue]', 'expire = "400d"', 'queue.expire'],
  ['[queue]', 'expire = "0s"', 'queue.expire'],
  ['[queue]', 'warn = 4', 'queue.warn'],
  ['[relay]', 'port = 0', 'relay.port'],
  ['[relay]', 'loopback = "no"', 'relay.loopback'],
  ['[relay]', 'per_destination = 0', 'relay.per_destination'],
  ['[relay]', 'concurrency = 10001', 'relay.concurrency'],
  ['[relay]', 'smarthost = "smtp.example.net"', 'relay.smarthost'],
  ['[[relay.resolver]]', 'address = "dns.example.net"', 'relay.resolver[1].address'],
  ['[[relay.resolver]]', 'address = "127.0.0.1:0"', 'relay.resolver[1].address'],
  ['[[relay.resolver]]', 'address = "127.0.0.1:99999"', 'relay.resolver[1].address'],
  ['[[relay.resolver]]', 'trusted = "yes"', 'relay.resolver[1].trusted'],
  ['[[relay.route]]', 'domain = "*"', 'relay.route[1].domain'],
  ['[[relay.route]]', 'host = ""', 'relay.route[1].host'],
  ['[[relay.route]]', 'tls = "offered"', 'relay.route[1].tls'],
  ['[dkim]', 'enabled = "yes"', 'dkim.enabled'],
  ['[dkim]', 'rsa_selector = ""', 'dkim.rsa_selector'],
  ['[dkim]', 'rsa_selector = "../../key"', 'dkim.rsa_selector'],
  ['[dkim]', 'ed25519_selector = "a_b"', 'dkim.ed25519_selector'],
  ['[dkim]', `ed25519_selector = "${'x'.repeat(64)}"`, 'dkim.ed25519_selector'],
  ['[tls_reports]', 'enabled = "no"', 'tls_reports.enabled'],
  ['[tls_reports]', 'organization = ""', 'tls_reports.organization'],
  ['[tls_reports]', 'contact = "postmaster"', 'tls_reports.contact'],
  ['[tls_reports]', 'address = "a b"', 'tls_reports.address'],
  ['[limits]', 'message_size = "50 MBit"', 'limits.message_size'],
  ['[limits]', 'message_size = "1KB"', 'limits.message_size'],
  ['[limits]', 'message_size = "1GB"', 'limits.message_size'],
  ['[limits]', 'message_size = inf', 'limits.message_size'],
  ['[limits]', 'header_size = true', 'limits.header_size'],
  ['[limits]', 'recipients = 99', 'limits.recipients'],
  ['[limits]', 'recipients = 99999999999999999999', 'limits.recipients'],
  ['[limits]', 'connections = 0', 'limits.connections'],
  ['[limits]', 'connections_per_source = 1e9', 'limits.connections_per_source'],
  ['[limits]', 'literal = "2MB"', 'limits.literal'],
  ['[limits]', 'queue_entries = 99', 'limits.queue_entries'],
  ['[limits]', 'disk_free = "1MB"', 'limits.disk_free'],
  ['[submission]', 'show_client = 0', 'submission.show_client'],
  ['[submission]', 'max_hold = "366d"', 'submission.max_hold'],
  ['[submission]', 'max_hold = 30', 'submission.max_hold'],
  ['[sasl]', 'channel_binding = "yes"', 'sasl.channel_binding'],
  ['[pop3]', 'login_delay = "2d"', 'pop3.login_delay'],
  ['[pop3]', 'expire = "12h"', 'pop3.expire'],
  ['[sendmail]', 'domain = "*"', 'sendmail.domain'],
  ['[sendmail]', 'folder = ""', 'sendmail.folder'],
  ['[test]', 'catch_all = "on"', 'test.catch_all'],
  ['[test]', 'any_password = 1', 'test.any_password'],
  ['[test]', 'exposed = 1.0', 'test.exposed'],
  ['[log]', 'level = "verbose"', 'log.level'],
];

it.each(wrong)('%s %s is refused with its line', async (header, line, key) => {
  const own = line.split(' ')[0];
  const top = LEAST.filter((each) => !each.startsWith(`${own} `) || header !== '');
  const lines = header === '' ? [...top, line] : [...top, '# here:', header, line];
  const { complaints, message } = await refusal(lines);
  const at = { file: FILE, line: lines.length };
  expect(complaints.filter(({ place }) => place.line === at.line).map(({ place }) => place)).toEqual([at]);
  expect(message).toContain(`${FILE}:${lines.length}: ${key} `);
});

it.each([
  [['domains = ["example.test"]'], 'hostname', 0],
  [['hostname = "mail.example.test"'], 'domains', 0],
  [[...LEAST, '', '[[listener]]', 'role = "imap"', 'tls = "implicit"'], 'listener[1].port', 4],
  [[...LEAST, '[[listener]]', 'port = 1', 'tls = "implicit"'], 'listener[1].role', 3],
  [[...LEAST, '[[listener]]', 'port = 1', 'role = "imap"'], 'listener[1].tls', 3],
  [[...LEAST, '[[account]]', 'password = "x"'], 'account[1].address', 3],
  [[...LEAST, '[[relay.route]]', 'host = "a.test"'], 'relay.route[1].domain', 3],
])('what is missing is named: %j', async (lines, key, line) => {
  const { complaints } = await refusal(lines);
  expect(complaints).toContainEqual({ place: { file: FILE, line }, text: expect.stringContaining(`${key} `) });
});

it.each([
  ['', 'hostnam = "x"', '"hostname"'],
  ['', 'host-name = "x"', '"hostname"'],
  ['[limits]', 'messageSize = "50MB"', '"message_size"'],
  ['[limits]', 'mesage_size = "50MB"', '"message_size"'],
  ['[[listener]]', 'prot = 25', '"port"'],
  ['[queue]', 'retrys = "5m"', '"retry"'],
  // A key of another table: where it belongs.
  ['[limits]', 'per_destination = 1', '[relay]'],
  ['[tls]', 'domains = ["a.test"]', 'top'],
  ['[log]', 'catch_all = true', '[test]'],
  // Nothing near: what there is.
  ['[log]', 'xyzzy = 1', 'level'],
  ['', '[spam]', 'hostname, domains'],
  ['[tls]', '"__proto__" = 1', 'certificate'],
  ['[tls]', 'constructor = 1', 'certificate'],
])('%s %s is no setting; the message says %s', async (header, line, said) => {
  const lines = [...LEAST, ...(header === '' ? [] : [header]), line];
  const { complaints } = await refusal(lines);
  expect(complaints.map(({ place }) => place)).toEqual([{ file: FILE, line: lines.length }]);
  expect(complaints[0]?.text).toContain(said);
});

it.each([
  ['tls = "certs"', '[tls]'],
  ['tls = []', '[tls]'],
  ['tls = 1979-05-27T07:32:00Z', '[tls]'],
  ['[[tls]]', '[tls]'],
  ['[listener]', '[[listener]]'],
  ['listener = "imap"', '[[listener]]'],
  ['account = [1]', '[[account]]'],
  ['relay.route = { domain = "a.test" }', '[[relay.route]]'],
])('%s should be %s', async (line, header) => {
  const { complaints } = await refusal([...LEAST, line]);
  expect(complaints.map(({ place }) => place.line)).toEqual([3]);
  expect(complaints[0]?.text).toContain(header);
});

it('lists several mistakes in the order of their lines, and not without end', async () => {
  const { complaints, message } = await refusal([...LEAST, '[log]', 'level = "loud"', '[limits]', 'recipients = 1']);
  expect(complaints.map(({ place }) => place.line)).toEqual([4, 6]);
  expect(message.split('\n')).toHaveLength(2);
  const many = await refusal([...LEAST, ...Array.from({ length: 300 }, (_, index) => `x${index} = 1`)]);
  expect(many.message.split('\n').length).toBeLessThan(12);
});

it('knows a file by the name that it was given', async () => {
  const missing = loadConfig({ file: 'none.toml', env: {}, cwd: import.meta.dirname });
  await expect(missing).rejects.toMatchObject({ complaints: [{ place: { file: 'none.toml', line: 0 } }] });
  const fallback = loadConfig({ file: null, env: { POSTERN_CONFIG: 'other.toml' }, cwd: import.meta.dirname });
  await expect(fallback).rejects.toMatchObject({ complaints: [{ place: { file: 'other.toml' } }] });
  const usual = loadConfig({ file: null, env: { POSTERN_CONFIG: '' }, cwd: import.meta.dirname });
  await expect(usual).rejects.toMatchObject({ complaints: [{ place: { file: 'config/postern.toml' } }] });
  const folder = loadConfig({ file: import.meta.dirname, env: {}, cwd: '/' });
  await expect(folder).rejects.toMatchObject({ name: 'ConfigError' });
});

it('the three shipped files load; those to try are on loopback, without privilege', async () => {
  const cwd = join(import.meta.dirname, '../..');
  const shipped = (file: string) => loadConfig({ file: `config/${file}`, env: {}, cwd });
  const trial = await shipped('postern.toml');
  expect(trial.listeners.map(({ port }) => port)).toEqual([2525, 2465, 2587, 2993, 2143, 2995, 2110]);
  expect(trial.accounts.map(({ address }) => address)).toEqual(['alice@example.test', 'bob@example.test']);
  const testing = await shipped('testing.toml');
  expect(testing.test).toEqual({ catchAll: true, anyPassword: true, exposed: false });
  for (const { addresses, port } of [...trial.listeners, ...testing.listeners]) {
    expect(addresses).toEqual(['127.0.0.1']);
    expect(port).toBeGreaterThan(1023);
  }
  const production = await shipped('production.toml');
  expect(production.listeners.map(({ port }) => port)).toEqual([25, 465, 587, 993, 143, 995, 110]);
  expect(production.accounts).toEqual([]);
});
