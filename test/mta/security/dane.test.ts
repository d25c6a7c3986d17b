// Chains of certificates against TLSA records (RFC 6698, RFC 7671, RFC 7672 §3): what fits, and what does not although it
// nearly does.

import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { judgeByDane, usableRecords } from '../../../src/mta/security/dane.ts';
import { subjectPublicKeyInfo } from '../../../src/mta/security/spki.ts';
import type { TlsaRecord } from '../../../src/platform/dns.ts';
import type { Identity } from '../../../src/platform/tls.ts';
import { type Authority, type Limits, makeAuthority, tlsaFor } from './authority.ts';

const NOW = Date.now();
const YEAR = 365 * 24 * 3_600_000;
const NAMES = ['mx.far.test', 'far.test'];

let root: Authority;
let middle: Authority;
let server: Identity;
let other: Identity;
beforeAll(async () => {
  root = await makeAuthority('Root', NOW);
  middle = await root.below('Middle');
  server = await middle.issue(['mx.far.test']);
  other = await (await makeAuthority('Other', NOW)).issue(['mx.far.test']);
});

/** Of PEM, in its order. */
const chainOf = ({ certificate }: Identity): X509Certificate[] =>
  certificate
    .split(/(?<=-----END CERTIFICATE-----)\s*/)
    .filter((pem) => pem !== '')
    .map((pem) => new X509Certificate(pem));
const judge = (chain: readonly X509Certificate[], ...records: readonly TlsaRecord[]) => {
  const verdict = judgeByDane(chain, usableRecords(records), NAMES, NOW);
  return verdict.kind === 'authenticated' ? verdict.by : verdict.problem;
};

const KINDS = [0, 1].flatMap((selector) => [0, 1, 2].map((matching) => [selector, matching] as const));

describe.each(KINDS)('selector %i, matching %i', (selector, matching) => {
  test('DANE-EE names the certificate itself', () => {
    expect(judge(chainOf(server), tlsaFor(server.certificate, 3, selector, matching))).toBe('dane-ee');
    expect(judge(chainOf(other), tlsaFor(server.certificate, 3, selector, matching))).toBe('certificate-not-trusted');
    // An authority's certificate is not the server's.
    expect(judge(chainOf(server), tlsaFor(middle.certificate, 3, selector, matching))).toBe('certificate-not-trusted');
  });

  test('DANE-TA names one that vouches for it, near or far', () => {
    for (const { certificate } of [root, middle]) {
      const record = tlsaFor(certificate, 2, selector, matching);
      expect(judge(chainOf(server), record)).toBe('dane-ta');
      expect(judge(chainOf(other), record)).toBe('certificate-not-trusted');
      // Beside a chain that does not lead to it, it proves nothing.
      expect(judge([...chainOf(other), ...chainOf(server)], record)).toBe('certificate-not-trusted');
    }
    expect(judge(chainOf(server), tlsaFor(server.certificate, 2, selector, matching))).toBe('certificate-not-trusted');
  });
});

describe('names and dates', () => {
  test('DANE-EE ignores both', async () => {
    const old = await middle.issue(['elsewhere.test'], { to: NOW - YEAR });
    expect(judge(chainOf(old), tlsaFor(old.certificate, 3, 1, 1))).toBe('dane-ee');
  });

  test('DANE-TA ignores neither', async () => {
    const record = tlsaFor(root.certificate, 2, 0, 1);
    const of = async (names: string[], validity = {}) => judge(chainOf(await middle.issue(names, validity)), record);
    expect(await of(['elsewhere.test'])).toBe('certificate-host-mismatch');
    expect(await of(['far.test'])).toBe('dane-ta');
    expect(await of(['*.far.test'])).toBe('dane-ta');
    expect(await of(['mx*.far.test'])).toBe('certificate-host-mismatch');
    expect(await of(['mx.far.test'], { from: NOW - 2 * YEAR, to: NOW - YEAR })).toBe('certificate-expired');
    expect(await of(['mx.far.test'], { from: NOW + 60_000, to: NOW + YEAR })).toBe('certificate-expired');
    const stale = await root.below('Stale', { from: NOW - 2 * YEAR, to: NOW - YEAR });
    expect(judge(chainOf(await stale.issue(['mx.far.test'])), record)).toBe('certificate-expired');
  });
});

test('an anchor that the record holds whole need not be shown; one that it names by a digest must be', () => {
  const shown = chainOf(server).slice(0, 2);
  for (const selector of [0, 1]) {
    expect(judge(shown, tlsaFor(root.certificate, 2, selector, 0))).toBe('dane-ta');
    expect(judge(shown, tlsaFor(root.certificate, 2, selector, 1))).toBe('certificate-not-trusted');
    expect(judge(chainOf(other), tlsaFor(root.certificate, 2, selector, 0))).toBe('certificate-not-trusted');
  }
});

