// The client's mechanisms: SCRAM by the RFC's own example and against servers that cheat, XOAUTH2, and which one is taken.

import { describe, expect, test } from 'vitest';
import { ExchangeFailure, type Surroundings } from '../../../src/sasl/client/mechanism.ts';
import { fittingMechanisms } from '../../../src/sasl/client/mechanisms.ts';
import { scramSha256, scramSha256Plus } from '../../../src/sasl/client/scram.ts';
import { xoauth2 } from '../../../src/sasl/client/simple.ts';

const NONCE = 'rOprNGfwEbeRWgbNEkqO';
const SERVER_FIRST = `r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const unbound: Surroundings = { binding: null, bindingOffered: false, nonce: NONCE };
const password = (text: string, user = 'user') => ({ user, secret: { kind: 'password' as const, text } });
const start = (surroundings: Partial<Surroundings> = {}) =>
  scramSha256.start(password('pencil'), { ...unbound, ...surroundings });

describe('SCRAM-SHA-256', () => {
  test('the example of RFC 7677 §3', async () => {
    const client = start();
    expect(String(client.initial)).toBe(`n,,n=user,r=${NONCE}`);
    expect(String(await client.respond(Buffer.from(SERVER_FIRST)))).toBe(
      `c=biws,r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
    );
    expect(client.complete).toBe(false);
    const last = await client.respond(Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='));
    expect(last).toHaveLength(0);
    expect(client.complete).toBe(true);
  });

  test.each(['v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', 'v=', 'e=invalid-proof', ''])(
    'a server that answers %j has proved nothing',
    async (final) => {
      const client = start();
      await client.respond(Buffer.from(SERVER_FIRST));
      expect(() => client.respond(Buffer.from(final))).toThrow(ExchangeFailure);
      expect(client.complete).toBe(false);
    },
  );

  test.each([
    ['a nonce that is not ours', SERVER_FIRST.replace(NONCE, 'another')],
    ['a nonce with nothing added', `r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`],
    ['few iterations', SERVER_FIRST.replace('i=4096', 'i=1')],
    ['iterations without end', SERVER_FIRST.replace('i=4096', 'i=999999999')],
    ['an extension that must be understood', `m=x,${SERVER_FIRST}`],
    ['no salt', SERVER_FIRST.replace(/s=[^,]*/, 's=')],
    ['nothing', ''],
  ])('%s is refused', async (_, first) => {
    await expect(async () => start().respond(Buffer.from(first))).rejects.toThrow(ExchangeFailure);
  });

  test('a name with "," and "=" (RFC 5802 §5.1), and one that was typed in another way (RFC 4013 §2.2)', () => {
    const named = (user: string) => String(scramSha256.start(password('x', user), unbound).initial);
    expect(named('a=b,c')).toBe(`n,,n=a=3Db=2Cc,r=${NONCE}`);
    expect(named('u\u0308')).toBe(named('\u00FC'));
  });

  test('the flag tells whether an offer was taken away (RFC 5802 §6)', () => {
    const binding = Buffer.alloc(32, 7);
    expect(String(start({ binding }).initial)).toMatch(/^y,,/);
    expect(String(start({ binding, bindingOffered: true }).initial)).toMatch(/^n,,/);
    expect(String(start({ bindingOffered: true }).initial)).toMatch(/^n,,/);
  });

  test('-PLUS says what it is bound to', async () => {
    const binding = Buffer.alloc(32, 7);
    const client = scramSha256Plus.start(password('pencil'), { binding, bindingOffered: true, nonce: NONCE });
    expect(String(client.initial)).toBe(`p=tls-exporter,,n=user,r=${NONCE}`);
    const cbind = /^c=([^,]*),/.exec(String(await client.respond(Buffer.from(SERVER_FIRST))))?.[1] ?? '';
    expect(Buffer.from(cbind, 'base64')).toEqual(Buffer.concat([Buffer.from('p=tls-exporter,,'), binding]));
  });
});

test('XOAUTH2 says the token, and nothing to the error that comes as a challenge', () => {
  const client = xoauth2.start({ user: 'someuser@example.test', secret: { kind: 'token', text: 'ya29.vF9' } }, unbound);
  expect(String(client.initial)).toBe('user=someuser@example.test\x01auth=Bearer ya29.vF9\x01\x01');
  expect(client.complete).toBe(true);
  expect(client.respond(Buffer.from('{"status":"401"}'))).toHaveLength(0);
  expect(client.complete).toBe(false);
  expect(() => client.respond(Buffer.alloc(0))).toThrow(ExchangeFailure);
});

const ALL = ['LOGIN', 'PLAIN', 'GSSAPI', 'XOAUTH2', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'];
test.each([
  ['a password over TLS 1.3', 'password', null, true, ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN']],
  ['nothing to bind to', 'password', null, false, ['SCRAM-SHA-256', 'PLAIN', 'LOGIN']],
  ['a token', 'token', null, true, ['XOAUTH2']],
  ['the operator has chosen', 'password', 'LOGIN', true, ['LOGIN']],
] as const)('best first: %s', (_, secret, only, bindable, expected) => {
  expect(fittingMechanisms(ALL, secret, only, bindable).map(({ name }) => name)).toEqual(expected);
});
