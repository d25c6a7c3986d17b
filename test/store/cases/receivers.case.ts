// What is kept of receivers: their MTA-STS policies, and the best protection that they have shown.

import { describe, expect, it } from 'vitest';
import { eachStore, type Harness } from './harness.ts';

export function receiverCases(harness: Harness): void {
  describe('receivers', () => {
    const given = eachStore(harness);
    const row = (domain: string, expiresAt: number, id = '1') => ({
      domain,
      id,
      policy: 'version: STSv1',
      fetchedAt: 1_000,
      expiresAt,
    });

    it('keeps a policy until another takes its place, or its time is over', async () => {
      const { store } = given;
      const put = (policy: ReturnType<typeof row>, now = 1_000) =>
        store.execute({ kind: 'put-sts-policy', row: policy, now });
      await put(row('a.test', 5_000));
      await put(row('b.test', 9_000));
      await put(row('a.test', 7_000, '2'));
      expect(await store.read.receivers.stsPolicy('a.test')).toEqual(row('a.test', 7_000, '2'));
      const expiring = async (after: number, before: number) =>
        (await store.read.receivers.stsPoliciesExpiring(after, before, 10)).map(({ domain }) => domain);
      expect(await expiring(0, 9_000)).toEqual(['a.test', 'b.test']);
      expect(await expiring(7_000, 9_000)).toEqual(['b.test']);
      expect(await expiring(0, 8_999)).toEqual(['a.test']);
      await put(row('c.test', 9_999), 7_000);
      expect(await store.read.receivers.stsPolicy('a.test')).toBeUndefined();
      expect(await store.read.receivers.stsPolicy('b.test')).toBeDefined();
    });

    it('adds up what came of TLS sessions, by day', async () => {
      const { store } = given;
      const result = {
        day: '2026-01-02',
        domain: 'a.test',
        policy: 'sts',
        policyDomain: 'a.test',
        policyText: ['version: STSv1'],
        host: 'mx.a.test',
        address: '192.0.2.1',
        sender: null,
        failure: null,
        reason: null,
        sessions: 2,
      };
      const failed = { ...result, failure: 'certificate-expired', sessions: 1 };
      const count = (rows: readonly (typeof result | typeof failed)[], forget = '2025-12-01') =>
        store.execute({ kind: 'count-tls-results', rows, forget });
      await count([result, failed, { ...result, domain: 'b.test' }]);
      await count([result, { ...result, day: '2026-01-03' }]);
      const rows = await store.read.receivers.tlsResults('2026-01-02', 'a.test');
      expect(rows).toHaveLength(2);
      expect(rows).toEqual(expect.arrayContaining([{ ...result, sessions: 4 }, failed]));
      expect(await store.read.receivers.tlsResultDomains('2026-01-02', '', 10)).toEqual(['a.test', 'b.test']);
      expect(await store.read.receivers.tlsResultDomains('2026-01-02', 'a.test', 10)).toEqual(['b.test']);
      await count([], '2026-01-03');
      expect(await store.read.receivers.tlsResultDomains('2026-01-02', '', 10)).toEqual([]);
      expect(await store.read.receivers.tlsResultDomains('2026-01-03', '', 10)).toEqual(['a.test']);
    });

    it('keeps what a destination has shown until it was not seen for long', async () => {
      const { store } = given;
      const put = (domain: string, level: 'clear' | 'dane', seenAt: number, forget = 0) =>
        store.execute({ kind: 'put-shown-protection', row: { domain, level, seenAt }, forget });
      await put('a.test', 'clear', 1_000);
      await put('a.test', 'dane', 2_000);
      const shown = () => store.read.receivers.shownProtection('a.test');
      expect(await shown()).toEqual({ domain: 'a.test', level: 'dane', seenAt: 2_000 });
      await put('b.test', 'clear', 9_000, 2_000);
      expect(await shown()).toBeDefined();
      await put('b.test', 'clear', 9_000, 2_001);
      expect(await shown()).toBeUndefined();
    });
  });
}
