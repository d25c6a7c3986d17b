// Whose certificate it is, by the authorities of this machine: names as RFC 8461 §4.2 and RFC 7817 §3 have them.

import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { expect, test } from 'vitest';
import { judgeByAuthorities } from '../../../src/mta/security/judge.ts';

async function certificateOf(name: string, alternatives: readonly string[]): Promise<X509Certificate> {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: `CN=${name}`,
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions:
        alternatives.length === 0
          ? []
          : [new x509.SubjectAlternativeNameExtension(alternatives.map((value) => ({ type: 'dns' as const, value })))],
    },
    // Node's own Web Crypto; the library's type is the browser's.
    webcrypto as unknown as Crypto,
  );
  return new X509Certificate(made.toString('pem'));
}

test.each([
  ['mx.far.test', [], 'mx.far.test', true, 'certificate-host-mismatch'],
  ['mx.far.test', [], 'mx.far.test', false, null],
  ['mx.far.test', ['other.test'], 'mx.far.test', false, 'certificate-host-mismatch'],
  ['x', ['mx.far.test'], 'mx.far.test', true, null],
  ['x', ['mx.far.test'], 'MX.Far.Test', true, null],
  ['x', ['*.far.test'], 'mx.far.test', true, null],
  ['x', ['*.far.test'], 'a.mx.far.test', true, 'certificate-host-mismatch'],
  ['x', ['m*.far.test'], 'mx.far.test', true, 'certificate-host-mismatch'],
] as const)('CN=%s, names %j, for %s (a policy asks: %s): %s', async (cn, names, host, modern, problem) => {
  const chain = [await certificateOf(cn, names)];
  const verdict = judgeByAuthorities({ chain, problem: null }, host, modern);
  expect(verdict).toMatchObject(problem === null ? { kind: 'authenticated' } : { kind: 'refused', problem });
});
