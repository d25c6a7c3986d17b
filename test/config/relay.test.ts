// [relay]: smarthosts as URLs, logins by host, routes, and what of it is refused, without a secret in any text.

import { expect, it } from 'vitest';
import { LEAST, LISTENER, load, refusal } from './written.ts';

const HEAD = [...LEAST, ...LISTENER, '[relay]'];
const password = (user: string, text: string) => ({ user, mechanism: null, secret: { kind: 'password', text } });

it.each([
  ['smtps://user:secret@smtp.example.net', { port: 465, tls: 'implicit', login: password('user', 'secret') }],
  ['smtps://user:secret@smtp.example.net:466', { port: 466, tls: 'implicit' }],
  ['smtps://user:secret@smtp.example.net?verify=no', { tls: 'implicit-unverified' }],
  ['smtp://user:secret@SMTP.example.net', { host: 'smtp.example.net', port: 587, tls: 'verified' }],
  ['smtp://smtp.example.net', { port: 587, tls: 'verified', login: null }],
  ['smtp://smtp.example.net?verify=no', { tls: 'required' }],
  ['smtp://user:secret@smtp.example.net:25?tls=required', { port: 25, tls: 'required' }],
  ['smtp://127.0.0.1:26?tls=none', { host: '127.0.0.1', port: 26, tls: 'none' }],
  ['smtp://[::1]:26?tls=opportunistic', { host: '::1', port: 26, tls: 'opportunistic' }],
  ['smtps://a%40b:p%23%2F%3F%25@smtp.example.net/', { login: password('a@b', 'p#/?%') }],
])('smarthost %s', async (url, expected) => {
  const config = await load([...HEAD, `smarthost = "${url}"`]);
  expect(config.relay.smarthosts).toEqual([expect.objectContaining(expected)]);
});

it.each([
  'http://smtp.example.net',
  'smtps://',
  'smtps://user@smtp.example.net',
  'smtps://:secret@smtp.example.net',
  // The "#" ends the URL, so the host would be "user" and the password a part of nothing.
  'smtps://user:12#secret@smtp.example.net:465',
  'smtps://user:12/secret@smtp.example.net:465',
  'smtps://user:12?secret@smtp.example.net:465',
  'smtps://user:se%zzcret@smtp.example.net',
  'smtps://user:zzcret%00@smtp.example.net',
  'smtps://smtp.example.net:0',
  'smtps://smtp.example.net:70000',
  'smtps://smtp.example.net?tls=none',
  'smtps://smtp.example.net?verify=yes',
  'smtp://smtp.example.net?tls=verified&verify=no',
  'smtp://smtp.example.net?tls=maybe',
  'smtp://smtp.example.net?starttls=1',
  'smtp://user:secret@smtp.example.net?tls=none',
  'smtp://user:secret@smtp.example.net?tls=opportunistic',
])('smarthost %s is refused, and its password not repeated', async (url) => {
  const { complaints, message } = await refusal([...HEAD, `smarthost = "${url}"`]);
  expect(complaints.map(({ place }) => place.line)).toEqual([8]);
  expect(message).toContain('relay.smarthost');
  expect(message).not.toContain('12');
  expect(message).not.toContain('zzcret');
});

it('a list falls back in its order; in the environment it has commas', async () => {
  const urls = ['smtps://a.example.net', 'smtp://u:p@b.example.net'];
  const hosts = async (lines: readonly string[], env: Record<string, string> = {}) =>
    (await load([...HEAD, ...lines], env)).relay.smarthosts.map(({ host }) => host);
  expect(await hosts([`smarthost = ${JSON.stringify(urls)}`])).toEqual(['a.example.net', 'b.example.net']);
  expect(await hosts([], { POSTERN_RELAY_SMARTHOST: urls.join(', ') })).toEqual(['a.example.net', 'b.example.net']);
  expect((await refusal([...HEAD, `smarthost = ${JSON.stringify(Array(9).fill(urls[0]))}`])).complaints).toHaveLength(
    1,
  );
});

