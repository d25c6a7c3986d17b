// Replies as they come off the wire (RFC 5321 §4.2): octets in, in pieces of any size, whole replies out. It bounds what
// a peer may say and knows no commands.

import type { EnhancedStatus, Reply } from '../../formats/refusal.ts';

/** RFC 5321 §4.5.3.1.5 allows 512 octets a line; real servers write more. Octets, and replies nobody has asked for, by number
 * and octets: a hundred recipients may be refused at once, with 10 KB for each. */
const LIMITS = { line: 16_384, reply: 65_536, waiting: 2_048, waitingOctets: 2_097_152 } as const;

/** The peer does not speak SMTP, or says more than it may. */
export class ReplySyntaxError extends Error {
  override readonly name = 'ReplySyntaxError';
}

// Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF (RFC 5321 §4.2)
const LINE = /^([2-5]\d\d)(?:([- ])(.*))?$/s;
// status-code = class "." subject "." detail, without leading zeros (RFC 3463 §2), at the start of the text (RFC 2034 §4)
const STATUS = /^([245]\.(?:0|[1-9]\d{0,2})\.(?:0|[1-9]\d{0,2}))(?: +|$)/;

/** One connection's replies, in order. */
export class ReplyReader {
  #rest: Buffer = Buffer.alloc(0);
  #texts: string[] = [];
  #status: EnhancedStatus | undefined;
  #octets = 0;
  #replies: Reply[] = [];
  /** Characters of `#replies`. */
  #waiting = 0;

  /** Takes what has arrived. @throws ReplySyntaxError; the connection is then of no more use. */
  push(chunk: Buffer): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
      // A bare LF ends a line too: nothing hangs on it here, and a peer that writes it still gave its answer.
      this.#line(data.subarray(0, end > 0 && data[end - 1] === 13 ? end - 1 : end));
      data = data.subarray(end + 1);
    }
    if (data.length > LIMITS.line) throw new ReplySyntaxError('a reply line is too long');
    // A copy: the rest must not keep a whole read buffer alive.
    this.#rest = data.length === 0 ? data : Buffer.from(data);
  }

  /** The oldest whole reply that was not taken yet. */
  next(): Reply | undefined {
    const reply = this.#replies.shift();
    this.#waiting -= reply?.text.length ?? 0;
    return reply;
  }

  /** True if a whole reply waits. */
  get ready(): boolean {
    return this.#replies.length > 0;
  }

  /** True if nothing has come that was not taken: not even half a line. */
  get empty(): boolean {
    return this.#replies.length === 0 && this.#texts.length === 0 && this.#rest.length === 0;
  }

  #line(octets: Buffer): void {
    this.#octets += octets.length;
    if (octets.length > LIMITS.line || this.#octets > LIMITS.reply) throw new ReplySyntaxError('a reply is too long');
    const match = LINE.exec(octets.toString('utf8'));
    if (match === null) throw new ReplySyntaxError('the peer answered something that is no SMTP reply');
    const code = Number(match[1]);
    let text = (match[3] ?? '').replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, ' ').trimEnd();
    const status = STATUS.exec(text);
    if (status !== null) {
      text = text.slice(status[0].length);
      // The expression has just proved the shape.
      this.#status ??= status[1] as EnhancedStatus;
    }
    this.#texts.push(text);
    if (match[2] === '-') return;
    // RFC 5321 §4.2.1 has the same code on each line; where they differ, the last line decides.
    const whole = { code, text: this.#texts.join('\n') };
    this.#replies.push(this.#status === undefined ? whole : { ...whole, status: this.#status });
    this.#texts = [];
    this.#status = undefined;
    this.#octets = 0;
    this.#waiting += whole.text.length;
    if (this.#replies.length > LIMITS.waiting || this.#waiting > LIMITS.waitingOctets)
      throw new ReplySyntaxError('replies to nothing');
  }
}
