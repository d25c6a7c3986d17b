// How long this client waits, in ms: RFC 5321 §4.5.3.2 where it names a time.

export const TIME_LIMITS = {
  connect: 30_000,
  /** §4.5.3.2.1. */
  greeting: 300_000,
  hello: 300_000,
  handshake: 60_000,
  authenticate: 120_000,
  /** §4.5.3.2.2 and §4.5.3.2.3. */
  mail: 300_000,
  rcpt: 300_000,
  /** §4.5.3.2.4: the answer to DATA. */
  data: 120_000,
  /** §4.5.3.2.5: until a block of content is taken. */
  block: 180_000,
  /** §4.5.3.2.6: the answer to the final dot. */
  end: 600_000,
  reset: 60_000,
  quit: 2_000,
  /** From connecting to the last reply before MAIL. */
  session: 900_000,
  /** From MAIL to the last reply, for content of no size; `perMegabyte` comes on top (8 KiB/s). */
  transaction: 1_800_000,
  perMegabyte: 128_000,
} as const;
