// SCRAM as a server: the exchanges of RFC 5802 §5 and RFC 7677 §3 octet by octet, our own client against it, and what a
// client may not say.

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ScramHash } from '../../src/formats/scram.ts';
import { scramSha256, scramSha256Plus } from '../../src/sasl/client/scram.ts';
import type { ChannelBindings, KeptVerifier, Step, Surroundings } from '../../src/sasl/mechanism.ts';
import { offeredMechanisms, startMechanism } from '../../src/sasl/mechanisms.ts';
import { bindable } from '../../src/sasl/surroundings.ts';

const ACCOUNT = 7;

/** Written apart from the source: RFC 5802 §3. */
function verifierOf(password: string, hash: ScramHash, salt: Buffer, iterations = 4096): KeptVerifier {
  const salted = pbkdf2Sync(password, salt, iterations, hash === 'sha1' ? 20 : 32, hash);
  const key = (text: string) => createHmac(hash, salted).update(text).digest();
  const storedKey = createHash(hash).update(key('Client Key')).digest();
  return { iterations, salt, storedKey, serverKey: key('Server Key'), confirm: async () => ACCOUNT };
}

const BINDINGS: ChannelBindings = (name) => Buffer.from(`what ${name} gives`);

function surroundings(more: Partial<Surroundings> = {}, salt = 'QSXCR+Q6sek8bf92'): Surroundings {
  return {
    bindings: null,
    verifier: async (_, hash) => verifierOf('pencil', hash, Buffer.from(salt, 'base64')),
    tokens: null,
    certificate: null,
    nonce: () => 'server',
    ...more,
  };
}

async function say(name: string, where: Surroundings, ...messages: (string | null)[]): Promise<Step[]> {
  const exchange = startMechanism(name, where);
  if (exchange === undefined) throw new Error(`no ${name}`);
  const steps: Step[] = [];
  for (const message of messages) steps.push(await exchange.step(message === null ? null : Buffer.from(message)));
  return steps;
}

const challenge = (text: string): Step => ({ kind: 'challenge', challenge: Buffer.from(text) });
const claim = (mechanism: string, proven: boolean, username = 'user'): Step => ({
  kind: 'claim',
  claim: proven ? { kind: 'account', mechanism, account: ACCOUNT } : { kind: 'unproven', mechanism, username },
});

describe('the examples', () => {
  it('RFC 5802 §5', async () => {
    const where = surroundings({ nonce: () => '3rfcNHYJY1ZVvWVs7j' });
    expect(
      await say(
        'SCRAM-SHA-1',
        where,
        'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
        'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
        '',
      ),
    ).toEqual([
      challenge('r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096'),
      challenge('v=rmF9pqV8S7suAoZWja4dJRkFsKQ='),
      claim('SCRAM-SHA-1', true),
    ]);
  });

  it('RFC 7677 §3', async () => {
    const where = surroundings({ nonce: () => '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0' }, 'W22ZaJ0SNY7soEsUEjb6gQ==');
    expect(
      await say(
        'SCRAM-SHA-256',
        where,
        'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
        'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
        '',
      ),
    ).toEqual([
      challenge('r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'),
      challenge('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='),
      claim('SCRAM-SHA-256', true),
    ]);
  });
});

describe('our own client', () => {
  async function converse(plus: boolean, password: string, user = 'user', bindings: ChannelBindings = BINDINGS) {
    const mechanism = plus ? scramSha256Plus : scramSha256;
    const client = mechanism.start(
      { user, secret: { kind: 'password', text: password } },
      { binding: BINDINGS('tls-exporter'), bindingOffered: true, nonce: 'client' },
    );
    const server = startMechanism(mechanism.name, surroundings({ bindings }));
    let step = await server?.step(client.initial);
    for (let turns = 0; step?.kind === 'challenge' && turns < 4; turns++) {
      step = await server?.step(await client.respond(step.challenge));
    }
    return { step, complete: client.complete };
  }

  it.each([true, false])('logs in, with channel binding: %s', async (plus) => {
    const name = plus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256';
    expect(await converse(plus, 'pencil')).toEqual({ step: claim(name, true), complete: true });
    expect(await converse(plus, 'pencil', 'a,b=c')).toEqual({ step: claim(name, true, 'a,b=c'), complete: true });
    expect(await converse(plus, 'pen')).toEqual({ step: claim(name, false), complete: false });
  });

  it('does not over another connection', async () => {
    const { step } = await converse(true, 'pencil', 'user', () => Buffer.from('of another connection'));
    expect(step?.kind).toBe('refused');
  });
});

it('offers no binding where there is nothing to bind to', () => {
  expect(bindable(BINDINGS)).toBe(BINDINGS);
  expect(bindable(null)).toBeNull();
  expect(bindable(() => null)).toBeNull();
});

it('offers -PLUS under TLS only, and nothing where nobody keeps a verifier', () => {
  expect(offeredMechanisms(surroundings({ bindings: BINDINGS }))).toEqual([
    'SCRAM-SHA-256-PLUS',
    'SCRAM-SHA-1-PLUS',
    'SCRAM-SHA-256',
    'SCRAM-SHA-1',
    'PLAIN',
    'LOGIN',
  ]);
  expect(offeredMechanisms(surroundings())).not.toContain('SCRAM-SHA-256-PLUS');
  expect(startMechanism('scram-sha-256', surroundings())).toBeDefined();
  expect(startMechanism('SCRAM-SHA-256-PLUS', surroundings())).toBeUndefined();
});

