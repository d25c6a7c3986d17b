// Tokens of OAuth 2.0, by the issuer's keys (RFC 9068) and by asking it (RFC 7662): which are good, which are not, and what an
// issuer that fails may cost.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OauthConfig } from '../../src/config/config.ts';
import { AuthenticationFailure } from '../../src/directory/directory.ts';
import { openTokenIssuer } from '../../src/directory/token/open.ts';
import { FakeClock } from '../fake-clock.ts';
import { AUDIENCE, Issuer, macSigned, SECRET, signed, signingKey, unsigned } from './issuer.ts';

const HOUR = 3_600_000;
const one = signingKey('one');
const rsa = signingKey('two', 'RS256');
const short = signingKey('short', 'RS256', 1024);
const stranger = signingKey('one');
const spare = signingKey('spare');

let issuer: Issuer;
let clock: FakeClock;
beforeAll(async () => {
  issuer = await Issuer.open();
});
afterAll(() => issuer[Symbol.asyncDispose]());
beforeEach(() => {
  clock = new FakeClock();
  issuer.answer = null;
  issuer.keys = [spare.jwk, one.jwk, rsa.jwk];
  issuer.known.clear();
});

const desk = (kind: 'jwks' | 'introspection', more: Partial<OauthConfig> = {}) =>
  openTokenIssuer(issuer.config(kind, more), { clock, secureContext: () => issuer.secureContext() });

const claims = (more: object = {}) => issuer.claims(clock.now(), more);
const seconds = (ms = 0) => Math.floor((clock.now() + ms) / 1000);
const GOOD = { kind: 'good', name: 'alice@example.test' };

/** `good`, the error that the client hears, or `busy`. */
async function outcome(check: Promise<{ kind: string; error?: string }>): Promise<string> {
  try {
    const said = await check;
    return said.error ?? said.kind;
  } catch (error) {
    if (error instanceof AuthenticationFailure) return error.kind;
    throw error;
  }
}

