// TLS reports (RFC 8460): what a day came to is reported once, whatever happens in between; what others have sent is kept
// once, however often it is sent.

import type { CommandOf, Results } from '../commands.ts';
import { Limit } from '../limits.ts';
import { discardStage } from '../writer/bodies.ts';
import type { Work } from '../writer/work.ts';
import { accept } from './accept.ts';

/** Old rows that go in one command. */
const OLD = 500;

export function makeTlsReport(work: Work, command: CommandOf<'make-tls-report'>): Results['make-tls-report'] {
  const { db } = work;
  const { day, domain, mails, urls, report, now, forget } = command;
  db.run('DELETE FROM tls_report_made WHERE day < ?', forget);
  if (db.run('INSERT INTO tls_report_made (day, domain) VALUES (?, ?) ON CONFLICT DO NOTHING', day, domain) === 0) {
    for (const { body } of mails) {
      const { stage } = body;
      if (stage !== null) work.after(() => discardStage(work, stage));
    }
    return { made: false };
  }
  for (const mail of mails) accept(work, mail);
  for (const url of urls) {
    db.run(
      `INSERT INTO tls_report_post (day, domain, url, report, made_at, attempts, next_at) VALUES (?, ?, ?, ?, ?, 0, ?)`,
      day,
      domain,
      url,
      report,
      now,
      now,
    );
  }
  db.run(
    'DELETE FROM tls_report_post WHERE id IN (SELECT id FROM tls_report_post ORDER BY id DESC LIMIT -1 OFFSET ?)',
    Limit.tlsPosts,
  );
  return { made: true };
}

export function settleTlsPost({ db }: Work, { id, nextAt }: CommandOf<'settle-tls-post'>): void {
  if (nextAt === null) db.run('DELETE FROM tls_report_post WHERE id = ?', id);
  else db.run('UPDATE tls_report_post SET attempts = attempts + 1, next_at = ? WHERE id = ?', nextAt, id);
}

export function putReceivedTlsReport(
  { db }: Work,
  { rows, forget }: CommandOf<'put-received-tls-report'>,
): Results['put-received-tls-report'] {
  let stored = 0;
  for (const row of rows) {
    stored += db.run(
      `INSERT INTO tls_report_received (organization, contact, signer, report_id, position, start_at, end_at, received_at,
       policy, domain, policy_text, mx_hosts, successes, failures, details)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      row.organization,
      row.contact,
      row.signer,
      row.reportId,
      row.position,
      row.startAt,
      row.endAt,
      row.receivedAt,
      row.policy,
      row.domain,
      JSON.stringify(row.policyText),
      JSON.stringify(row.mxHosts),
      row.successes,
      row.failures,
      JSON.stringify(row.details),
    );
  }
  db.run(
    `DELETE FROM tls_report_received WHERE id IN
     (SELECT id FROM tls_report_received WHERE received_at < ? LIMIT 0 + ?)`,
    forget,
    OLD,
  );
  db.run(
    `DELETE FROM tls_report_received WHERE id <= (SELECT id FROM tls_report_received ORDER BY id DESC LIMIT 1 OFFSET ?)`,
    Limit.tlsReports,
  );
  return { stored: stored > 0 };
}
