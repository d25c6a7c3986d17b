// What a client has said that it understands (RFC 5161, RFC 7162 §3.1, RFC 9586): from then on it is spoken to in other
// ways, until the connection ends or nobody is logged in any more.

export interface Enabled {
  /** MODSEQ and UID come with every change of flags (RFC 7162 §3.1, §3.2.4). */
  condstore: boolean;
  /** VANISHED in the place of EXPUNGE (RFC 7162 §3.2.10). */
  qresync: boolean;
  /** No sequence numbers, either way (RFC 9586 §3). */
  uidOnly: boolean;
  /** METADATA responses for what others change (RFC 5464 §4.4.2). */
  metadata: boolean;
  /** Mailbox names and quoted strings are UTF-8, both ways (RFC 9755 §3). */
  utf8: boolean;
  /** The client speaks IMAP4rev2: no \Recent, SEARCH answers ESEARCH (RFC 9051 §6.3.1). */
  rev2: boolean;
}

export function nothingEnabled(): Enabled {
  return { condstore: false, qresync: false, uidOnly: false, metadata: false, utf8: false, rev2: false };
}
