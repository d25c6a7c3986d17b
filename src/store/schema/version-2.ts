// Version 2 of mail.db: destinations that an operator has suspended, and counts that outlive a restart.

export const versionTwo = `
-- Mail for such a destination waits in the state of that name until it is resumed.
CREATE TABLE suspension (
  domain TEXT PRIMARY KEY,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How often something happened since the store was made.
CREATE TABLE tally (
  name TEXT PRIMARY KEY,
  count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
