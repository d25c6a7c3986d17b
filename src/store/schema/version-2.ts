// What is accepted once: keys of messages that somebody keeps a copy of until he knows that they were accepted.

export const acceptedOnce = `
CREATE TABLE accepted_once (
  key TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
`;
