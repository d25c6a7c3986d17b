// How a command ends (RFC 3501 §7.1): completions as values, and the error that carries one up to the session loop, which
// alone catches it. Nothing here is written to a socket.

/** A tagged (or untagged) status response. `code` is a response code without its brackets, such as `TRYCREATE`. */
export interface Completion {
  readonly status: 'OK' | 'NO' | 'BAD';
  readonly code: string | null;
  readonly text: string;
}

/** resp-cond-state (RFC 3501 §7.1), tagged or with `*`. */
export function completionLine(tag: string, { status, code, text }: Completion): string {
  return `${tag} ${status} ${code === null ? '' : `[${code}] `}${text}`;
}

export function ok(text: string, code: string | null = null): Completion {
  return { status: 'OK', code, text };
}

/**
 * The client is wrong (BAD) or is refused (NO): the whole answer. Thrown anywhere below a session and caught once, in its
 * loop. `message` of the error is the private reason for the log; `completion` is what the client reads.
 */
export class ImapRefusal extends Error {
  override readonly name = 'ImapRefusal';
  readonly completion: Completion;
  constructor(status: 'NO' | 'BAD', code: string | null, text: string, reason: string = text) {
    super(reason);
    this.completion = { status, code, text };
  }
}

/** RFC 3501 §7.1.2: NO, an operational error. Codes are those of RFC 3501 §7.1 and RFC 5530 §3. */
export function no(text: string, code: string | null = null, reason: string = text): ImapRefusal {
  return new ImapRefusal('NO', code, text, reason);
}

/** RFC 3501 §7.1.3: BAD, a protocol error by the client. */
export function bad(text: string, code: string | null = null, reason: string = text): ImapRefusal {
  return new ImapRefusal('BAD', code, text, reason);
}

/** RFC 9586 §3: the client has said that it knows no sequence numbers. */
export function uidRequired(): ImapRefusal {
  return bad('Sequence numbers are not to be used any more', 'UIDREQUIRED');
}