const CREDENTIALS = [
  'smarthost = ["smtps://own:word@a.example.net", "smtps://a.example.net", "smtp://b.other.test", "smtps://192.0.2.1"]',
  '[[relay.credentials]]',
  'host = "*.Example.net"',
  'user = "first"',
  'password_file = "secret"',
  '[[relay.credentials]]',
  'host = "*"',
  'user = "rest"',
  'token_command = ["/bin/token", "me"]',
  'mechanism = "XOAUTH2"',
];

it('logins by host: the URL first, then the first pattern that fits', async () => {
  const { relay } = await load([...HEAD, ...CREDENTIALS]);
  const rest = { user: 'rest', mechanism: 'XOAUTH2', secret: { kind: 'token-command', command: ['/bin/token', 'me'] } };
  expect(relay.smarthosts.map(({ login }) => login)).toEqual([
    password('own', 'word'),
    {
      user: 'first',
      mechanism: null,
      secret: { kind: 'password-file', path: expect.stringMatching(/^\/.*\/secret$/) },
    },
    rest,
    rest,
  ]);
});

it('logins from the environment', async () => {
  const { relay } = await load([...HEAD, 'smarthost = "smtps://a.example.net"'], {
    POSTERN_RELAY_CREDENTIALS_1: 'host=a.example.net;user=me;password=pass\\;word',
  });
  expect(relay.smarthosts[0]?.login).toEqual(password('me', 'pass;word'));
});

it.each([
  ['no secret', ['host = "a.example.net"', 'user = "u"'], 10],
  ['two secrets', ['host = "a.example.net"', 'user = "u"', 'password = "zz"', 'token_file = "f"'], 13],
  ['a host that is no smarthost', ['host = "b.example.net"', 'user = "u"', 'password = "zz"'], 10],
  ['a host in clear', ['host = "127.0.0.1"', 'user = "u"', 'password = "zz"'], 10],
  ['a token for PLAIN', ['host = "*.net"', 'user = "u"', 'token_file = "f"', 'mechanism = "PLAIN"'], 13],
  ['a password for XOAUTH2', ['host = "*.net"', 'user = "u"', 'password = "zz"', 'mechanism = "XOAUTH2"'], 13],
  ['a pattern that is none', ['host = "a.*.net"', 'user = "u"', 'password = "zz"'], 10],
])('credentials with %s', async (_, lines, line) => {
  const urls = 'smarthost = ["smtps://a.example.net", "smtp://127.0.0.1:25?tls=none"]';
  const { complaints, message } = await refusal([...HEAD, urls, '[[relay.credentials]]', ...lines]);
  expect(complaints.map(({ place }) => place.line)).toEqual([line]);
  expect(message).not.toContain('zz');
});

it('a route has a host, or smarthosts with their logins', async () => {
  const { relay } = await load([
    ...HEAD,
    '[[relay.route]]',
    'domain = "a.test"',
    'host = "10.0.0.1"',
    '[[relay.route]]',
    'domain = "b.test"',
    'smarthost = ["smtps://smtp.b.test", "smtps://smtp2.b.test"]',
    '[[relay.credentials]]',
    'host = "smtp.b.test"',
    'user = "u"',
    'password = "p"',
  ]);
  const host = { port: 465, tls: 'implicit' };
  expect(relay.routes).toEqual([
    { domain: 'a.test', host: '10.0.0.1', port: 25, tls: 'opportunistic' },
    {
      domain: 'b.test',
      smarthosts: [
        { ...host, host: 'smtp.b.test', login: password('u', 'p') },
        { ...host, host: 'smtp2.b.test', login: null },
      ],
    },
  ]);
});

it.each([
  ['neither', [], 9],
  ['both', ['smarthost = "smtps://a.test"', 'host = "a.test"'], 11],
  ['a port beside a URL', ['smarthost = "smtps://a.test"', 'port = 26'], 11],
])('a route with %s', async (_, lines, line) => {
  const { complaints } = await refusal([...HEAD, '[[relay.route]]', 'domain = "a.test"', ...lines]);
  expect(complaints.map(({ place }) => place.line)).toEqual([line]);
});