describe('by keys', () => {
  it.each([
    ['one key', one],
    ['another', rsa],
  ])('%s', async (_, key) => {
    expect(await desk('jwks').check(signed(key, claims()))).toEqual(GOOD);
  });

  it.each<[string, () => object, object?]>([
    ['without a type', claims, { typ: undefined }],
    ['of the usual type', claims, { typ: 'JWT' }],
    ['for several', () => claims({ aud: ['other', AUDIENCE] })],
    ['that has just expired by our clock', () => claims({ exp: seconds(-30_000) })],
    ['that is valid in a moment', () => claims({ nbf: seconds(30_000) })],
    ['without a key id', claims, { kid: undefined }],
    ['with a verified address', () => claims({ email_verified: true })],
  ])('a token %s is good', async (_, said, header) => {
    expect(await desk('jwks').check(signed(one, said(), header))).toEqual(GOOD);
  });

  it.each<[string, () => string]>([
    ['expired', () => signed(one, claims({ exp: seconds(-90_000) }))],
    ['of the future', () => signed(one, claims({ nbf: seconds(90_000) }))],
    ['without an end', () => signed(one, claims({ exp: undefined }))],
    ['for somebody else', () => signed(one, claims({ aud: 'https://other.test' }))],
    ['for nobody', () => signed(one, claims({ aud: undefined }))],
    ['of another issuer', () => signed(one, claims({ iss: 'https://other.test' }))],
    ['of no issuer', () => signed(one, claims({ iss: undefined }))],
    ["under another's key", () => signed(stranger, claims())],
    ["under another's key of no name", () => signed(stranger, claims(), { kid: undefined })],
    ['under no key that is known', () => signed(signingKey('three'), claims())],
    ['without a signature', () => unsigned(claims())],
    ['under the public key as a secret', () => macSigned(JSON.stringify(one.jwk), 'one', claims())],
    ['with what must be understood', () => signed(one, claims(), { crit: ['x'], x: 1 })],
    ['for logging out', () => signed(one, claims(), { typ: 'logout+jwt' })],
    ['that is bound to a key', () => signed(one, claims({ cnf: { jkt: 'x' } }))],
    ['without an address', () => signed(one, claims({ email: undefined }))],
    ['with an address that is a number', () => signed(one, claims({ email: 1 }))],
    ['with an address that nobody has verified', () => signed(one, claims({ email_verified: false }))],
    [
      'that was changed',
      () => signed(one, claims()).replace(/\.[^.]+\./, `.${Buffer.from('{}').toString('base64url')}.`),
    ],
    ['that is no JWT', () => 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=='],
    ['with five parts', () => 'a.b.c.d.e'],
  ])('a token %s is refused', async (_, token) => {
    const said = await desk('jwks').check(token());
    expect(said).toMatchObject({ kind: 'refused', error: 'invalid_token' });
    expect(JSON.stringify(said)).not.toContain(token());
  });

  it('the claim that is configured names the account', async () => {
    const token = signed(one, claims({ email: 'x@example.test', preferred_username: 'bob' }));
    expect(await desk('jwks', { claim: 'preferred_username' }).check(token)).toEqual({ kind: 'good', name: 'bob' });
  });

  it.each<[object, string]>([
    [{ scope: 'openid mail.send mail' }, 'good'],
    [{ scp: ['mail', 'mail.send'] }, 'good'],
    [{ scope: 'mail.sender mail' }, 'insufficient_scope'],
    [{ scope: 7 }, 'insufficient_scope'],
    [{}, 'insufficient_scope'],
  ])('scope: %j is %s', async (said, expected) => {
    expect(await outcome(desk('jwks', { scope: 'mail mail.send' }).check(signed(one, claims(said))))).toBe(expected);
  });

  it.each<[string, object]>([
    ['one that is no point', { ...one.jwk, x: 'AAAA' }],
    ['one without a half', { ...one.jwk, y: undefined }],
    ['one that signs, too', { ...one.jwk, key_ops: ['verify', 'sign'], use: undefined }],
    ['one that is secret', { ...one.jwk, ...one.secret.export({ format: 'jwk' }) }],
    ['one of RSA that is short', { ...short.jwk, kid: 'one' }],
    ['one of RSA that is a number', { ...rsa.jwk, kid: 'one', n: 1 }],
  ])('of keys that are wrong: %s makes no token good, and others none bad', async (_, wrong) => {
    issuer.keys = [wrong, rsa.jwk];
    const { check } = desk('jwks');
    const key = 'crv' in wrong ? one : { ...short, kid: 'one' };
    expect(await outcome(check(signed(key, claims())))).toBe('invalid_token');
    expect(await outcome(check(signed(rsa, claims(), { kid: undefined })))).toBe('good');
  });

  it('keys are fetched once, again after a while, and at once for a new one, but not for everybody', async () => {
    const { check } = desk('jwks');
    const before = issuer.asked['/jwks'];
    const fetched = () => issuer.asked['/jwks'] - before;
    await Promise.all([1, 2, 3].map(() => check(signed(one, claims()))));
    expect(fetched()).toBe(1);
    const fresh = signingKey('fresh');
    expect(await outcome(check(signed(fresh, claims())))).toBe('invalid_token');
    // Too soon after the first.
    expect(fetched()).toBe(1);
    issuer.keys = [fresh.jwk];
    clock.advance(31_000);
    expect(await outcome(check(signed(fresh, claims())))).toBe('good');
    expect(fetched()).toBe(2);
    for (let index = 0; index < 5; index++) await check(signed(signingKey(`made up ${index}`), claims()));
    expect(fetched()).toBe(2);
    // What the issuer has withdrawn is good no longer.
    expect(await outcome(check(signed(one, claims())))).toBe('invalid_token');
    clock.advance(11 * 60_000);
    expect(await outcome(check(signed(fresh, claims())))).toBe('good');
    expect(fetched()).toBe(3);
  });

  it.each<[string, Issuer['answer']]>([
    ['an error', { status: 500, body: {} }],
    ['a redirect', { status: 302, headers: { Location: '/elsewhere' }, body: {} }],
    ['no JSON', { body: 'hello' }],
    ['a list', { body: [] }],
    ['no keys', { body: {} }],
    ['nonsense for keys', { body: { keys: [1] } }],
    ['too much', { body: { keys: [], x: 'x'.repeat(300_000) } }],
    ['too many keys', { body: { keys: new Array(101).fill(one.jwk) } }],
  ])('an issuer that answers with %s decides nothing', async (_, answer) => {
    issuer.answer = answer;
    const { check } = desk('jwks');
    expect(await outcome(check(signed(one, claims())))).toBe('busy');
    // It is left alone for a while, and no longer.
    issuer.answer = null;
    expect(await outcome(check(signed(one, claims())))).toBe('busy');
    clock.advance(6_000);
    expect(await outcome(check(signed(one, claims())))).toBe('good');
  });

  it('keys outlive an hour of an issuer that is away, and no more', async () => {
    const { check } = desk('jwks');
    await check(signed(one, claims()));
    issuer.answer = { status: 503, body: {} };
    clock.advance(HOUR / 2);
    expect(await outcome(check(signed(one, claims())))).toBe('good');
    clock.advance(HOUR / 2);
    expect(await outcome(check(signed(one, claims())))).toBe('busy');
    issuer.answer = null;
    clock.advance(31_000);
    expect(await outcome(check(signed(one, claims())))).toBe('good');
  });

  it('an issuer whose certificate is not trusted is not believed', async () => {
    await using impostor = await Issuer.open();
    impostor.keys = [one.jwk];
    const trusted = { clock, secureContext: () => issuer.secureContext() };
    const { check } = openTokenIssuer(impostor.config('jwks'), trusted);
    expect(await outcome(check(signed(one, impostor.claims(clock.now()))))).toBe('busy');
    expect(impostor.asked['/jwks']).toBe(0);
  });

  it('an issuer that does not answer is not waited for', async () => {
    const { check } = openTokenIssuer(issuer.config('jwks'), {
      clock: {
        now: () => clock.now(),
        after(_, callback) {
          queueMicrotask(callback);
          return () => undefined;
        },
      },
      secureContext: () => issuer.secureContext(),
    });
    expect(await outcome(check(signed(one, claims())))).toBe('busy');
  });
});

describe('by asking', () => {
  const ask = async (said: object, more: Partial<OauthConfig> = {}) => {
    issuer.known.set('opaque', said);
    return await outcome(desk('introspection', more).check('opaque'));
  };

  it('what the issuer says is good is good', async () => {
    issuer.known.set('opaque+/==', claims({ active: true }));
    expect(await desk('introspection').check('opaque+/==')).toEqual(GOOD);
  });

  it.each<[string, () => object, string]>([
    ['is not active', () => claims({ active: false }), 'invalid_token'],
    ['is active in a manner of speaking', () => claims({ active: 'true' }), 'invalid_token'],
    ['has expired', () => claims({ active: true, exp: seconds(-90_000) }), 'invalid_token'],
    ['ends in words', () => claims({ active: true, exp: 'later' }), 'invalid_token'],
    ['is of the future', () => claims({ active: true, nbf: seconds(90_000) }), 'invalid_token'],
    ['is of another issuer', () => claims({ active: true, iss: 'https://other.test' }), 'invalid_token'],
    ['is for another', () => claims({ active: true, aud: 'other' }), 'invalid_token'],
    ['is for nobody', () => claims({ active: true, aud: undefined }), 'invalid_token'],
    ['has no end and no issuer', () => claims({ active: true, exp: undefined, iss: undefined }), 'good'],
  ])('a token that %s', async (_, said, expected) => {
    expect(await ask(said())).toBe(expected);
  });

  it('without an audience, whatever the issuer tells us of is for us', async () => {
    expect(await ask(claims({ active: true, aud: undefined }), { audience: null })).toBe('good');
  });

  it('scopes count', async () => {
    expect(await ask(claims({ active: true, scope: 'mail' }), { scope: 'mail' })).toBe('good');
    expect(await ask(claims({ active: true, scope: 'profile' }), { scope: 'mail' })).toBe('insufficient_scope');
  });

  it('the secret may stand in a file, which is read each time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-secret-'));
    try {
      const path = join(folder, 'secret');
      const source = { kind: 'introspection', url: `${issuer.url}/introspect`, clientId: 'post:ern' } as const;
      const { check } = desk('introspection', { source: { ...source, secret: { kind: 'file', path } } });
      issuer.known.set('opaque', claims({ active: true }));
      expect(await outcome(check('opaque'))).toBe('busy');
      await writeFile(path, 'wrong\n');
      expect(await outcome(check('opaque'))).toBe('busy');
      await writeFile(path, `${SECRET}\n`);
      expect(await outcome(check('opaque'))).toBe('good');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('an issuer that fails decides nothing', async () => {
    issuer.answer = { status: 500, body: {} };
    expect(await ask({})).toBe('busy');
  });
});
