// What strangers publish about how their mail is to be protected, mutated: policies, their TXT records, TLSA records and
// certificates. Nothing of it throws, nothing takes long, and no mutant lets the wrong certificate pass.

import { X509Certificate } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { judgeByDane, usableRecords } from '../../src/mta/security/dane.ts';
import { parsePolicy, policyId, policyNames } from '../../src/mta/security/mta-sts-policy.ts';
import { subjectPublicKeyInfo } from '../../src/mta/security/spki.ts';
import type { TlsaRecord } from '../../src/platform/dns.ts';
import { makeAuthority, tlsaFor } from '../mta/security/authority.ts';
import { mutantsOf, SEED } from './plan.ts';
import { mutate, Random } from './random.ts';

const MUTANTS = mutantsOf('security');
const POLICY = Buffer.from('version: STSv1\r\nmode: enforce\r\nmx: mail.a.test\r\nmx: *.a.test\r\nmax_age: 604800\r\n');
const RECORD = Buffer.from('v=STSv1; id=20260101000000Z;');
const WORDS = ['mode: none\r\n', 'mx: *\r\n', 'version: STSv1\r\n', '*.', 'id=1;', ': '].map((word) =>
  Buffer.from(word),
);

let right: string;
let wrong: readonly X509Certificate[];
let records: readonly TlsaRecord[];
beforeAll(async () => {
  const authority = await makeAuthority();
  right = (await authority.issue(['mx.a.test'])).certificate;
  wrong = [new X509Certificate((await (await makeAuthority('Other')).issue(['mx.a.test'])).certificate)];
  records = [2, 3].flatMap((usage) =>
    [0, 1].flatMap((selector) =>
      [0, 1, 2].map((matching) => tlsaFor(usage === 2 ? authority.certificate : right, usage, selector, matching)),
    ),
  );
});

test('policies and their records', { timeout: 120_000 + 10 * MUTANTS }, () => {
  const random = new Random(SEED);
  let kept = 0;
  for (let mutant = 0; mutant < MUTANTS; mutant++) {
    const policy = parsePolicy(mutate(random, POLICY, WORDS).toString('utf8'));
    if (policy !== null) {
      kept++;
      expect(policy.mode === 'none' || policy.mx.length > 0).toBe(true);
      expect(policy.maxAge).toBeLessThanOrEqual(31_557_600);
      // No mutation makes a pattern for everybody.
      expect(policyNames(policy, 'mail.elsewhere.example')).toBe(false);
    }
    expect(policyId([mutate(random, RECORD, WORDS).toString('utf8')]) ?? 'x').toMatch(/^[a-z0-9]{1,32}$/i);
  }
  expect(kept).toBeGreaterThan(0);
});

test('TLSA records and certificates', { timeout: 120_000 + 10 * MUTANTS }, () => {
  const random = new Random(SEED);
  const { raw } = new X509Certificate(right);
  for (let mutant = 0; mutant < MUTANTS; mutant++) {
    const record = random.pick(records);
    const changed = {
      usage: random.once(8) ? random.below(256) : record.usage,
      selector: random.once(8) ? random.below(256) : record.selector,
      matching: random.once(8) ? random.below(256) : record.matching,
      data: random.once(4) ? record.data : mutate(random, record.data),
    };
    const usable = usableRecords([changed]);
    expect(judgeByDane(wrong, usable, ['mx.a.test'], Date.now()).kind).toBe('refused');
    const key = subjectPublicKeyInfo(mutate(random, raw));
    if (key !== null) expect(key.length).toBeLessThan(raw.length * 2);
  }
});
