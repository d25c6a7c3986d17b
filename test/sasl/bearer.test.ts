// OAUTHBEARER (RFC 7628) and XOAUTH2 as a server: the RFC's own examples, what a client may say, and how it hears of failure.

import { describe, expect, it } from 'vitest';
import type { Step, Surroundings, TokenVerdict } from '../../src/sasl/mechanism.ts';
import { offeredMechanisms, startMechanism } from '../../src/sasl/mechanisms.ts';
import { type Keeper, surroundingsAt } from '../../src/sasl/surroundings.ts';

const TOKEN = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==';
const CONFIGURATION = 'https://example.com/.well-known/openid-configuration';

/** Takes the token above; keeps what it was asked. */
function desk(scope: string | null = null, verdict: TokenVerdict | null = null) {
  const asked: [string, string | null][] = [];
  const where: Surroundings = {
    bindings: null,
    verifier: null,
    certificate: null,
    nonce: () => 'n',
    tokens: {
      scope,
      configuration: CONFIGURATION,
      async check(token, username) {
        asked.push([token, username]);
        if (verdict) return verdict;
        if (token === TOKEN) return { kind: 'account', account: 7 };
        return { kind: 'refused', error: 'invalid_token', reason: 'no' };
      },
    },
  };
  return { where, asked };
}

async function say(name: string, where: Surroundings, ...messages: (string | null)[]): Promise<Step[]> {
  const exchange = startMechanism(name, where);
  if (exchange === undefined) throw new Error(`no ${name}`);
  const steps: Step[] = [];
  for (const message of messages) steps.push(await exchange.step(message === null ? null : Buffer.from(message)));
  return steps;
}

const challenge = (step: Step | undefined) =>
  step?.kind === 'challenge' ? JSON.parse(step.challenge.toString() || 'null') : step;

describe('OAUTHBEARER', () => {
  it('RFC 7628 §4.1: a token that is good', async () => {
    const { where, asked } = desk();
    const said = `n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer ${TOKEN}\x01\x01`;
    expect(await say('OAUTHBEARER', where, said)).toEqual([
      { kind: 'claim', claim: { kind: 'account', mechanism: 'OAUTHBEARER', account: 7 } },
    ]);
    expect(asked).toEqual([[TOKEN, 'user@example.com']]);
  });

  it('RFC 7628 §3.2.2: a client without a token learns where to get one, and has failed once it has acknowledged', async () => {
    const { where, asked } = desk('example_scope');
    const said = 'n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=\x01\x01';
    const [first, second] = await say('OAUTHBEARER', where, said, '\x01');
    expect(challenge(first)).toEqual({
      status: 'invalid_token',
      scope: 'example_scope',
      'openid-configuration': CONFIGURATION,
    });
    expect(second?.kind).toBe('refused');
    expect(asked).toEqual([]);
  });

  it('a token that is not good is told of in the same way', async () => {
    const [first, second] = await say('OAUTHBEARER', desk().where, 'n,,\x01auth=Bearer x\x01\x01', '\x01');
    expect(challenge(first)).toEqual({ status: 'invalid_token', 'openid-configuration': CONFIGURATION });
    expect(second?.kind).toBe('refused');
    const { where } = desk('mail', { kind: 'refused', error: 'insufficient_scope', reason: 'no' });
    expect(challenge((await say('OAUTHBEARER', where, 'n,,\x01auth=Bearer x\x01\x01'))[0]).status).toBe(
      'insufficient_scope',
    );
  });

  it('nothing but failure follows a failure, not even a good token', async () => {
    const good = `n,,\x01auth=Bearer ${TOKEN}\x01\x01`;
    for (const then of [good, '', null]) {
      const [, second] = await say('OAUTHBEARER', desk().where, 'n,,\x01auth=Bearer x\x01\x01', then);
      expect(second?.kind).toBe('refused');
    }
  });

  it.each<[string, string | null]>([
    [`n,,\x01auth=Bearer ${TOKEN}\x01\x01`, null],
    [`y,,\x01auth=bearer  ${TOKEN}\x01\x01`, null],
    [`n,a=a=2Cb=3Dc@example.com,\x01auth=BEARER ${TOKEN}\x01\x01`, 'a,b=c@example.com'],
    [`n,a=ålice@example.com,\x01auth=Bearer ${TOKEN}\x01mine=x y\r\n\x01\x01`, 'ålice@example.com'],
  ])('takes %j', async (said, username) => {
    const { where, asked } = desk();
    const [step] = await say('OAUTHBEARER', where, said);
    expect(step?.kind).toBe('claim');
    expect(asked).toEqual([[TOKEN, username]]);
  });

  it.each([
    '',
    '\x01',
    'n,,',
    'n,,\x01\x01',
    'n,,\x01auth=Bearer x\x01',
    'n,,\x01auth=Bearer x\x01\x01\x01',
    'n,,\x01auth=Bearer x\x01auth=Bearer y\x01\x01',
    'n,,\x01auth=Basic eDp5\x01\x01',
    'n,,\x01auth=Bearer\x01\x01',
    'n,,\x01auth=Bearer x y\x01\x01',
    'n,,\x01auth=Bearer x;y\x01\x01',
    'n,,\x01=Bearer x\x01\x01',
    'n,a=,\x01auth=Bearer x\x01\x01',
    'n,a=a=b,\x01auth=Bearer x\x01\x01',
    'p=tls-exporter,,\x01auth=Bearer x\x01\x01',
    'n,,\x01auth=Bearer \0\x01\x01',
    `n,,\x01auth=Bearer ${'x'.repeat(20_000)}\x01\x01`,
  ])('refuses %j', async (said) => {
    const { where, asked } = desk();
    const [step] = await say('OAUTHBEARER', where, said);
    expect(step?.kind).toBe('refused');
    expect(asked).toEqual([]);
  });

  it('asks a client that says nothing first', async () => {
    const [step] = await say('OAUTHBEARER', desk().where, null);
    expect(step).toEqual({ kind: 'challenge', challenge: Buffer.alloc(0) });
  });
});

