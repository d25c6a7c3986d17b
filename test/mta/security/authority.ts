// A certification authority of the tests' own: it issues what a test asks for, also what is expired or of another name.

import 'reflect-metadata';
import { createHash, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { subjectPublicKeyInfo } from '../../../src/mta/security/spki.ts';
import type { TlsaRecord } from '../../../src/platform/dns.ts';
import type { Identity } from '../../../src/platform/tls.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR = 3_600_000;
// Node's own Web Crypto; the library's type is the browser's.
const CRYPTO = webcrypto as unknown as Crypto;

export interface Validity {
  /** ms since the epoch. */
  readonly from: number;
  readonly to: number;
}

export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** A certificate for these names and addresses, with the authority's behind it.
   * @param more the common name, if it is not the first of them */
  issue(names: readonly string[], more?: Partial<Validity> & { readonly commonName?: string }): Promise<Identity>;
  /** An authority below this one. */
  below(name: string, validity?: Partial<Validity>): Promise<Authority>;
}

/** @param now the middle of what it issues for an hour to each side */
export async function makeAuthority(name = 'Test Authority', now = Date.now()): Promise<Authority> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    { name: `CN=${name}`, ...dates(now), keys, signingAlgorithm: ALGORITHM, extensions: authorityExtensions() },
    CRYPTO,
  );
  return authorityOf(certificate, keys, [], now);
}

function authorityOf(
  certificate: x509.X509Certificate,
  keys: webcrypto.CryptoKeyPair,
  above: readonly string[],
  now: number,
): Authority {
  const pem = certificate.toString('pem');
  const chain = [pem, ...above];
  const issued = async (subject: string, validity: Partial<Validity>, extensions: x509.Extension[]) => {
    const own = await newKeys();
    const made = await x509.X509CertificateGenerator.create(
      {
        subject,
        issuer: certificate.subject,
        ...dates(now, validity),
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions,
      },
      CRYPTO,
    );
    return { made, own };
  };
  return {
    certificate: pem,
    async issue(names, { commonName = names[0], ...validity } = {}) {
      const alternatives = names.map((value) => ({
        type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
        value,
      }));
      const extensions = names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(alternatives)];
      const { made, own } = await issued(`CN=${commonName}`, validity, extensions);
      const key = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
      return {
        certificate: [made.toString('pem'), ...chain].join('\n'),
        key: x509.PemConverter.encode(key, 'PRIVATE KEY'),
      };
    },
    async below(name, validity = {}) {
      const { made, own } = await issued(`CN=${name}`, validity, authorityExtensions());
      return authorityOf(made, own, chain, now);
    },
  };
}

/** The TLSA record of the first certificate in PEM. */
export function tlsaFor(pem: string, usage: number, selector: number, matching: number): TlsaRecord {
  const { raw } = new X509Certificate(pem);
  const selected = selector === 0 ? raw : subjectPublicKeyInfo(raw);
  if (selected === null) throw new Error('a certificate has a key');
  const name = matching === 1 ? 'sha256' : matching === 2 ? 'sha512' : null;
  return {
    usage,
    selector,
    matching,
    data: name === null ? Buffer.from(selected) : createHash(name).update(selected).digest(),
  };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function dates(now: number, { from = now - HOUR, to = now + HOUR }: Partial<Validity> = {}) {
  return { notBefore: new Date(from), notAfter: new Date(to) };
}

function authorityExtensions(): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}