test('a certificate that is no authority vouches for nobody', async () => {
  // The server's own key signs one more certificate.
  const below = await (await makeAuthority('mx.far.test', NOW)).issue(['mx.far.test']);
  const chain = [...chainOf(below).slice(0, 1), ...chainOf(server)];
  expect(judge(chain, tlsaFor(root.certificate, 2, 0, 1))).toBe('certificate-not-trusted');
});

describe('what an authority may vouch for', () => {
  const HERE = { permitted: ['far.test'] };
  test.each<readonly [string, Limits, Limits, string]>([
    ['anything', {}, {}, 'dane-ta'],
    ['one authority below it', { below: 1 }, { below: 0 }, 'dane-ta'],
    ['no authority below it', { below: 0 }, {}, 'certificate-not-trusted'],
    ['no authority below it, which is the last', {}, { below: 0 }, 'dane-ta'],
    ['this name', HERE, { permitted: ['mx.far.test'] }, 'dane-ta'],
    ['names below it', { permitted: ['.far.test', 'x.test'] }, {}, 'dane-ta'],
    ['other names', {}, { permitted: ['near.test'] }, 'certificate-not-trusted'],
    ['names that end alike', {}, { permitted: ['ar.test'] }, 'certificate-not-trusted'],
    ['all but these', HERE, { excluded: ['mx.far.test'] }, 'certificate-not-trusted'],
    ['all but others', { excluded: ['a.far.test'] }, HERE, 'dane-ta'],
    ['nobody knows what', {}, { strange: true }, 'certificate-not-trusted'],
  ])('%s', async (_, above, below, verdict) => {
    const top = await makeAuthority('Top', NOW, above);
    const chain = chainOf(await (await top.below('Below', below)).issue(['mx.far.test']));
    expect(judge(chain, tlsaFor(top.certificate, 2, 0, 1))).toBe(verdict);
    // The same where the record holds the authority, and the server does not show it.
    expect(judge(chain.slice(0, 2), tlsaFor(top.certificate, 2, 0, 0))).toBe(verdict);
  });

  test('DANE-EE asks no authority', async () => {
    const chain = await (await root.below('Below', { permitted: ['near.test'] })).issue(['mx.far.test']);
    expect(judge(chainOf(chain), tlsaFor(chain.certificate, 3, 1, 1))).toBe('dane-ee');
  });
});

test('a common name counts where there are no other names (RFC 7672 §3.2.3)', async () => {
  const record = tlsaFor(root.certificate, 2, 0, 1);
  const of = async (...names: string[]) =>
    judge(chainOf(await middle.issue(names, { commonName: 'mx.far.test' })), record);
  expect([await of(), await of('elsewhere.test')]).toEqual(['dane-ta', 'certificate-host-mismatch']);
});

test('no certificate fits nothing', () => {
  expect(judge([], tlsaFor(server.certificate, 3, 1, 1))).toBe('certificate-not-trusted');
});

describe('which records count', () => {
  const record = (usage: number, selector: number, matching: number, octets: number) => ({
    usage,
    selector,
    matching,
    data: Buffer.alloc(octets),
  });

  test('usages 0 and 1, and what makes no sense, do not', () => {
    expect(
      usableRecords([
        record(0, 0, 1, 32),
        record(1, 1, 1, 32),
        record(4, 1, 1, 32),
        record(3, 2, 1, 32),
        record(3, 1, 3, 32),
        record(3, 1, 1, 31),
        record(3, 1, 2, 32),
        record(3, 1, 0, 10),
        record(2, 0, 0, 0),
      ]),
    ).toEqual([]);
  });

  test('of two digests the stronger one, for each usage and selector', () => {
    const [strong, weak, weaker, apart] = [
      record(3, 1, 2, 64),
      record(3, 1, 1, 32),
      record(3, 1, 1, 32),
      record(2, 1, 1, 32),
    ];
    expect(usableRecords([weak, strong, weaker, apart])).toEqual([strong, apart]);
    // A stronger one that is malformed takes nothing away.
    expect(usableRecords([weak, record(3, 1, 2, 63)])).toEqual([weak]);
  });
});

test('the key of a certificate is found octet by octet, and octets that are none give none', () => {
  const { raw, publicKey } = new X509Certificate(server.certificate);
  expect(Buffer.from(subjectPublicKeyInfo(raw) ?? [])).toEqual(publicKey.export({ type: 'spki', format: 'der' }));
  for (let length = 0; length < raw.length; length += 7)
    expect(subjectPublicKeyInfo(raw.subarray(0, length))).toBeNull();
  expect(subjectPublicKeyInfo(Buffer.alloc(500, 0x30))).toBeNull();
});
