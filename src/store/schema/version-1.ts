// Version 1 of mail.db: the truth. Data, not code: released, it is never changed; a later version is a further step in
// migrations.ts. Tables without a reader yet (rights, seen, annotation) are the seams of announced IMAP extensions.

export const versionOne = `
-- One row: which store this is, and the last number given out of each kind. None is ever given out again.
CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch TEXT NOT NULL,
  commit_number INTEGER NOT NULL DEFAULT 0,
  modseq INTEGER NOT NULL DEFAULT 0,
  uid_validity INTEGER NOT NULL,
  account INTEGER NOT NULL DEFAULT 0,
  mailbox INTEGER NOT NULL DEFAULT 0,
  body INTEGER NOT NULL DEFAULT 0,
  email INTEGER NOT NULL DEFAULT 0,
  transit INTEGER NOT NULL DEFAULT 0,
  entry INTEGER NOT NULL DEFAULT 0
) STRICT;
-- Seconds since 1970, so that a store that is made anew has higher UIDVALIDITYs than the one before.
INSERT INTO meta (id, epoch, uid_validity) VALUES (1, lower(hex(randomblob(8))), unixepoch());

CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  quota INTEGER,
  password TEXT,
  seeded INTEGER NOT NULL,
  -- The highest UIDVALIDITY that a name of this account had and lost.
  retired_validity INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Position 0 is the primary address, the others are aliases.
CREATE TABLE address (
  address TEXT PRIMARY KEY COLLATE NOCASE,
  account INTEGER NOT NULL,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX address_account ON address (account, position);

CREATE TABLE mailbox (
  id INTEGER PRIMARY KEY,
  account INTEGER NOT NULL,
  name TEXT NOT NULL,
  selectable INTEGER NOT NULL,
  special_use TEXT,
  uid_validity INTEGER NOT NULL,
  uid_next INTEGER NOT NULL DEFAULT 1,
  recent_from INTEGER NOT NULL DEFAULT 1,
  highest_modseq INTEGER NOT NULL,
  messages INTEGER NOT NULL DEFAULT 0,
  unseen INTEGER NOT NULL DEFAULT 0,
  deleted INTEGER NOT NULL DEFAULT 0,
  octets INTEGER NOT NULL DEFAULT 0,
  keywords TEXT NOT NULL DEFAULT '',
  UNIQUE (account, name)
) STRICT;

CREATE TABLE subscription (
  account INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

-- RFC 4314; \\Seen of users who are not the owner; RFC 5464 (mailbox 0: the server's own entries).
CREATE TABLE mailbox_right (
  mailbox INTEGER NOT NULL, identifier TEXT NOT NULL, rights TEXT NOT NULL,
  PRIMARY KEY (mailbox, identifier)
) STRICT, WITHOUT ROWID;
CREATE TABLE mailbox_seen (
  mailbox INTEGER NOT NULL, account INTEGER NOT NULL, uid INTEGER NOT NULL,
  PRIMARY KEY (mailbox, account, uid)
) STRICT, WITHOUT ROWID;
CREATE TABLE mailbox_annotation (
  mailbox INTEGER NOT NULL, account INTEGER NOT NULL, entry TEXT NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY (mailbox, account, entry)
) STRICT, WITHOUT ROWID;

-- The id holds mailbox and UID, so that a mailbox lies together in the order of its UIDs and needs no second index.
-- expunged is the commit that took the message away, or 0.
CREATE TABLE message (
  id INTEGER PRIMARY KEY,
  mailbox INTEGER GENERATED ALWAYS AS (id >> 32) VIRTUAL,
  uid INTEGER GENERATED ALWAYS AS (id & 0xffffffff) VIRTUAL,
  modseq INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  keywords TEXT,
  expunged INTEGER NOT NULL DEFAULT 0,
  body INTEGER NOT NULL,
  size INTEGER NOT NULL,
  header_size INTEGER NOT NULL,
  internal_date INTEGER NOT NULL,
  internal_zone INTEGER NOT NULL,
  save_date INTEGER NOT NULL,
  email INTEGER NOT NULL,
  thread INTEGER NOT NULL,
  prefix BLOB
) STRICT;
CREATE INDEX message_modseq ON message (mailbox, modseq);
CREATE INDEX message_expunged ON message (mailbox, expunged) WHERE expunged > 0;
-- 8 is \\Deleted: EXPUNGE of one message among 100,000 looks at one.
CREATE INDEX message_deleted ON message (mailbox) WHERE flags & 8 AND expunged = 0;

-- UIDs first to last, without a gap, were expunged at modseq (RFC 7162 §3.2.5).
CREATE TABLE vanished (
  mailbox INTEGER NOT NULL, modseq INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY (mailbox, modseq, first)
) STRICT, WITHOUT ROWID;

-- Which thread of an account a Message-ID belongs to; reference is its hash.
CREATE TABLE thread_reference (
  account INTEGER NOT NULL, reference INTEGER NOT NULL, thread INTEGER NOT NULL,
  PRIMARY KEY (account, reference)
) STRICT, WITHOUT ROWID;

-- Octets, untouched, stored once. refs counts messages and transits; at 0 the body is staged or about to be freed.
CREATE TABLE body (
  id INTEGER PRIMARY KEY,
  size INTEGER NOT NULL,
  refs INTEGER NOT NULL
) STRICT;
CREATE INDEX body_unused ON body (id) WHERE refs = 0;
-- The id is that of the body and, in the lower 16 bits, the chunk's place.
CREATE TABLE body_chunk (
  id INTEGER PRIMARY KEY,
  octets BLOB NOT NULL
) STRICT;

CREATE TABLE transit (
  id INTEGER PRIMARY KEY,
  body INTEGER NOT NULL,
  prefix BLOB,
  size INTEGER NOT NULL,
  header_size INTEGER NOT NULL,
  reverse_path TEXT NOT NULL,
  parameters TEXT NOT NULL,
  message_id TEXT NOT NULL,
  origin TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  entries INTEGER NOT NULL
) STRICT;
-- due_at: the earliest of next_at, expires_at and warn_at; NULL while held.
CREATE TABLE entry (
  id INTEGER PRIMARY KEY,
  transit INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  parameters TEXT NOT NULL,
  destination TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  warn_at INTEGER,
  due_at INTEGER,
  last TEXT
) STRICT;
CREATE INDEX entry_due ON entry (due_at, destination) WHERE due_at IS NOT NULL;
CREATE INDEX entry_destination ON entry (destination, due_at);
CREATE TABLE attempt (
  entry INTEGER NOT NULL, number INTEGER NOT NULL, attempt TEXT NOT NULL,
  PRIMARY KEY (entry, number)
) STRICT, WITHOUT ROWID;

-- Mailboxes and accounts that are gone for everybody, and whose rows are still to be freed, in slices.
CREATE TABLE doomed (
  kind TEXT NOT NULL, id INTEGER NOT NULL, commit_number INTEGER NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
`;
