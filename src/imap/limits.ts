// Every bound of an IMAP session in one table. Octets, ms and counts; those that an operator may move come with the
// options (`literal`, `message`), the rest are what no honest client comes near.

export interface ImapLimits {
  /** Octets of all string literals of one command, after login. */
  readonly literal: number;
  /** Octets of a message that APPEND takes. */
  readonly message: number;
  /** Octets of its header. */
  readonly header: number;
}

export const LIMIT = {
  /** Text of one command without its literals; RFC 7162 §4 asks for at least 8192. */
  line: 65_536,
  /** The same, and all literals, before login: a name and a password, a SASL response, or an ID that is as long as
   * RFC 2971 §3.3 allows. */
  lineBeforeLogin: 36_864,
  literalBeforeLogin: 2_048,
  /** One response of AUTHENTICATE, or the line that ends IDLE. */
  saslLine: 16_384,
  /** String literals in one command: the text is parsed again at each. */
  literalsInCommand: 64,
  tag: 128,
  /** Messages that one APPEND brings, which is what others wait for while they are stored; and octets of them all. */
  appendedMessages: 2_000,
  appendedOctets: 1_073_741_824,
  /** Parts of all messages that one command puts together, and octets of a URL. */
  catenatedParts: 1_000,
  url: 4_096,
  /** URLs that one command names. */
  urls: 100,
  /** Depth of parentheses, and entries of one list. */
  listDepth: 50,
  listLength: 10_000,
  /** Annotations that one command names, and octets of such a name. */
  metadataEntries: 100,
  metadataEntry: 512,
  /** Octets of annotations in one response, and changes of annotations that wait to be told. */
  metadataResponse: 65_536,
  metadataNews: 1_000,
  /** Groups of one NOTIFY, mailboxes that a group names, and mailboxes and names whose changes wait to be told. */
  notifyGroups: 20,
  notifyMailboxes: 1_000,
  notifications: 1_000,
  /** Patterns of one LIST: each is tried on every name. */
  listPatterns: 100,
  /** Octets of refused literals and over-long lines that are read and dropped before the connection is. */
  skipped: 64 * 1_048_576,
  /** Octets that wait to be parsed before the socket is paused. */
  unread: 65_536,
  /** Octets by which a client of another protocol is recognised. */
  opening: 256,
  /** Octets that wait for a slow client before a command pauses. */
  unsent: 262_144,
  /** Octets that one session reads or writes until others have their turn. */
  turn: 262_144,
  /** Octets gathered before they are written in any case. */
  write: 131_072,
  /** Octets of decoded parts that are kept while one response is made; more are decoded once more. */
  decoded: 262_144,
  /** Octets of a header that are looked through for fields. */
  filteredHeader: 1_048_576,
  /** Rows read at a time. */
  page: 500,
  /** Messages that the search index is asked about at a time. */
  indexBlock: 5_000,
  /** Messages whose flags one command of the store changes: what others wait for meanwhile. */
  flagsAtOnce: 2_000,
  /** Commands that could not be understood, before login and after it, until BYE. */
  badCommandsBeforeLogin: 10,
  badCommands: 100,
  failedLogins: 3,
  /** From the greeting to a successful login. */
  loginTime: 180_000,
  /** For the handshake after STARTTLS. */
  handshakeTime: 30_000,
  /** RFC 3501 §5.4 asks for at least 30 minutes. */
  idleTime: 30 * 60_000,
  /** A client that takes nothing of what is written to it for so long is gone. */
  writeTime: 10 * 60_000,
  /** For a client to read its last line and close. */
  parting: 2_000,
  /** ms between two reports of how far a command has come. */
  progressTime: 10_000,
  /** How long an expunged message is kept for a session that has not been told, before the session ends. */
  untoldExpunge: 55 * 60_000,
  /** Messages whose flag changes wait in a view; more are read again from the store. */
  pendingFlags: 2_000,
  /** Octets of messages that are kept at hand as they are sorted, for all sessions, and of one that is. */
  sortablesOctets: 80 * 1_048_576,
  sortableOctets: 3_000,
  /** Searches that a session follows at a time, the results of them all, and those of one that is sorted. */
  contexts: 16,
  contextResults: 500_000,
  sortedContextResults: 50_000,
  /** Keywords of one message, and octets of one keyword. */
  keywords: 100,
  keyword: 128,
  /** UTF-8 octets of a mailbox name, and its levels. */
  mailboxName: 1_000,
  mailboxDepth: 30,
} as const;
