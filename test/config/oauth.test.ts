// [oauth]: what goes together, what does not, and that the secret can come from the environment.

import { expect, it } from 'vitest';
import { FILE, LEAST, LISTENER, load, refusal } from './written.ts';

const ISSUER = 'issuer = "https://id.example.test"';
const JWKS = 'jwks = "https://id.example.test/keys"';
const ASK = 'introspection = "https://id.example.test/introspect"';
const AUDIENCE = 'audience = "mail"';
const CLIENT = 'client_id = "postern"';
const SECRET = 'client_secret = "s3cret"';

it.each<[string[], string]>([
  [[JWKS, AUDIENCE], 'jwks'],
  [['ca = "/ca.pem"'], 'ca'],
  [[ISSUER], 'issuer'],
  [[ISSUER, AUDIENCE], 'issuer'],
  [[ISSUER, JWKS, ASK, AUDIENCE, CLIENT, SECRET], 'introspection'],
  [[ISSUER, JWKS], 'jwks'],
  [[ISSUER, JWKS, AUDIENCE, CLIENT], 'client_id'],
  [[ISSUER, JWKS, AUDIENCE, SECRET], 'client_secret'],
  [[ISSUER, ASK], 'introspection'],
  [[ISSUER, ASK, CLIENT], 'introspection'],
  [[ISSUER, ASK, SECRET], 'introspection'],
  [[ISSUER, ASK, CLIENT, SECRET, 'client_secret_file = "/secret"'], 'introspection'],
  [['issuer = "http://id.example.test"', JWKS, AUDIENCE], 'issuer'],
  [['issuer = "https://id.example.test#x"', JWKS, AUDIENCE], 'issuer'],
  [[ISSUER, 'jwks = "https://me:x@id.example.test"', AUDIENCE], 'jwks'],
  [[ISSUER, 'jwks = "keys.json"', AUDIENCE], 'jwks'],
  [[ISSUER, JWKS, AUDIENCE, 'scope = "mail  more"'], 'scope'],
  [[ISSUER, JWKS, AUDIENCE, 'scope = ""'], 'scope'],
  [[ISSUER, JWKS, AUDIENCE, 'claim = ""'], 'claim'],
])('%j is refused at %s', async (lines, key) => {
  const all = [...LEAST, '[oauth]', ...lines, ...LISTENER];
  const { complaints, message } = await refusal(all);
  const line = all.findIndex((each) => each.startsWith(`${key} =`)) + 1;
  expect(complaints.map(({ place }) => place)).toEqual([{ file: FILE, line }]);
  expect(message).not.toContain('s3cret');
});

it('reads every setting', async () => {
  const { oauth } = await load([
    ...LEAST,
    '[oauth]',
    'issuer = "https://id.example.test/realms/Mail"',
    ASK,
    CLIENT,
    'client_secret_file = "/run/secret"',
    AUDIENCE,
    'claim = "preferred_username"',
    'scope = "mail mail.send"',
    'ca = "/ca.pem"',
    ...LISTENER,
  ]);
  expect(oauth).toEqual({
    issuer: 'https://id.example.test/realms/Mail',
    source: {
      kind: 'introspection',
      url: 'https://id.example.test/introspect',
      clientId: 'postern',
      secret: { kind: 'file', path: '/run/secret' },
    },
    audience: 'mail',
    claim: 'preferred_username',
    scope: 'mail mail.send',
    authorities: ['/ca.pem'],
  });
});

it('tokens are taken by keys', async () => {
  const { oauth } = await load([...LEAST, '[oauth]', ISSUER, JWKS, AUDIENCE, ...LISTENER]);
  expect(oauth).toEqual({
    issuer: 'https://id.example.test',
    source: { kind: 'jwks', url: 'https://id.example.test/keys' },
    audience: 'mail',
    claim: 'email',
    scope: null,
    authorities: [],
  });
});

it('the secret may come from the environment alone', async () => {
  const env = { POSTERN_OAUTH_CLIENT_SECRET: 's3cret' };
  const { oauth } = await load([...LEAST, '[oauth]', ISSUER, ASK, CLIENT, ...LISTENER], env);
  expect(oauth?.source).toMatchObject({ kind: 'introspection', secret: { kind: 'text', text: 's3cret' } });
});
