// The guard rails of DESIGN: a port that is open the wrong way does not start, and the message says why at its line.

import { expect, it } from 'vitest';
import { warningsOf } from '../../src/config/guard-rails.ts';
import { FILE, LEAST, LISTENER, listener, load, refusal } from './written.ts';

const PUBLIC = 'address = "0.0.0.0"';

/** A listener's settings, and the line and word of the complaint; null: it may start. */
const gates: readonly (readonly [readonly string[], string | null])[] = [
  // Transfer: never implicit, and on the public net neither demanded nor missing.
  [['role = "transfer"', PUBLIC, 'tls = "offered"'], null],
  [['role = "transfer"', 'tls = "implicit"'], 'tls'],
  [['role = "transfer"', PUBLIC, 'tls = "implicit"', 'private = true'], 'tls'],
  [['role = "transfer"', PUBLIC, 'tls = "required"'], 'tls'],
  [['role = "transfer"', PUBLIC, 'tls = "none"'], 'tls'],
  [['role = "transfer"', PUBLIC, 'tls = "required"', 'private = true'], null],
  [['role = "transfer"', PUBLIC, 'tls = "none"', 'private = true'], null],
  [['role = "transfer"', 'tls = "none"'], null],
  [['role = "transfer"', 'tls = "required"'], null],
  [['role = "transfer"', 'address = ["127.0.0.1", "192.0.2.1"]', 'tls = "none"'], 'tls'],
  [['role = "transfer"', 'tls = "offered"', 'cleartext = true'], 'cleartext'],
  // Submission and access: passwords cross no net in clear, unless the file says so.
  [['role = "submission"', PUBLIC, 'tls = "implicit"'], null],
  [['role = "submission"', PUBLIC, 'tls = "required"'], null],
  [['role = "submission"', PUBLIC, 'tls = "offered"'], 'tls'],
  [['role = "submission"', PUBLIC, 'tls = "none"'], 'tls'],
  [['role = "submission"', PUBLIC, 'tls = "none"', 'cleartext = true'], null],
  [['role = "submission"', 'tls = "none"'], null],
  [['role = "submission"', 'address = "::1"', 'tls = "offered"'], null],
  [['role = "submission"', 'address = "::ffff:127.0.0.1"', 'tls = "offered"'], null],
  [['role = "submission"', 'address = "127.8.9.10"', 'tls = "offered"'], null],
  [['role = "submission"', 'address = "::"', 'tls = "offered"'], 'tls'],
  [['role = "submission"', 'address = "10.0.0.1"', 'tls = "offered"'], 'tls'],
  [['role = "imap"', PUBLIC, 'tls = "none"'], 'tls'],
  [['role = "imap"', PUBLIC, 'tls = "offered"'], 'tls'],
  [['role = "imap"', PUBLIC, 'tls = "offered"', 'cleartext = true'], null],
  [['role = "imap"', 'tls = "implicit"', 'private = true'], 'private'],
  // Certificates of users: where users log in, and under TLS.
  [['role = "imap"', 'tls = "offered"', 'client_ca = "users.pem"'], null],
  [['role = "pop3"', 'tls = "none"', 'client_ca = "users.pem"'], 'client_ca'],
  [['role = "transfer"', 'tls = "offered"', 'client_ca = "users.pem"'], 'client_ca'],
  [['role = "imap"', 'tls = "implicit"', 'early_talker_wait = "5s"'], 'early_talker_wait'],
  [['role = "pop3"', PUBLIC, 'tls = "implicit"'], null],
  [['role = "pop3"', PUBLIC, 'tls = "required"'], null],
  [['role = "pop3"', PUBLIC, 'tls = "offered"'], 'tls'],
  [['role = "pop3"', PUBLIC, 'tls = "none"'], 'tls'],
  [['role = "pop3"', PUBLIC, 'tls = "none"', 'cleartext = true'], null],
  [['role = "pop3"', 'tls = "none"'], null],
  [['role = "imap"', 'address = ["127.0.0.1", "127.0.0.1"]', 'tls = "implicit"'], 'address'],
  [['role = "imap"', 'address = ["::1", "0:0:0:0:0:0:0:1"]', 'tls = "implicit"'], 'address'],
];

