// Version 4 of mail.db: keys of messages that somebody keeps a copy of until he knows that they were accepted.

export const versionFour = `
CREATE TABLE accepted_once (
  key TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
`;
