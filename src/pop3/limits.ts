// Every bound of a POP3 session in one table: octets, ms and counts. No honest client comes near most of them.

export const LIMIT = {
  /** One command. RFC 2449 §4 asks for 255; an initial response of SASL (RFC 5034 §4) may be longer. */
  line: 16_384,
  /** Octets of over-long lines that are read and dropped before the connection is. */
  skipped: 1_048_576,
  /** Octets that wait to be parsed before the socket is paused: commands that are pipelined (RFC 2449 §6.6). */
  unread: 65_536,
  /** Octets by which a client of another protocol is recognised. */
  opening: 256,
  /** Octets that wait for a slow client before a command pauses. */
  unsent: 262_144,
  /** Octets that one session reads or writes until others have their turn. */
  turn: 262_144,
  /** Octets gathered before they are written in any case. */
  write: 131_072,
  /** Messages listed at a time. */
  page: 500,
  /** Messages whose flags one command of the store changes: what others wait for meanwhile. */
  flagsAtOnce: 2_000,
  /** Octets of a header that is made fit for a client without UTF-8; a longer one is refused to it. */
  surrogateHeader: 1_048_576,
  /** Commands that could not be understood, before login and after it, until the end. */
  badCommandsBeforeLogin: 10,
  badCommands: 100,
  failedLogins: 3,
  /** From the greeting to a successful login. */
  loginTime: 180_000,
  /** For the handshake after STLS. */
  handshakeTime: 30_000,
  /** RFC 1939 §3: at least 10 minutes. */
  idleTime: 10 * 60_000,
  /** A client that takes nothing of what is written to it for so long is gone. */
  writeTime: 10 * 60_000,
  /** For a client to read its last line and close. */
  parting: 2_000,
  /** How long messages that were expunged elsewhere are kept for a session, before it ends. */
  expungedElsewhere: 55 * 60_000,
} as const;