it.each(gates)('%j', async (settings, key) => {
  const lines = listener(...settings, 'port = 2525');
  if (key === null) {
    expect((await load(lines)).listeners).toHaveLength(1);
    return;
  }
  const { complaints } = await refusal(lines);
  const line = 1 + lines.findIndex((each) => each.startsWith(`${key} =`));
  expect(complaints).toEqual([{ place: { file: FILE, line }, text: expect.any(String) }]);
});

it('a warning at each start says what the file insists on', async () => {
  const lines = listener('role = "imap"', PUBLIC, 'tls = "none"', 'port = 143', 'cleartext = true');
  expect(warningsOf(await load(lines))).toEqual([expect.stringContaining('143')]);
  expect(warningsOf(await load([...LEAST, ...LISTENER]))).toEqual([]);
  const open = await load([...LEAST, ...LISTENER, '[test]', 'catch_all = true', 'any_password = true']);
  expect(warningsOf(open)).toHaveLength(2);
  const smarthost = (url: string) => load([...LEAST, ...LISTENER, '[relay]', `smarthost = "${url}"`]);
  expect(warningsOf(await smarthost('smtp://user:pass@relay.test?tls=required'))).toHaveLength(1);
  expect(warningsOf(await smarthost('smtps://user:pass@relay.test?verify=no'))).toHaveLength(1);
  expect(warningsOf(await smarthost('smtp://user:pass@relay.test'))).toEqual([]);
});

it.each([
  ['catch_all = true', 'test.catch_all'],
  ['any_password = true', 'test.any_password'],
])('[test] %s stays on loopback unless it is exposed', async (setting) => {
  const lines = [...listener('role = "imap"', 'port = 993', PUBLIC, 'tls = "implicit"'), '[test]', setting];
  const { complaints } = await refusal(lines);
  expect(complaints.map(({ place }) => place.line)).toEqual([lines.length]);
  expect((await load([...lines, 'exposed = true'])).test.exposed).toBe(true);
});

const imap = (...settings: readonly string[]) => ['[[listener]]', 'role = "imap"', 'tls = "implicit"', ...settings];

it.each([
  [['address = "127.0.0.1"'], ['address = "127.0.0.1"'], true],
  [['address = "0.0.0.0"'], ['address = "127.0.0.1"'], true],
  [['address = "127.0.0.1"'], ['address = "0.0.0.0"'], true],
  [['address = "::"'], ['address = "::1"'], true],
  [['address = "::"'], ['address = "127.0.0.1"'], true],
  [['address = ["::", "127.0.0.1"]'], ['address = "127.0.0.2"'], false],
  [['address = "0.0.0.0"'], ['address = "::1"'], false],
  [['address = "127.0.0.1"'], ['address = "127.0.0.2"'], false],
])('two listeners on port 993 at %j and %j: %s', async (first, second, collide) => {
  const lines = (port: number) => [...LEAST, ...imap(...first, `port = ${port}`), ...imap(...second, `port = ${port}`)];
  if (!collide) await load(lines(993));
  else expect((await refusal(lines(993))).complaints).toMatchObject([{ place: { line: 12 } }]);
  // Any free port is never the same.
  await load(lines(0));
});

