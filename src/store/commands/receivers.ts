// What is kept of receivers: their MTA-STS policies (RFC 8461 §3.3), the best protection that they have
// shown, and what came of the TLS sessions with them.

import type { CommandOf } from '../commands.ts';
import type { Work } from '../writer/work.ts';

/** Rows that go in one command, so that none holds the writer up. */
const SLICE = 100;

export function putStsPolicy({ db }: Work, { row, now }: CommandOf<'put-sts-policy'>): void {
  const { domain, id, policy, fetchedAt, expiresAt } = row;
  db.run(
    `INSERT INTO sts_policy (domain, id, policy, fetched_at, expires_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (domain)
     DO UPDATE SET id = excluded.id, policy = excluded.policy, fetched_at = excluded.fetched_at,
     expires_at = excluded.expires_at`,
    domain,
    id,
    policy,
    fetchedAt,
    expiresAt,
  );
  db.run(
    'DELETE FROM sts_policy WHERE domain IN (SELECT domain FROM sts_policy WHERE expires_at <= ? LIMIT 0 + ?)',
    now,
    SLICE,
  );
}

export function putShownProtection({ db }: Work, { row, forget }: CommandOf<'put-shown-protection'>): void {
  db.run(
    `INSERT INTO shown_protection (domain, level, seen_at) VALUES (?, ?, ?) ON CONFLICT (domain)
     DO UPDATE SET level = excluded.level, seen_at = excluded.seen_at`,
    row.domain,
    row.level,
    row.seenAt,
  );
  db.run(
    'DELETE FROM shown_protection WHERE domain IN (SELECT domain FROM shown_protection WHERE seen_at < ? LIMIT 0 + ?)',
    forget,
    SLICE,
  );
}

/** Domains whose old counts go in one command. */
const OLD = 20;

export function countTlsResults({ db }: Work, { rows, forget }: CommandOf<'count-tls-results'>): void {
  for (const row of rows) {
    db.run(
      `INSERT INTO tls_result (day, domain, policy, policy_domain, policy_text, host, address, sender, failure, reason,
       sessions) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET sessions = sessions + excluded.sessions`,
      row.day,
      row.domain,
      row.policy,
      row.policyDomain,
      JSON.stringify(row.policyText),
      row.host,
      row.address,
      row.sender ?? '',
      row.failure ?? '',
      row.reason ?? '',
      row.sessions,
    );
  }
  db.run(
    `DELETE FROM tls_result WHERE (day, domain) IN (SELECT DISTINCT day, domain FROM tls_result WHERE day < ? LIMIT 0 + ?)`,
    forget,
    OLD,
  );
}
