// The environment over the file: every setting by its path, lists of tables by number, mistakes by the variable's name.

import { expect, it } from 'vitest';
import { variablesOf } from '../../src/config/environment.ts';
import { outlineOfConfig } from '../../src/config/outline.ts';
import { LEAST, LISTENER, load, refusal } from './written.ts';

const FILE = [...LEAST, ...LISTENER];

it('sets values of every kind', async () => {
  const config = await load(FILE, {
    POSTERN_HOSTNAME: 'mx.example.org',
    POSTERN_DOMAINS: 'example.org, example.net',
    POSTERN_QUEUE_EXPIRE: '3d',
    POSTERN_QUEUE_RETRY: '1m,2m',
    POSTERN_LIMITS_MESSAGE_SIZE: '10MB',
    POSTERN_LIMITS_RECIPIENTS: '200',
    POSTERN_RELAY_LOOPBACK: 'yes',
    POSTERN_SUBMISSION_SHOW_CLIENT: '0',
    POSTERN_DKIM_ENABLED: 'no',
    POSTERN_DKIM_RSA_SELECTOR: 'rsa2026',
    POSTERN_SUBMISSION_MAX_HOLD: '0s',
    POSTERN_TLS_FOLDER: '/secrets',
    POSTERN_LOG_LEVEL: 'warn',
    POSTERN_TEST_CATCH_ALL: 'TRUE',
  });
  expect(config).toMatchObject({
    hostname: 'mx.example.org',
    domains: ['example.org', 'example.net'],
    queue: { expire: 3 * 86_400_000, retry: [60_000, 120_000] },
    limits: { messageSize: 10 * 1_048_576, recipients: 200 },
    relay: { loopback: true },
    submission: { showClient: false, maxHold: 0 },
    dkim: { enabled: false, rsaSelector: 'rsa2026', ed25519Selector: 'postern-ed' },
    tls: { folder: '/secrets' },
    log: { level: 'warn' },
    test: { catchAll: true },
  });
});

it('has a variable for every setting', () => {
  const names = [...variablesOf(outlineOfConfig()).keys()];
  expect(names).toContain('POSTERN_TLS_CERTIFICATE');
  expect(names).toContain('POSTERN_RELAY_SMARTHOST');
  expect(names).toContain('POSTERN_RELAY_ROUTE_n');
  expect(new Set(names).size).toBe(names.length);
});

it('numbered variables take the place of all tables of their kind, in their order', async () => {
  const config = await load([...FILE, '[[account]]', 'address = "old@example.test"'], {
    POSTERN_ACCOUNT_10: 'address=carol@example.test;password=last',
    POSTERN_ACCOUNT_1:
      'address=alice@example.test;password=a\\;b\\\\c=d;aliases=postmaster@example.test,al@example.test;',
    POSTERN_ACCOUNT_2: ' address =bob@example.test; quota =1GB',
    POSTERN_LISTENER_1: 'role=submission;address=127.0.0.1,::1;port=465;tls=implicit',
    POSTERN_LISTENER_2: 'role=imap;port=143;tls=required;cleartext=false',
    POSTERN_RELAY_ROUTE_1: 'domain=a.test;host=b.test;port=26',
  });
  expect(config.accounts).toMatchObject([
    {
      address: 'alice@example.test',
      password: 'a;b\\c=d',
      aliases: ['postmaster@example.test', 'al@example.test'],
      place: { file: 'POSTERN_ACCOUNT_1', line: 0 },
    },
    { address: 'bob@example.test' },
    { address: 'carol@example.test' },
  ]);
  expect(config.listeners).toMatchObject([
    { role: 'submission', addresses: ['127.0.0.1', '::1'], port: 465 },
    { role: 'imap', addresses: ['127.0.0.1'], port: 143 },
  ]);
  expect(config.relay.routes).toMatchObject([{ domain: 'a.test', host: 'b.test', port: 26 }]);
});

it('the file may lack what the environment gives', async () => {
  const config = await load(['# empty'], {
    POSTERN_HOSTNAME: 'mail.example.test',
    POSTERN_DOMAINS: 'example.test',
    POSTERN_LISTENER_1: 'role=imap;port=2993;tls=implicit',
  });
  expect(config.listeners).toHaveLength(1);
});

