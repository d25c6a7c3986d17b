// The bounds of an SMTP session that nobody should have to move (RFC 5321 §4.5.3), in one table. Those that an operator
// may move (message size, recipients) come in as options.

/** Octets and counts. */
export const LIMITS = {
  /** A command line without its CRLF. RFC 5321 §4.5.3.1.4 asks for 512; MAIL and RCPT grow with their parameters
   * (RFC 1870 §3, RFC 3461 §5, RFC 6531 §3.4), and a path in UTF-8 may be long. */
  commandLine: 2_048,
  /** A line of an AUTH exchange (RFC 4954 §4). */
  authLine: 12_288,
  /** What is buffered of any line before its end. A line over its own limit but not over this one gets its reply. */
  line: 16_384,
  /** What follows EHLO or HELO: a domain (RFC 5321 §4.5.3.1.2) or an address literal. */
  helloName: 255,
  /** A path with its brackets (RFC 5321 §4.5.3.1.3). */
  path: 256,
  /** A line of the content, without its CRLF. RFC 5321 §4.5.3.1.6 allows 998; what real senders do is tolerated. */
  contentLine: 262_144,
  /** A line of a reply, with code and CRLF (RFC 5321 §4.5.3.1.5). */
  replyLine: 512,
  /** Replies gathered for one write. */
  replyBatch: 16_384,
  /** Pipelined commands answered before other connections have their turn. */
  commandsPerTurn: 100,
  /** Messages on one connection (RFC 9422 §2, MAILMAX). */
  messages: 50_000,
  /** Commands since the last accepted message that brought no message nearer: NOOP, RSET, EHLO, VRFY and so on. */
  idleCommands: 200,
  /** Unknown commands, bad syntax and bad sequence since the last accepted message. */
  faults: 20,
  /** Refused recipients since the last accepted message: from the first number each is answered slowly, at the second
   * the connection ends. */
  refusedRecipientsSlow: 10,
  refusedRecipients: 50,
  /** Recipients beyond what one message may have, since the last accepted message: a client that pipelines them all still
   * gets its message to those that were taken (RFC 5321 §4.5.3.1.10). */
  excessRecipients: 20_000,
  /** Commands refused for any reason, a refused message included, since the last accepted message. */
  refusedCommands: 100,
  /** Failed authentications on one connection. */
  authFailures: 3,
} as const;

/** Times in ms. */
export const TIMES = {
  /** Waiting for a command (RFC 5321 §4.5.3.2.7). */
  command: 5 * 60_000,
  /** The peer reads no replies. */
  drain: 5 * 60_000,
  /** A TLS handshake after STARTTLS. */
  handshake: 60_000,
  /** Between two pieces of content (RFC 5321 §4.5.3.2.5 has the client wait as long). */
  contentPiece: 3 * 60_000,
  /** A client may be as slow as it likes for so long; from then on `contentRate` counts. */
  contentGrace: 3 * 60_000,
  /** The whole connection; no transaction begins after it and no command is waited for. */
  session: 60 * 60_000,
  /** Before the reply to a recipient beyond `refusedRecipientsSlow`, and to an AUTH after one that was put off. */
  tarpit: 1_000,
  /** For a peer to end its side after ours, when the server stops. */
  parting: 1_000,
} as const;

/** Octets a second of content, on average since DATA, that a client must bring after `TIMES.contentGrace`. */
export const CONTENT_RATE = 1_024;