it.each<readonly [string, readonly string[], number]>([
  ['no listener', LEAST, 0],
  ['more listeners than anybody has', [...LEAST, ...Array.from({ length: 65 }, () => imap('port = 0')).flat()], 259],
  ['a certificate without its key', [...LEAST, '[tls]', 'certificate = "a.pem"', ...LISTENER], 3],
  ['keys for other certificates', [...LEAST, '[tls]', 'key = ["a", "b"]', 'certificate = "a.pem"', ...LISTENER], 4],
  [
    'a header over the message',
    [...LEAST, ...LISTENER, '[limits]', 'message_size = "64KB"', 'header_size = "65KB"'],
    9,
  ],
  [
    'a message that is larger than what is kept free',
    [...LEAST, ...LISTENER, '[limits]', 'message_size = "20MB"', 'disk_free = "16MB"'],
    9,
  ],
  ['a warning after the end', [...LEAST, ...LISTENER, '[queue]', 'expire = "1h"', 'warn = "2h"'], 9],
  ['one name for both keys', [...LEAST, ...LISTENER, '[dkim]', 'ed25519_selector = "postern-rsa"'], 8],
  ['reports in the name of others', [...LEAST, ...LISTENER, '[tls_reports]', 'contact = "me@else.test"'], 8],
  ['reports from an address beyond ASCII', [...LEAST, ...LISTENER, '[tls_reports]', 'contact = "zoë@example.test"'], 8],
  ['reports to others', [...LEAST, ...LISTENER, '[tls_reports]', 'address = "tls@else.test"'], 8],
  ['more resolvers than are asked', [...LEAST, ...LISTENER, ...repeat(4, '[[relay.resolver]]', 'address = "::1"')], 13],
  [
    'a resolver that is never asked',
    [...LEAST, ...LISTENER, ...resolvers('address = "::1"\ntrusted = true', 'address = "192.0.2.1"')],
    10,
  ],
  [
    'trust in the resolver of Docker',
    [...LEAST, ...LISTENER, ...resolvers('address = "127.0.0.11"\ntrusted = true')],
    9,
  ],
])('%s', async (_, lines, line) => {
  const { complaints } = await refusal(lines);
  expect(complaints.map(({ place }) => place.line)).toEqual([line]);
});

function resolvers(...settings: readonly string[]): readonly string[] {
  return settings.flatMap((lines) => ['[[relay.resolver]]', ...lines.split('\n')]);
}

function repeat(times: number, ...lines: readonly string[]): readonly string[] {
  return Array.from({ length: times }, () => lines).flat();
}

const account = (address: string, ...settings: readonly string[]) => [
  '[[account]]',
  `address = "${address}"`,
  ...settings,
];
const HASH = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg';

it.each<readonly [string, readonly string[], number]>([
  ['an address of elsewhere', account('alice@other.test'), 8],
  ['an alias of elsewhere', account('alice@example.test', 'aliases = "alice@other.test"'), 9],
  ['one address for two', [...account('alice@example.test'), ...account('ALICE@example.test')], 10],
  [
    'an alias that is an account',
    [...account('a@example.test'), ...account('b@example.test', 'aliases = "a@example.test"')],
    11,
  ],
  ['password and hash', account('a@example.test', 'password = "x"', `password_hash = "${HASH}"`), 9],
])('%s', async (_, lines, line) => {
  const { complaints } = await refusal([...LEAST, ...LISTENER, ...lines]);
  expect(complaints.map(({ place }) => place.line)).toEqual([line]);
});

it('with catch_all every domain is ours', async () => {
  const config = await load([...LEAST, ...LISTENER, ...account('alice@other.test'), '[test]', 'catch_all = true']);
  expect(config.accounts).toHaveLength(1);
});

it('a folder that everybody writes to is not in data', async () => {
  const folder = async (path: string) => load([...LEAST, ...LISTENER, '[sendmail]', `folder = "${path}"`]);
  expect((await folder('/var/spool/postern')).sendmail.folder).toBe('/var/spool/postern');
  const { complaints } = await refusal([...LEAST, ...LISTENER, '[sendmail]', 'folder = "data/spool"']);
  expect(complaints.map(({ place }) => place.line)).toEqual([8]);
});