it('an empty variable is none; those of others are left alone', async () => {
  const config = await load(FILE, {
    POSTERN_HOSTNAME: '',
    POSTERN_CONFIG: 'whatever.toml',
    POSTERN_PASSWORD: 'secret',
    POSTERN_SERVICE_HOST: '10.0.0.1',
    POSTERN_SERVICE_PORT_SMTP: '25',
    POSTERN_PORT: 'tcp://10.0.0.1:25',
    POSTERN_PORT_25_TCP: 'tcp://10.0.0.1:25',
    POSTERN_PORT_25_TCP_ADDR: '10.0.0.1',
    POSTERN_IMAP_SERVICE_HOST: '10.0.0.2',
    POSTERN_IMAP_SERVICE_PORT: '993',
    POSTERN_IMAP_PORT: 'tcp://10.0.0.2:993',
    POSTERN_IMAP_PORT_993_TCP_PROTO: 'tcp',
    HOSTNAME: 'other',
    postern_hostname: 'x',
  });
  expect(config.hostname).toBe('mail.example.test');
});

it('a setting that looks like a link of others is a mistake, and not left alone', async () => {
  await expect(load(FILE, { POSTERN_RELAY_SMARTHOST: 'tcp://smtp.example.net:587' })).rejects.toMatchObject({
    complaints: [{ place: { file: 'POSTERN_RELAY_SMARTHOST' } }],
  });
});

it('the end of a password with a semicolon in it is not shown', async () => {
  const given = 'address=alice@example.test;password=one;two=three';
  const wrong = await load(FILE, { POSTERN_ACCOUNT_1: given }).catch((error: Error) => error.message);
  expect(wrong).toMatch(/^POSTERN_ACCOUNT_1: /);
  expect(wrong).not.toMatch(/two|three/);
});

it.each([
  ['POSTERN_HOSTNAM', 'x', 'POSTERN_HOSTNAME'],
  ['POSTERN_MESSAGE_SIZE', '1MB', ''],
  ['POSTERN_LIMITS_MESSAGESIZE', '1MB', 'POSTERN_LIMITS_MESSAGE_SIZE'],
  ['POSTERN_ACCOUNT', 'address=a@example.test', 'POSTERN_ACCOUNT_n'],
  ['POSTERN_ACOUNT_1', 'address=a@example.test', 'POSTERN_ACCOUNT_n'],
  ['POSTERN_ACCOUNT_99999', 'address=a@example.test', ''],
  ['POSTERN_PORT', '25', ''],
  ['POSTERN_HOSTNAME_1', 'x', 'POSTERN_HOSTNAME'],
  ['POSTERN_', 'x', ''],
])('%s=%s is no setting', async (name, value, meant) => {
  const { complaints, message } = await refusal(FILE, { [name]: value });
  expect(complaints.map(({ place }) => place)).toEqual([{ file: name, line: 0 }]);
  expect(message).toContain(meant);
});

it.each([
  ['POSTERN_LIMITS_RECIPIENTS', 'many', 'limits.recipients'],
  ['POSTERN_LIMITS_RECIPIENTS', '1e3', 'limits.recipients'],
  ['POSTERN_RELAY_LOOPBACK', 'maybe', 'relay.loopback'],
  ['POSTERN_QUEUE_EXPIRE', '5', 'queue.expire'],
  ['POSTERN_DOMAINS', 'a.test,,b.test', 'domains'],
  ['POSTERN_ACCOUNT_1', 'address=alice', 'account[1].address'],
  ['POSTERN_ACCOUNT_1', 'password=x', 'account[1].address'],
  ['POSTERN_ACCOUNT_1', 'adress=alice@example.test', '"address"'],
  ['POSTERN_ACCOUNT_1', '__proto__=x;address=alice@example.test', '__proto__'],
  ['POSTERN_ACCOUNT_1', 'address=alice@elsewhere.test', 'elsewhere.test'],
  ['POSTERN_LISTENER_1', 'role=imap;port=143', 'listener[1].tls'],
  ['POSTERN_LISTENER_1', 'role=imap;port=x;tls=implicit', 'listener[1].port'],
  ['POSTERN_LISTENER_1', 'role=pop2;port=995;tls=implicit', 'pop3'],
])('%s=%s: the complaint is at the variable and says %s', async (name, value, said) => {
  const { complaints } = await refusal(FILE, { [name]: value });
  expect(complaints.every(({ place }) => place.file === name || place.line === 0)).toBe(true);
  expect(complaints.some(({ place, text }) => place.file === name && text.includes(said))).toBe(true);
});

it('never repeats what may be a part of a password', async () => {
  for (const value of ['address=a@example.test;password=one;rest-of-it', 'password=one;password=rest-of-it']) {
    const { complaints, message } = await refusal(FILE, { POSTERN_ACCOUNT_1: value });
    expect(complaints.map(({ place }) => place.file)).toContain('POSTERN_ACCOUNT_1');
    expect(message).not.toContain('rest-of-it');
  }
});

it('a table of the file that is none is not covered up', async () => {
  const { complaints } = await refusal(['limits = 5', ...FILE], { POSTERN_LIMITS_RECIPIENTS: '200' });
  expect(complaints[0]?.place.line).toBe(1);
});
