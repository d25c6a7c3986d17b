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
  below(name: string, more?: Partial<Validity> & Limits): Promise<Authority>;
}

/** What an authority may vouch for. */
export interface Limits {
  /** Authorities below it. */
  readonly below?: number;
  /** Names that it may vouch for, and that it may not. */
  readonly permitted?: readonly string[];
  readonly excluded?: readonly string[];
  /** It has a critical extension that nobody knows. */
  readonly strange?: true;
}

/** @param now the middle of what it issues for an hour to each side */
export async function makeAuthority(
  name = 'Test Authority',
  now = Date.now(),
  limits: Limits = {},
): Promise<Authority> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    { name: `CN=${name}`, ...dates(now), keys, signingAlgorithm: ALGORITHM, extensions: authorityExtensions(limits) },
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
    async below(name, { from, to, ...limits } = {}) {
      const validity = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
      const { made, own } = await issued(`CN=${name}`, validity, authorityExtensions(limits));
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

function authorityExtensions({ below, permitted = [], excluded = [], strange }: Limits): x509.Extension[] {
  const named = permitted.length + excluded.length > 0;
  return [
    new x509.BasicConstraintsExtension(true, below, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ...(named ? [new x509.Extension('2.5.29.30', true, nameConstraints(permitted, excluded))] : []),
    ...(strange ? [new x509.Extension('1.3.6.1.4.1.32473.1', true, tagged(0x05, []))] : []),
  ];
}

/** RFC 5280 §4.2.1.10, of dNSNames. */
function nameConstraints(permitted: readonly string[], excluded: readonly string[]): Buffer {
  const subtrees = (tag: number, names: readonly string[]) =>
    names.length === 0
      ? []
      : [
          tagged(
            tag,
            names.map((name) => tagged(0x30, [tagged(0x82, [Buffer.from(name)])])),
          ),
        ];
  return tagged(0x30, [...subtrees(0xa0, permitted), ...subtrees(0xa1, excluded)]);
}

/** An element of DER of less than 128 octets. */
function tagged(tag: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag, content.length), content]);
}
