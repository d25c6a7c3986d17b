// Reads of what is kept of receivers.

import type { Connection } from '../engine.ts';
import { Limit } from '../limits.ts';
import type { ProtectionLevel, ShownProtectionRow, StsPolicyRow } from '../rows.ts';
import type { ReceiverReads } from '../store.ts';
import type { Snapshots } from './snapshot.ts';

interface Policy {
  readonly domain: string;
  readonly id: string;
  readonly policy: string;
  readonly fetched_at: number;
  readonly expires_at: number;
}

interface TlsResult {
  readonly policy: string;
  readonly policy_domain: string;
  readonly policy_text: string;
  readonly host: string;
  readonly address: string;
  readonly sender: string;
  readonly failure: string;
  readonly reason: string;
  readonly sessions: number;
}

const POLICIES = 'SELECT domain, id, policy, fetched_at, expires_at FROM sts_policy';

export function receiverReads(snapshots: Snapshots): ReceiverReads {
  return {
    stsPolicy: async (domain) =>
      snapshots.read((db) => {
        const row = db.get<Policy>(`${POLICIES} WHERE domain = ?`, domain);
        return row === undefined ? undefined : policyRow(row);
      }),
    stsPoliciesExpiring: async (after, before, limit) =>
      snapshots.read((db) =>
        db
          .all<Policy>(
            `${POLICIES} WHERE expires_at > ? AND expires_at <= ? ORDER BY expires_at LIMIT 0 + ?`,
            after,
            before,
            Math.min(limit, Limit.pageRows),
          )
          .map(policyRow),
      ),
    shownProtection: async (domain) => snapshots.read((db) => shownProtection(db, domain)),
    tlsResultDomains: async (day, after, limit) =>
      snapshots.read((db) =>
        db
          .all<{ domain: string }>(
            'SELECT DISTINCT domain FROM tls_result WHERE day = ? AND domain > ? ORDER BY domain LIMIT 0 + ?',
            day,
            after,
            Math.min(limit, Limit.pageRows),
          )
          .map(({ domain }) => domain),
      ),
    tlsResults: async (day, domain) =>
      snapshots.read((db) =>
        db
          .all<TlsResult>(
            `SELECT policy, policy_domain, policy_text, host, address, sender, failure, reason, sessions FROM tls_result
             WHERE day = ? AND domain = ? ORDER BY sessions DESC LIMIT 0 + ?`,
            day,
            domain,
            Limit.pageRows,
          )
          .map(({ policy_text, policy_domain, sender, failure, reason, ...rest }) => ({
            ...rest,
            day,
            domain,
            policyDomain: policy_domain,
            // As the command has written it.
            policyText: JSON.parse(policy_text) as string[],
            sender: orNull(sender),
            failure: orNull(failure),
            reason: orNull(reason),
          })),
      ),
  };
}

/** Empty stands for nothing. */
function orNull(text: string): string | null {
  return text === '' ? null : text;
}

function policyRow({ domain, id, policy, fetched_at, expires_at }: Policy): StsPolicyRow {
  return { domain, id, policy, fetchedAt: fetched_at, expiresAt: expires_at };
}

function shownProtection(db: Connection, domain: string): ShownProtectionRow | undefined {
  const row = db.get<{ level: ProtectionLevel; seen_at: number }>(
    'SELECT level, seen_at FROM shown_protection WHERE domain = ?',
    domain,
  );
  return row === undefined ? undefined : { domain, level: row.level, seenAt: row.seen_at };
}
