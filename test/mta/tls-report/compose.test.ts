// What was counted, as the policies of a report: summed by policy, told once, without what is nobody's business.

import { expect, test } from 'vitest';
import { tlsReportPolicies } from '../../../src/mta/tls-report/compose.ts';
import type { TlsResultRow } from '../../../src/store/rows.ts';

const ROW: TlsResultRow = {
  day: '2026-01-02',
  domain: 'a.test',
  policy: 'sts',
  policyDomain: 'a.test',
  policyText: ['version: STSv1', 'mode: enforce', 'mx: *.a.test', 'mx: b.test', 'max_age: 1'],
  host: 'mx.a.test',
  address: '192.0.2.1',
  sender: '198.51.100.1',
  failure: null,
  reason: null,
  sessions: 3,
};
const NOWHERE = { ipv4: null, ipv6: null };

test('by policy, with what went well and what did not', () => {
  const policies = tlsReportPolicies(
    [
      ROW,
      { ...ROW, address: '192.0.2.2', sessions: 4 },
      { ...ROW, failure: 'certificate-not-trusted', reason: 'CERT_X', sessions: 2 },
      { ...ROW, failure: 'certificate-expired', sessions: 1 },
      { ...ROW, policy: 'tlsa', policyDomain: 'mx.a.test', policyText: ['3 1 1 ab'], sessions: 9 },
    ],
    NOWHERE,
  );
  expect(policies).toEqual([
    {
      type: 'sts',
      text: ROW.policyText,
      domain: 'a.test',
      mxHosts: ['*.a.test', 'b.test'],
      successes: 7,
      failures: 3,
      details: [
        {
          type: 'certificate-not-trusted',
          sessions: 2,
          sendingIp: '198.51.100.1',
          host: 'mx.a.test',
          receivingIp: '192.0.2.1',
          reason: 'CERT_X',
        },
        expect.objectContaining({ type: 'certificate-expired', sessions: 1 }),
      ],
    },
    { type: 'tlsa', text: ['3 1 1 ab'], domain: 'mx.a.test', mxHosts: [], successes: 9, failures: 0, details: [] },
  ]);
});

test('the patterns of a policy are told as hosts have them, whatever is wrong beside them', () => {
  const text = ['mx:*.A.test.', 'version: STSv1', 'mx : b.test', 'mx: not a host', 'mode: never'];
  const [policy] = tlsReportPolicies([{ ...ROW, policyText: text, failure: 'sts-policy-invalid' }], NOWHERE);
  expect(policy).toMatchObject({ text, mxHosts: ['*.a.test', 'b.test'] });
});

test('a policy that could not be had counts by itself only where no session felt it', () => {
  const failure = 'sts-policy-fetch-error';
  const policy = { ...ROW, policyText: [], host: '', address: '', sender: null, failure, reason: '404', sessions: 5 };
  expect(tlsReportPolicies([policy], NOWHERE)).toMatchObject([
    { failures: 5, details: [{ type: failure, sessions: 5, reason: '404' }] },
  ]);
  expect(tlsReportPolicies([policy], NOWHERE)[0]?.details[0]).not.toHaveProperty('host');
  const session = { ...ROW, policyText: [], failure, sessions: 2 };
  expect(tlsReportPolicies([policy, session], NOWHERE)).toMatchObject([
    { failures: 2, details: [{ host: 'mx.a.test', sessions: 2 }] },
  ]);
});

test.each([
  ['10.0.0.5', { ipv4: '203.0.113.9', ipv6: '2001:db8::9' }, '203.0.113.9'],
  ['fd00::5', { ipv4: '203.0.113.9', ipv6: '2001:db8::9' }, '2001:db8::9'],
  ['10.0.0.5', NOWHERE, undefined],
  ['198.51.100.1', { ipv4: '203.0.113.9', ipv6: null }, '198.51.100.1'],
  [null, { ipv4: '203.0.113.9', ipv6: null }, undefined],
] as const)('from %s we are seen as %o', (sender, own, seen) => {
  const [policy] = tlsReportPolicies([{ ...ROW, sender, failure: 'validation-failure' }], own);
  expect(policy?.details[0]?.sendingIp).toBe(seen);
});

test('nothing was counted', () => {
  expect(tlsReportPolicies([], NOWHERE)).toEqual([]);
});
