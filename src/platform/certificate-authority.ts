// The local certificate authority: made where no certificate is configured, so that every port has TLS from the first
// start. It is name-constrained (RFC 5280 §4.2.1.10): whoever trusts it trusts it for this server only. Loaded only when
// something must be issued, since the ASN.1 library takes its time.

import 'reflect-metadata';
import { createPrivateKey, createPublicKey, KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Identity } from './tls.ts';

const DAY = 86_400_000;
/** Clients' clocks may be behind. */
const BACKDATED = DAY;
const CA_LIFETIME = 3650 * DAY;
/** Apple's clients refuse a server certificate that is good for more than 825 days, from private authorities too. */
const SERVER_LIFETIME = 820 * DAY;
/** RFC 5280 appendix A.1, ub-common-name. */
const COMMON_NAME_MAX = 64;
const NAME_CONSTRAINTS = '2.5.29.30';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const RSA2048 = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};

export interface Issued {
  readonly authority: Identity;
  readonly p256: Identity;
  readonly rsa: Identity;
}

/**
 * Issues both server certificates, by the authority that is there if it may speak for the hostname and outlives them,
 * else by a new one. The same authority issues for the same keys, so that what is published of them (TLSA) stays true.
 * @param now ms since the epoch
 * @param servers what was issued before, whatever is left of it
 * @param authorityKey of a new authority; null, or of no use: a new one
 */
export async function issue(
  hostname: string,
  now: number,
  existing: Identity | null,
  servers: { readonly p256: Identity | null; readonly rsa: Identity | null },
  authorityKey: string | null = null,
): Promise<Issued> {
  const authority =
    existing !== null && mayIssue(existing, hostname, now)
      ? existing
      : await makeAuthority(hostname, now, authorityKey);
  return {
    authority,
    p256: await makeServer(authority, hostname, now, P256, authority === existing ? servers.p256 : null),
    rsa: await makeServer(authority, hostname, now, RSA2048, authority === existing ? servers.rsa : null),
  };
}

async function makeAuthority(hostname: string, now: number, key: string | null): Promise<Identity> {
  const keys = (key === null ? null : await keysOf({ certificate: '', key }, P256)) ?? (await generate(P256));
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ O: ['Postern'] }, { CN: [commonName('Local authority of ', hostname)] }],
    notBefore: new Date(now - BACKDATED),
    notAfter: new Date(now + CA_LIFETIME),
    signingAlgorithm: P256,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      // No mail may be signed by it, whoever trusts it.
      new x509.ExtendedKeyUsageExtension([SERVER_AUTH]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.Extension(NAME_CONSTRAINTS, true, nameConstraints(hostname)),
    ],
  });
  return { certificate: pem(certificate), key: keyPem(keys.privateKey) };
}

async function makeServer(
  authority: Identity,
  hostname: string,
  now: number,
  algorithm: typeof P256 | typeof RSA2048,
  before: Identity | null,
): Promise<Identity> {
  const keys = (await keysOf(before, algorithm)) ?? (await generate(algorithm));
  const issuer = new x509.X509Certificate(authority.certificate);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [commonName('', hostname)] }],
    issuer: issuer.subjectName,
    notBefore: new Date(now - BACKDATED),
    notAfter: new Date(now + SERVER_LIFETIME),
    signingAlgorithm: P256,
    publicKey: keys.publicKey,
    signingKey: await signingKey(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      // RSA key exchange, which port 25 still allows, encrypts to the key.
      new x509.KeyUsagesExtension(
        algorithm === RSA2048
          ? x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment
          : x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      new x509.ExtendedKeyUsageExtension([SERVER_AUTH]),
      new x509.SubjectAlternativeNameExtension([
        ...[...new Set([hostname, 'localhost'])].map((value) => ({ type: 'dns' as const, value })),
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: keyPem(keys.privateKey) };
}

/** An authority that was made for another hostname, ends too soon, or has lost its key, is not used again. */
function mayIssue(authority: Identity, hostname: string, now: number): boolean {
  try {
    const certificate = new x509.X509Certificate(authority.certificate);
    const constraints = certificate.getExtension(NAME_CONSTRAINTS);
    const ours = Buffer.from(nameConstraints(hostname));
    const fits = constraints !== null && ours.equals(Buffer.from(constraints.value));
    createPrivateKey(authority.key);
    return fits && certificate.notAfter.getTime() > now + SERVER_LIFETIME;
  } catch {
    return false;
  }
}

/** permittedSubtrees: the hostname, localhost, everything under .test (RFC 6761 §6.2), and loopback addresses. */
function nameConstraints(hostname: string): Uint8Array {
  const dns = (name: string) => der(0x82, Buffer.from(name, 'latin1'));
  const ip = (address: readonly number[], mask: readonly number[]) => der(0x87, Buffer.from([...address, ...mask]));
  const bases = [
    ...[...new Set([hostname, 'localhost', 'test'])].map(dns),
    ip([127, 0, 0, 0], [255, 0, 0, 0]),
    ip([...new Array<number>(15).fill(0), 1], new Array<number>(16).fill(255)),
  ];
  return der(0x30, der(0xa0, Buffer.concat(bases.map((base) => der(0x30, base)))));
}

/** One DER element (X.690 §8.1) of at most 65,535 octets. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

/** The name that people see; a hostname that is too long for it stands in the alternative names alone. */
function commonName(prefix: string, hostname: string): string {
  return (prefix + hostname).slice(0, COMMON_NAME_MAX);
}

async function generate(algorithm: typeof P256 | typeof RSA2048): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

/** The keys of a certificate that was issued before; null where they are of no use. */
async function keysOf(
  before: Identity | null,
  algorithm: typeof P256 | typeof RSA2048,
): Promise<webcrypto.CryptoKeyPair | null> {
  if (before === null) return null;
  try {
    const key = createPrivateKey(before.key);
    const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
    if (algorithm === P256 ? namedCurve !== 'prime256v1' : modulusLength !== RSA2048.modulusLength) return null;
    const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
    return {
      privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
      publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    };
  } catch {
    return null;
  }
}

async function signingKey(key: string): Promise<webcrypto.CryptoKey> {
  const pkcs8 = createPrivateKey(key).export({ format: 'der', type: 'pkcs8' });
  return await webcrypto.subtle.importKey('pkcs8', pkcs8, P256, false, ['sign']);
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem').trimEnd()}\n`;
}

function keyPem(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ format: 'pem', type: 'pkcs8' }).toString();
}
