// Version 9 of mail.db: mailbox access keys (RFC 4467 §2.2), by which URLs that a user has given away are known again.

export const versionNine = `
CREATE TABLE mailbox_access_key (
  mailbox INTEGER NOT NULL, account INTEGER NOT NULL, key BLOB NOT NULL,
  PRIMARY KEY (mailbox, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX mailbox_access_key_account ON mailbox_access_key (account);
`;
