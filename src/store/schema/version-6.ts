// Version 6 of mail.db: TLS reports (RFC 8460): results with all that a report tells of them, which reports were made, what
// of them still has to be handed over, and those that others have sent.

export const versionSix = `
-- As before, with whose policy it was, our own address, and what more is to be said of a failure; empty: nothing.
CREATE TABLE tls_result_of_day (
  day TEXT NOT NULL,
  domain TEXT NOT NULL,
  policy TEXT NOT NULL,
  policy_domain TEXT NOT NULL,
  policy_text TEXT NOT NULL,
  host TEXT NOT NULL,
  address TEXT NOT NULL,
  sender TEXT NOT NULL,
  failure TEXT NOT NULL,
  reason TEXT NOT NULL,
  sessions INTEGER NOT NULL,
  PRIMARY KEY (day, domain, policy, policy_domain, policy_text, host, address, sender, failure, reason)
) STRICT, WITHOUT ROWID;
INSERT INTO tls_result_of_day SELECT day, domain, policy, domain, policy_text, host, address, '', failure, '', sessions
  FROM tls_result;
DROP TABLE tls_result;
ALTER TABLE tls_result_of_day RENAME TO tls_result;

-- What came of this day with this domain was reported, or nobody wanted to know: never again.
CREATE TABLE tls_report_made (
  day TEXT NOT NULL,
  domain TEXT NOT NULL,
  PRIMARY KEY (day, domain)
) STRICT, WITHOUT ROWID;

-- Reports on their way by HTTPS; report is JSON by gzip, times in ms since the epoch.
CREATE TABLE tls_report_post (
  id INTEGER PRIMARY KEY,
  day TEXT NOT NULL,
  domain TEXT NOT NULL,
  url TEXT NOT NULL,
  report BLOB NOT NULL,
  made_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tls_report_post_due ON tls_report_post (next_at);

-- What others have reported, a policy each; the first of a report's policies has position 0. policy_text, mx_hosts and
-- details are JSON; times in ms since the epoch.
CREATE TABLE tls_report_received (
  id INTEGER PRIMARY KEY,
  organization TEXT NOT NULL,
  contact TEXT NOT NULL,
  signer TEXT NOT NULL,
  report_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  start_at INTEGER NOT NULL,
  end_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  policy TEXT NOT NULL,
  domain TEXT NOT NULL,
  policy_text TEXT NOT NULL,
  mx_hosts TEXT NOT NULL,
  successes INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  details TEXT NOT NULL,
  UNIQUE (signer, report_id, position)
) STRICT;
CREATE INDEX tls_report_received_age ON tls_report_received (received_at);
`;