it('asks a client that says nothing first', async () => {
  expect(await say('SCRAM-SHA-1', surroundings(), null)).toEqual([challenge('')]);
});

describe('what a client may not say first', () => {
  it.each([
    ['nothing', ''],
    ['no header', 'n=user,r=abc'],
    ['an extension that must be understood (RFC 5802 §5.1)', 'n,,m=x,n=user,r=abc'],
    ['one behind the nonce', 'n,,n=user,r=abc,m=x'],
    ['an extension without a value', 'n,,n=user,r=abc,x='],
    ['what is no extension', 'n,,n=user,r=abc,x'],
    ['no name', 'n,,n=,r=abc'],
    ['a name of which SASLprep leaves nothing', 'n,,n=\u00ad,r=abc'],
    ['a name that SASLprep prohibits', 'n,,n=us\ue000er,r=abc'],
    ['a name with another =', 'n,,n=us=2cer,r=abc'],
    ['no nonce', 'n,,n=user,r='],
    ['a nonce that is too long', `n,,n=user,r=${'x'.repeat(600)}`],
    ['a nonce with a control character', 'n,,n=user,r=a\x01b'],
    ['another to act for', 'n,a=bob,n=user,r=abc'],
    ['a binding in a mechanism without', 'p=tls-exporter,,n=user,r=abc'],
    ['NUL', 'n,,n=us\0er,r=abc'],
    ['too much', `n,,n=${'x'.repeat(5000)},r=abc`],
  ])('%s', async (_, message) => {
    const [step] = await say('SCRAM-SHA-256', surroundings(), message);
    expect(step?.kind).toBe('refused');
  });

  it('that the offer of a binding did not reach it (RFC 5802 §6)', async () => {
    const [lost] = await say('SCRAM-SHA-256', surroundings({ bindings: BINDINGS }), 'y,,n=user,r=abc');
    expect(lost?.kind).toBe('refused');
    const [none] = await say('SCRAM-SHA-256', surroundings(), 'y,,n=user,r=abc');
    expect(none?.kind).toBe('challenge');
  });

  it('a binding that there is not', async () => {
    const where = surroundings({ bindings: (name) => (name === 'tls-exporter' ? null : BINDINGS(name)) });
    for (const flag of ['n', 'y', 'p=tls-unique-for-telnet', 'p=tls-exporter']) {
      const [step] = await say('SCRAM-SHA-256-PLUS', where, `${flag},,n=user,r=abc`);
      expect(step?.kind, flag).toBe('refused');
    }
    const [step] = await say('SCRAM-SHA-256-PLUS', where, 'p=tls-server-end-point,,n=user,r=abc');
    expect(step?.kind).toBe('challenge');
  });

  it('an extension that it need not understand is passed over', async () => {
    const [step] = await say('SCRAM-SHA-256', surroundings(), 'n,,n=user,r=abc,x=y,M=z');
    expect(step?.kind).toBe('challenge');
  });

  it('as somebody else it may repeat itself', async () => {
    const [step] = await say('SCRAM-SHA-256', surroundings(), 'n,a=user,n=user,r=abc');
    expect(step?.kind).toBe('challenge');
  });
});

describe('what a client may not say then', () => {
  it.each([
    ['nothing', ''],
    ['no proof', 'c=biws,r=abcserver'],
    ['another nonce', 'c=biws,r=abcother,p=AAAA'],
    ['its own nonce only', 'c=biws,r=abc,p=AAAA'],
    ['another header', 'c=eSws,r=abcserver,p=AAAA'],
    ['a header in another base64 than the canonical one', 'c=biws=,r=abcserver,p=AAAA'],
    ['an extension that must be understood', 'c=biws,r=abcserver,m=x,p=AAAA'],
    ['what is no extension', 'c=biws,r=abcserver,x,p=AAAA'],
  ])('%s', async (_, message) => {
    const [, step] = await say('SCRAM-SHA-256', surroundings(), 'n,,n=user,r=abc', message);
    expect(step?.kind).toBe('refused');
  });

  it.each(['AAAA', 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', '!'])('a wrong proof: %s', async (proof) => {
    const [, step] = await say('SCRAM-SHA-256', surroundings(), 'n,,n=user,r=abc', `c=biws,r=abcserver,p=${proof}`);
    expect(step).toEqual(claim('SCRAM-SHA-256', false));
  });
});

it('tells a client nothing of its proof before the directory has heard of it', async () => {
  const exchange = startMechanism(
    'SCRAM-SHA-1',
    surroundings({
      nonce: () => '3rfcNHYJY1ZVvWVs7j',
      verifier: async (_, hash) => ({
        ...verifierOf('pencil', hash, Buffer.from('QSXCR+Q6sek8bf92', 'base64')),
        confirm: () => Promise.reject(new Error('not now')),
      }),
    }),
  );
  await exchange?.step(Buffer.from('n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL'));
  const proof = 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=';
  await expect((async () => exchange?.step(Buffer.from(proof)))()).rejects.toThrow('not now');
});
