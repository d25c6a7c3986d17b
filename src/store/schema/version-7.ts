// Version 7 of mail.db: what a message lacks to be whole lines, so that POP3 tells its size (RFC 1939 §5) without reading
// it. Of messages that are older it is not known, and taken for nothing.

export const versionSeven = `
-- Octets that a protocol of lines puts in: a CR for each bare LF, and the end of the last line.
ALTER TABLE message ADD COLUMN lacking INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_lacking ON message (mailbox) WHERE lacking > 0;
`;
