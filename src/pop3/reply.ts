// What a command is answered (RFC 1939 §3, RFC 2449 §3): a reply as a value, and the error that carries a negative one up
// to the session loop, which alone catches it. Nothing here is written to a socket.

/** Lines of a multi-line response, in pieces of any size: neither dot-stuffed nor ended. Octets are given away: nobody looks
 * at them any more, and their memory may be gone when the next piece is asked for. */
export type Content = AsyncIterable<string | Uint8Array<ArrayBuffer>> | Iterable<string | Uint8Array<ArrayBuffer>>;

export interface Reply {
  readonly status: '+OK' | '-ERR';
  /** Without its brackets; null: none. */
  readonly code: ResponseCode | null;
  readonly text: string;
  /** Only of a positive reply to a command that has one; null: the reply is a single line. */
  readonly content: Content | null;
}

/** RFC 2449 §8.1, RFC 3206 §4 and §5, RFC 6856 §5. */
export type ResponseCode = 'IN-USE' | 'LOGIN-DELAY' | 'SYS/TEMP' | 'SYS/PERM' | 'AUTH' | 'UTF8';

/** @param text human, but for STAT, LIST and UIDL of one message. It does not begin with `[` (RFC 2449 §6.4). */
export function ok(text: string, content: Content | null = null): Reply {
  return { status: '+OK', code: null, text, content };
}

/** The first line of a reply, without its CRLF; short of the 512 octets of RFC 2449 §4, since every text is ours. */
export function replyLine({ status, code, text }: Reply): string {
  return `${status} ${code === null ? '' : `[${code}] `}${text}`;
}

/** The client is refused: the whole answer. `message` of the error is the private reason, for the log. */
export class Pop3Refusal extends Error {
  override readonly name = 'Pop3Refusal';
  readonly reply: Reply;
  /** It did not speak POP3, or not now: such commands are counted. */
  readonly misspoken: boolean;
  constructor(code: ResponseCode | null, text: string, reason: string, misspoken: boolean) {
    super(reason);
    this.reply = { status: '-ERR', code, text, content: null };
    this.misspoken = misspoken;
  }
}

/** What was said is understood and not done. */
export function refusal(text: string, code: ResponseCode | null = null, reason: string = text): Pop3Refusal {
  return new Pop3Refusal(code, text, reason, false);
}

/** RFC 1939 §3: the command is unknown, its syntax is wrong, or it may not be said in this state. */
export function misspoken(text: string): Pop3Refusal {
  return new Pop3Refusal(null, text, text, true);
}