describe('XOAUTH2', () => {
  it('takes a name and a token', async () => {
    const { where, asked } = desk();
    expect(await say('XOAUTH2', where, `user=someuser@example.com\x01auth=Bearer ${TOKEN}\x01\x01`)).toEqual([
      { kind: 'claim', claim: { kind: 'account', mechanism: 'XOAUTH2', account: 7 } },
    ]);
    expect(asked).toEqual([[TOKEN, 'someuser@example.com']]);
  });

  it('tells of a failure in its own words, and waits for the acknowledgement', async () => {
    const [first, second] = await say('XOAUTH2', desk('mail').where, 'user=u\x01auth=Bearer x\x01\x01', '');
    expect(challenge(first)).toEqual({ status: '401', schemes: 'bearer', scope: 'mail' });
    expect(second?.kind).toBe('refused');
  });

  it.each(['', 'user=u', 'user=\x01auth=Bearer x\x01\x01', 'user=u\x01auth=x\x01\x01', 'user=u\x01auth=Bearer x\x01'])(
    'refuses %j',
    async (said) => {
      const [step] = await say('XOAUTH2', desk().where, said);
      expect(step?.kind).toBe('refused');
    },
  );
});

it('both are offered under TLS only, and only where tokens are taken', () => {
  const { where } = desk();
  const tokens = where.tokens && { ...where.tokens, check: where.tokens.check };
  const keeper: Keeper = {
    checksPasswords: false,
    verifier: () => Promise.reject(new Error('none')),
    tokens,
    certified: () => Promise.reject(new Error('none')),
  };
  const offered = (kept: Keeper, secured: boolean) =>
    offeredMechanisms(
      surroundingsAt(kept, {
        bindings: secured ? () => null : null,
        channelBinding: false,
        certificate: null,
        remoteAddress: '192.0.2.1',
      }),
    );
  expect(offered(keeper, true)).toEqual(['OAUTHBEARER', 'XOAUTH2', 'PLAIN', 'LOGIN']);
  expect(offered(keeper, false)).toEqual(['PLAIN', 'LOGIN']);
  expect(offered({ ...keeper, tokens: null }, true)).toEqual(['PLAIN', 'LOGIN']);
});
