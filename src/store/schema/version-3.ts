// Version 3 of mail.db: what receivers have said of how their mail is to be protected, and what they have shown.

export const versionThree = `
-- MTA-STS policies in force, octet by octet (RFC 8461 §3.3); times in ms since the epoch.
CREATE TABLE sts_policy (
  domain TEXT PRIMARY KEY,
  id TEXT NOT NULL,
  policy TEXT NOT NULL,
  fetched_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sts_policy_expiry ON sts_policy (expires_at);

-- The best protection that a destination has shown, and when it last did.
CREATE TABLE shown_protection (
  domain TEXT PRIMARY KEY,
  level TEXT NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX shown_protection_age ON shown_protection (seen_at);
`;
