// SASL PLAIN (RFC 4616) and LOGIN, exchange by exchange, with what their grammar refuses.

import { describe, expect, it } from 'vitest';
import type { Exchange, Step, Surroundings } from '../../src/sasl/mechanism.ts';
import { offeredMechanisms, startMechanism } from '../../src/sasl/mechanisms.ts';

const NOTHING_TO_PROVE: Surroundings = {
  bindings: () => Buffer.from('x'),
  verifier: null,
  certificate: null,
  tokens: null,
  nonce: () => 'n',
};

/** Says these responses one after the other and returns the last step. `null`: no initial response. */
function say(name: string, ...responses: (string | Uint8Array | null)[]): Step {
  const exchange: Exchange | undefined = startMechanism(name, NOTHING_TO_PROVE);
  if (exchange === undefined) throw new Error(`no ${name}`);
  let last: Step | undefined;
  for (const response of responses) {
    if (last !== undefined && last.kind !== 'challenge') throw new Error('the exchange is over');
    const step = exchange.step(typeof response === 'string' ? Buffer.from(response) : response);
    if (step instanceof Promise) throw new Error('these mechanisms need nobody');
    last = step;
  }
  if (last === undefined) throw new Error('nothing was said');
  return last;
}

const claim = (mechanism: string, username: string, password: string) => ({
  kind: 'claim',
  claim: { kind: 'password', mechanism, username, password },
});

it('offers PLAIN and LOGIN, in any case, and nothing else where nobody can prove anything', () => {
  expect(offeredMechanisms(NOTHING_TO_PROVE)).toEqual(['PLAIN', 'LOGIN']);
  expect(startMechanism('plain', NOTHING_TO_PROVE)).toBeDefined();
  for (const name of ['SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS', 'CRAM-MD5', '']) {
    expect(startMechanism(name, NOTHING_TO_PROVE)).toBeUndefined();
  }
});

describe('PLAIN (RFC 4616)', () => {
  it('takes an initial response, or asks for one', () => {
    expect(say('PLAIN', '\0alice\0wonder land')).toEqual(claim('PLAIN', 'alice', 'wonder land'));
    expect(say('PLAIN', null)).toEqual({ kind: 'challenge', challenge: Buffer.alloc(0) });
    expect(say('PLAIN', null, '\0ålice\0pässword')).toEqual(claim('PLAIN', 'ålice', 'pässword'));
  });

  it('takes names and passwords of 255 octets (RFC 4616 §2)', () => {
    const [name, password] = ['é'.repeat(127).concat('x'), 'p'.repeat(255)];
    expect(say('PLAIN', `${name}\0${name}\0${password}`)).toEqual(claim('PLAIN', name, password));
  });

  it('lets an authorization identity only repeat the name (RFC 4616 §2)', () => {
    expect(say('PLAIN', 'alice\0alice\0x')).toEqual(claim('PLAIN', 'alice', 'x'));
    expect(say('PLAIN', 'bob\0alice\0x').kind).toBe('refused');
  });

  it.each([
    ['nothing', ''],
    ['one NUL', 'alice\0x'],
    ['three NULs', '\0alice\0x\0y'],
    ['no name', '\0\0x'],
    ['no password', '\0alice\0'],
    ['a name that is too long', `\0${'a'.repeat(2000)}\0x`],
    ['no UTF-8', Uint8Array.of(0, 0xff, 0, 0x78)],
  ])('refuses %s', (_, response) => {
    expect(say('PLAIN', response).kind).toBe('refused');
  });
});

describe('LOGIN', () => {
  it('asks for the name and then the password', () => {
    const username = { kind: 'challenge', challenge: Buffer.from('Username:') };
    expect(say('LOGIN', null)).toEqual(username);
    expect(say('LOGIN', null, 'alice')).toEqual({ kind: 'challenge', challenge: Buffer.from('Password:') });
    expect(say('LOGIN', null, 'alice', 'wonderland')).toEqual(claim('LOGIN', 'alice', 'wonderland'));
  });

  it('takes the name as an initial response', () => {
    expect(say('LOGIN', 'alice', 'wonderland')).toEqual(claim('LOGIN', 'alice', 'wonderland'));
  });

  it.each([
    ['an empty name', [null, '']],
    ['an empty password', [null, 'alice', '']],
    ['NUL in the name', [null, 'al\0ice']],
    ['NUL in the password', ['alice', 'won\0derland']],
    ['silence', [null, null]],
  ])('refuses %s', (_, responses) => {
    expect(say('LOGIN', ...responses).kind).toBe('refused');
  });
});
