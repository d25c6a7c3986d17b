// EXTERNAL (RFC 4422 appendix A) as a server: the RFC's own examples, and where it is offered.

import { expect, it } from 'vitest';
import type { CertificateVerdict, Step, Surroundings } from '../../src/sasl/mechanism.ts';
import { offeredMechanisms, startMechanism } from '../../src/sasl/mechanisms.ts';

/** Takes Fred's certificate; keeps for whom it was asked. */
function surroundings() {
  const asked: (string | null)[] = [];
  const certificate = async (username: string | null): Promise<CertificateVerdict> => {
    asked.push(username);
    if (username === null || username === 'fred@example.com') return { kind: 'account', account: 7 };
    return { kind: 'refused', reason: 'another' };
  };
  const where: Surroundings = { bindings: null, verifier: null, tokens: null, certificate, nonce: () => 'n' };
  return { where, asked };
}

async function say(where: Surroundings, ...responses: (string | null)[]): Promise<Step[]> {
  const exchange = startMechanism('EXTERNAL', where);
  if (exchange === undefined) throw new Error('not offered');
  const steps: Step[] = [];
  for (const response of responses) steps.push(await exchange.step(response === null ? null : Buffer.from(response)));
  return steps;
}

const ADMITTED = { kind: 'claim', claim: { kind: 'account', mechanism: 'EXTERNAL', account: 7 } };

it('is offered to who has a certificate', () => {
  const { where } = surroundings();
  expect(offeredMechanisms(where)[0]).toBe('EXTERNAL');
  expect(offeredMechanisms({ ...where, certificate: null })).not.toContain('EXTERNAL');
  expect(startMechanism('EXTERNAL', { ...where, certificate: null })).toBeUndefined();
});

it('RFC 4422 appendix A.3: an identity that is asked for, and one that follows from the certificate', async () => {
  const { where, asked } = surroundings();
  expect(await say(where, 'fred@example.com')).toEqual([ADMITTED]);
  expect(await say(where, '')).toEqual([ADMITTED]);
  // Without an initial response the challenge is empty.
  expect(await say(where, null, 'fred@example.com')).toEqual([
    { kind: 'challenge', challenge: Buffer.alloc(0) },
    ADMITTED,
  ]);
  expect(asked).toEqual(['fred@example.com', null, 'fred@example.com']);
});

it('another identity, and what can be none, is refused', async () => {
  const { where, asked } = surroundings();
  for (const response of ['anna@example.com', 'fred@example.com\0', 'x'.repeat(1025)]) {
    expect(await say(where, response)).toMatchObject([{ kind: 'refused' }]);
  }
  expect(asked).toEqual(['anna@example.com']);
});
