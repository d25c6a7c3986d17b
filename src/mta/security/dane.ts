// Does a chain of certificates fit the TLSA records of its server? (RFC 6698 §2.1, RFC 7671 §5, RFC 7672 §3.) From values
// to a value: who asked the DNS, and whether its answer is to be believed, is not seen here.

import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { TlsaRecord } from '../../platform/dns.ts';
import type { CertificateProblem, CertificateVerdict } from '../../smtp/client/certificate.ts';
import { isFor } from './certificate-name.ts';
import { isWithinConstraints } from './constraints.ts';
import { subjectPublicKeyInfo } from './spki.ts';

/** RFC 6698 §2.1.1, §2.1.2, §2.1.3. */
const DANE_TA = 2;
const DANE_EE = 3;
const CERTIFICATE = 0;
const KEY = 1;
const FULL = 0;
const DIGESTS = [
  { matching: 1, name: 'sha256', octets: 32 },
  { matching: 2, name: 'sha512', octets: 64 },
] as const;
/** Records of one host that are looked at. */
export const MAX_RECORDS = 20;

/**
 * The records that a client can use. RFC 7672 §3.1.3: usages 0 and 1 are not for SMTP; RFC 7671 §10.1: what makes no sense
 * counts as if it were not there; RFC 7671 §9: of two digests of one kind only the stronger counts.
 */
export function usableRecords(records: readonly TlsaRecord[]): readonly TlsaRecord[] {
  const sound = records.slice(0, MAX_RECORDS).filter(isSound);
  return sound.filter(
    (record) =>
      record.matching !== 1 ||
      !sound.some(({ usage, selector, matching }) => {
        return matching === 2 && usage === record.usage && selector === record.selector;
      }),
  );
}

function isSound({ usage, selector, matching, data }: TlsaRecord): boolean {
  if (usage !== DANE_TA && usage !== DANE_EE) return false;
  if (selector !== CERTIFICATE && selector !== KEY) return false;
  if (matching === FULL) return selector === KEY ? keyOf(data) !== null : certificateOf(data) !== null;
  return DIGESTS.some((digest) => digest.matching === matching && digest.octets === data.length);
}

/**
 * @param chain the server's own certificate first
 * @param records usable ones, at least one
 * @param names that a certificate under a trust anchor may have: TLSA base domain and next-hop domain (RFC 7672 §3.2.2)
 * @param now ms since the epoch
 */
export function judgeByDane(
  chain: readonly X509Certificate[],
  records: readonly TlsaRecord[],
  names: readonly string[],
  now: number,
): CertificateVerdict {
  const [own] = chain;
  if (own === undefined) return no('certificate-not-trusted', 'the host shows no certificate');
  // RFC 7672 §3.1.1: names and dates do not count, the DNS says it all.
  if (records.some((record) => record.usage === DANE_EE && matches(record, own))) {
    return { kind: 'authenticated', by: 'dane-ee' };
  }
  const path = pathToAnchor(
    chain,
    records.filter(({ usage }) => usage === DANE_TA),
  );
  if (path === null) {
    return no('certificate-not-trusted', 'the host shows another certificate');
  }
  // RFC 7672 §3.1.2, §3.2.3: under a trust anchor both count.
  if (!path.every((certificate) => isInForce(certificate, now))) {
    return no(
      'certificate-expired',
      'the certificate that the host shows, or one that vouches for it, is not valid at this time',
    );
  }
  const its = names.filter((name) => isFor(own, name, false));
  if (its.length === 0) {
    return no('certificate-host-mismatch', `the certificate that the host shows is not for ${names.join(' or ')}`);
  }
  // RFC 6698 §2.1.1, RFC 7671 §5.2.1.
  if (!its.some((name) => isWithinConstraints(path, name))) {
    return no('certificate-not-trusted', 'one that vouches for the certificate that the host shows must not do so');
  }
  return { kind: 'authenticated', by: 'dane-ta' };
}

/** The certificates from the server's own up to a trust anchor, each signed by the next; null: they lead to none. */
function pathToAnchor(
  chain: readonly X509Certificate[],
  anchors: readonly TlsaRecord[],
): readonly X509Certificate[] | null {
  if (anchors.length === 0) return null;
  for (const [at, certificate] of chain.entries()) {
    const above = chain[at + 1];
    // RFC 7671 §5.2.2, §5.2.3: an anchor that the record holds whole need not be shown by the server.
    for (const anchor of anchors) {
      const behind = anchor.matching === FULL ? anchorBehind(certificate, anchor) : null;
      if (behind !== null) return [...chain.slice(0, at + 1), ...behind];
    }
    if (above === undefined || !isIssued(certificate, above)) return null;
    if (anchors.some((anchor) => matches(anchor, above))) return chain.slice(0, at + 2);
  }
  return null;
}

function isIssued(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && isSigned(certificate, issuer.publicKey);
}

/** What a record holds that has signed the certificate: a certificate, or a key, of which there is none; null: it has not. */
function anchorBehind(certificate: X509Certificate, { selector, data }: TlsaRecord): readonly X509Certificate[] | null {
  if (selector === KEY) {
    const key = keyOf(data);
    return key !== null && isSigned(certificate, key) ? [] : null;
  }
  const anchor = certificateOf(data);
  return anchor !== null && isIssued(certificate, anchor) ? [anchor] : null;
}

/** OpenSSL throws where key and signature are of different kinds. */
function isSigned(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.verify(key);
  } catch {
    return false;
  }
}

/** RFC 6698 §2.1.2, §2.1.3. */
function matches({ selector, matching, data }: TlsaRecord, { raw }: X509Certificate): boolean {
  const selected = selector === CERTIFICATE ? raw : subjectPublicKeyInfo(raw);
  if (selected === null) return false;
  const digest = DIGESTS.find((one) => one.matching === matching);
  return data.equals(digest === undefined ? selected : createHash(digest.name).update(selected).digest());
}

function isInForce({ validFromDate, validToDate }: X509Certificate, now: number): boolean {
  return validFromDate.getTime() <= now && now <= validToDate.getTime();
}

function certificateOf(der: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(der);
  } catch {
    return null;
  }
}

function keyOf(der: Buffer): KeyObject | null {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    return null;
  }
}

function no(problem: CertificateProblem, text: string): CertificateVerdict {
  return { kind: 'refused', problem, text };
}
