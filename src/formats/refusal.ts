// Replies of SMTP as values (RFC 5321 §4.2, RFC 3463) and the error that carries one to the session loop.

/** An enhanced status code of RFC 3463 §2, such as `5.1.1`. */
export type EnhancedStatus = `${2 | 4 | 5}.${number}.${number}`;

/** One whole SMTP reply. `text` is public and may hold several lines, split by `\n`. */
export interface Reply {
  readonly code: number;
  readonly status?: EnhancedStatus;
  readonly text: string;
}

/**
 * The peer is wrong, or is refused: the whole answer. Thrown anywhere below a session and caught once, in its loop.
 * `message` of the error is the private reason for the log; `reply` is what the peer reads.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reply: Reply;
  constructor(code: number, status: EnhancedStatus, text: string, reason: string = text) {
    super(reason);
    this.reply = { code, status, text };
  }
}
