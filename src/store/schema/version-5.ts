// Version 5 of mail.db: what came of the TLS sessions with receivers, for reports to them.

export const versionFive = `
-- By day (UTC) and outcome (RFC 8460 §4); policy_text is a JSON array, failure is empty for a success.
CREATE TABLE tls_result (
  day TEXT NOT NULL,
  domain TEXT NOT NULL,
  policy TEXT NOT NULL,
  policy_text TEXT NOT NULL,
  host TEXT NOT NULL,
  address TEXT NOT NULL,
  failure TEXT NOT NULL,
  sessions INTEGER NOT NULL,
  PRIMARY KEY (day, domain, policy, policy_text, host, address, failure)
) STRICT, WITHOUT ROWID;
`;
