// Reads of TLS reports: what is still to be reported, what is on its way, what others have sent.

import type { TlsReportFailure } from '../../formats/tls-report/report.ts';
import { Limit } from '../limits.ts';
import type { ReceivedTlsPolicyRow } from '../rows.ts';
import type { TlsReportReads } from '../store.ts';
import type { Snapshots } from './snapshot.ts';

interface Post {
  readonly id: number;
  readonly day: string;
  readonly domain: string;
  readonly url: string;
  readonly report: Uint8Array;
  readonly made_at: number;
  readonly attempts: number;
}

interface Received {
  readonly id: number;
  readonly organization: string;
  readonly contact: string;
  readonly signer: string;
  readonly report_id: string;
  readonly position: number;
  readonly start_at: number;
  readonly end_at: number;
  readonly received_at: number;
  readonly policy: string;
  readonly domain: string;
  readonly policy_text: string;
  readonly mx_hosts: string;
  readonly successes: number;
  readonly failures: number;
  readonly details: string;
}

/** Days that are named at once: more are not kept. */
const MAX_DAYS = 30;

const UNMADE = `NOT EXISTS (SELECT 1 FROM tls_report_made WHERE tls_report_made.day = tls_result.day
  AND tls_report_made.domain = tls_result.domain)`;

export function tlsReportReads(snapshots: Snapshots): TlsReportReads {
  return {
    unreported: async (day, after, limit) =>
      snapshots.read((db) =>
        db
          .all<{ domain: string }>(
            `SELECT DISTINCT domain FROM tls_result WHERE day = ? AND domain > ? AND ${UNMADE} ORDER BY domain LIMIT 0 + ?`,
            day,
            after,
            Math.min(limit, Limit.pageRows),
          )
          .map(({ domain }) => domain),
      ),
    unreportedDays: async (before) =>
      snapshots.read((db) =>
        db
          .all<{ day: string }>(
            `SELECT DISTINCT day FROM tls_result WHERE day < ? AND ${UNMADE} ORDER BY day LIMIT 0 + ?`,
            before,
            MAX_DAYS,
          )
          .map(({ day }) => day),
      ),
    duePosts: async (now, limit) =>
      snapshots.read((db) =>
        db
          .all<Post>(
            `SELECT id, day, domain, url, report, made_at, attempts FROM tls_report_post WHERE next_at <= ?
             ORDER BY next_at LIMIT 0 + ?`,
            now,
            Math.min(limit, Limit.pageRows),
          )
          .map(({ made_at, ...rest }) => ({ ...rest, madeAt: made_at })),
      ),
    nextPostAt: async () =>
      snapshots.read(
        (db) => db.get<{ at: number | null }>('SELECT min(next_at) AS at FROM tls_report_post')?.at ?? null,
      ),
    received: async ({ domain = null, since = null }, after) =>
      snapshots.read((db) => {
        const rows = db.all<Received>(
          `SELECT id, organization, contact, signer, report_id, position, start_at, end_at, received_at, policy, domain,
           policy_text, mx_hosts, successes, failures, details FROM tls_report_received
           WHERE (?1 IS NULL OR id < ?1) AND (?2 IS NULL OR domain = ?2) AND (?3 IS NULL OR end_at >= ?3)
           ORDER BY id DESC LIMIT 0 + ?4`,
          after,
          domain,
          since,
          PAGE,
        );
        const next = rows.length < PAGE ? null : (rows.at(-1)?.id ?? null);
        return { rows: rows.map(receivedRow), next };
      }),
  };
}

/** Rows of one page: the details of one may be 100 KB. */
const PAGE = 20;

function receivedRow(row: Received): ReceivedTlsPolicyRow {
  const { organization, contact, signer, position, policy, domain, successes, failures } = row;
  return {
    organization,
    contact,
    signer,
    reportId: row.report_id,
    position,
    startAt: row.start_at,
    endAt: row.end_at,
    receivedAt: row.received_at,
    policy,
    domain,
    // As the command has written them.
    policyText: JSON.parse(row.policy_text) as string[],
    mxHosts: JSON.parse(row.mx_hosts) as string[],
    successes,
    failures,
    details: JSON.parse(row.details) as TlsReportFailure[], // the same
  };
}
