// Version 8 of mail.db: which mailboxes somebody has been given rights to is found without a look at all rights.

export const versionEight = `
CREATE INDEX mailbox_right_identifier ON mailbox_right (identifier);
`;
