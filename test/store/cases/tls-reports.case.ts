// TLS reports: a day with a domain is reported once, what is handed over by HTTPS waits for that, what others have sent is
// kept once.

import { describe, expect, it } from 'vitest';
import type { ReceivedTlsPolicyRow, TlsResultRow } from '../../../src/store/rows.ts';
import { acceptance, dispatchTo, letter } from '../mail.ts';
import { eachStore, type Harness } from './harness.ts';

const DAY = '2026-01-02';

export function tlsReportCases(harness: Harness): void {
  describe('TLS reports', () => {
    const given = eachStore(harness);
    const count = (day: string, ...domains: readonly string[]) => {
      const rows = domains.map(
        (domain): TlsResultRow => ({
          day,
          domain,
          policy: 'no-policy-found',
          policyDomain: domain,
          policyText: [],
          host: 'mx.test',
          address: '192.0.2.1',
          sender: null,
          failure: null,
          reason: null,
          sessions: 1,
        }),
      );
      return given.store.execute({ kind: 'count-tls-results', rows, forget: '2025-01-01' });
    };
    const make = async (domain: string, urls: readonly string[] = [], mails = 0) => {
      const { store } = given;
      const all = [];
      for (let mail = 0; mail < mails; mail++) {
        all.push(await acceptance(store, letter('report'), [], dispatchTo('r@far.test')));
      }
      return store.execute<'make-tls-report'>({
        kind: 'make-tls-report',
        day: DAY,
        domain,
        mails: all,
        urls,
        report: Buffer.from('report'),
        now: 1_000,
        forget: '2025-12-20',
      });
    };

    it('makes each once, with its mails and its posts', async () => {
      const { store } = given;
      await count(DAY, 'a.test', 'b.test', 'c.test');
      await count('2026-01-03', 'a.test');
      const { tlsReports, queue } = store.read;
      expect(await tlsReports.unreportedDays('2026-01-04')).toEqual([DAY, '2026-01-03']);
      expect(await tlsReports.unreported(DAY, '', 2)).toEqual(['a.test', 'b.test']);
      expect(await make('b.test', ['https://one.test/', 'https://two.test/'], 2)).toEqual({ made: true });
      expect(await make('b.test', ['https://one.test/'], 1)).toEqual({ made: false });
      expect(await tlsReports.unreported(DAY, '', 10)).toEqual(['a.test', 'c.test']);
      expect(await queue.size()).toBe(2);
      const posts = await tlsReports.duePosts(1_000, 10);
      expect(posts).toMatchObject([
        { day: DAY, domain: 'b.test', url: 'https://one.test/', madeAt: 1_000, attempts: 0 },
        { url: 'https://two.test/' },
      ]);
      expect(Buffer.from(posts[0]?.report ?? []).toString()).toBe('report');
      await make('a.test');
      await make('c.test');
      expect(await tlsReports.unreportedDays('2026-01-04')).toEqual(['2026-01-03']);
      expect(await tlsReports.unreportedDays('2026-01-03')).toEqual([]);
    });

    it('knows what was made after it was opened again', async () => {
      await count(DAY, 'a.test');
      await make('a.test', [], 1);
      await given.store.close();
      const again = await given.place.open();
      expect(await again.read.tlsReports.unreported(DAY, '', 10)).toEqual([]);
      expect(await again.read.queue.size()).toBe(1);
    });

    it('keeps a post until it is settled', async () => {
      const { store } = given;
      const { tlsReports } = store.read;
      expect(await tlsReports.nextPostAt()).toBeNull();
      await make('a.test', ['https://one.test/']);
      const [post] = await tlsReports.duePosts(1_000, 10);
      const settle = (nextAt: number | null) => store.execute({ kind: 'settle-tls-post', id: post?.id ?? 0, nextAt });
      await settle(5_000);
      expect(await tlsReports.duePosts(4_999, 10)).toEqual([]);
      expect(await tlsReports.nextPostAt()).toBe(5_000);
      expect(await tlsReports.duePosts(5_000, 10)).toMatchObject([{ attempts: 1 }]);
      await settle(null);
      expect(await tlsReports.nextPostAt()).toBeNull();
    });

    const received = (more: Partial<ReceivedTlsPolicyRow> = {}): ReceivedTlsPolicyRow => ({
      organization: 'Company-X',
      contact: 'tls@x.test',
      signer: 'x.test',
      reportId: '1',
      position: 0,
      startAt: 1_000,
      endAt: 2_000,
      receivedAt: 3_000,
      policy: 'sts',
      domain: 'here.test',
      policyText: ['version: STSv1'],
      mxHosts: ['mx.here.test'],
      successes: 3,
      failures: 1,
      details: [{ type: 'certificate-expired', sessions: 1, host: 'mx.here.test' }],
      ...more,
    });
    const put = (rows: readonly ReceivedTlsPolicyRow[], forget = 0) =>
      given.store.execute<'put-received-tls-report'>({ kind: 'put-received-tls-report', rows, forget });
    const ids = async (filter = {}) => {
      const { rows } = await given.store.read.tlsReports.received(filter, null);
      return rows.map(({ signer, reportId, position }) => `${signer} ${reportId}.${position}`);
    };

    it('keeps what others report, once', async () => {
      expect(await put([received(), received({ position: 1, domain: 'there.test' })])).toEqual({ stored: true });
      expect(await put([received({ organization: 'again' })])).toEqual({ stored: false });
      // Nobody takes the id of another's report away.
      expect(await put([received({ signer: 'y.test', endAt: 9_000 })])).toEqual({ stored: true });
      expect(await ids()).toEqual(['y.test 1.0', 'x.test 1.1', 'x.test 1.0']);
      expect(await ids({ domain: 'there.test' })).toEqual(['x.test 1.1']);
      expect(await ids({ since: 2_001 })).toEqual(['y.test 1.0']);
      const { rows, next } = await given.store.read.tlsReports.received({ domain: 'here.test' }, null);
      expect(rows[1]).toEqual(received());
      expect(next).toBeNull();
      await put([received({ reportId: '2', receivedAt: 5_000 })], 3_001);
      expect(await ids()).toEqual(['x.test 2.0']);
    });

    it('is read in pages', async () => {
      await put(Array.from({ length: 250 }, (_, position) => received({ position })));
      const seen = new Set<number>();
      for (let after: number | null = null; ; ) {
        const { rows, next }: Awaited<ReturnType<typeof given.store.read.tlsReports.received>> =
          await given.store.read.tlsReports.received({}, after);
        for (const { position } of rows) seen.add(position);
        if (next === null) break;
        after = next;
      }
      expect(seen.size).toBe(250);
    });
  });
}
