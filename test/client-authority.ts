// An authority that signs the certificates of users, for tests: P-256, all of it in memory.

import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Identity } from '../src/platform/tls.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR = 3_600_000;
// Node's own Web Crypto; the library's type is the browser's.
const crypto = webcrypto as unknown as Crypto;

export interface Issuing {
  /** ms from now; both may be in the past. */
  readonly from?: number;
  readonly until?: number;
  /** What the certificate is for: a client by default. */
  readonly purpose?: 'client' | 'server';
}

export class ClientAuthority {
  /** In PEM. */
  readonly certificate: string;
  readonly #own: x509.X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(own: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#own = own;
    this.#keys = keys;
    this.certificate = own.toString('pem');
  }

  static async make(name: string, issuer?: ClientAuthority): Promise<ClientAuthority> {
    const keys = await generate();
    const certificate = await x509.X509CertificateGenerator.create(
      {
        subject: `CN=${name}`,
        issuer: issuer ? issuer.#own.subject : `CN=${name}`,
        notBefore: new Date(Date.now() - HOUR),
        notAfter: new Date(Date.now() + HOUR),
        publicKey: keys.publicKey,
        signingKey: (issuer ? issuer.#keys : keys).privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.BasicConstraintsExtension(true, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        ],
      },
      crypto,
    );
    return new ClientAuthority(certificate, keys);
  }

  /** @param addresses rfc822Names; a name without "@" is a DNS name */
  async issue(
    addresses: readonly string[],
    { from = -HOUR, until = HOUR, purpose = 'client' }: Issuing = {},
  ): Promise<Identity> {
    const keys = await generate();
    const names = addresses.map((value) => ({
      type: value.includes('@') ? ('email' as const) : ('dns' as const),
      value,
    }));
    const certificate = await x509.X509CertificateGenerator.create(
      {
        // What RFC 5280 §4.1.2.6 calls legacy counts for nothing.
        subject: 'CN=A user, E=bob@example.test',
        issuer: this.#own.subject,
        notBefore: new Date(Date.now() + from),
        notAfter: new Date(Date.now() + until),
        publicKey: keys.publicKey,
        signingKey: this.#keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[`${purpose}Auth`]]),
          ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
        ],
      },
      crypto,
    );
    const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return { certificate: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') };
  }
}

function generate(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}
