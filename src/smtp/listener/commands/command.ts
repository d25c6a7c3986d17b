// A command of SMTP as a value: what the conversation must know before it runs one, and its behaviour.

import type { Reply } from '../../../formats/refusal.ts';
import { Refusal } from '../../../formats/refusal.ts';
import type { Session } from '../session.ts';

export interface Command {
  readonly verb: string;
  /** May be said before TLS where TLS is demanded (RFC 3207 §4). */
  readonly beforeTls: boolean;
  /** Brings no message nearer, so that only so many are answered (LIMITS.idleCommands). */
  readonly idle: boolean;
  /**
   * @param argument what follows the verb and its space, without trailing spaces
   * @returns the reply, or null where nothing is to be said any more
   * @throws Refusal
   */
  run(session: Session, argument: string): Reply | null | Promise<Reply | null>;
}

/** RFC 5321 §4.3.2: the command is known, but not now. */
export function badSequence(text: string): Refusal {
  return new Refusal(503, '5.5.1', text);
}

/** RFC 5321 §4.2.4: the argument is not what the grammar says. */
export function badArgument(text: string): Refusal {
  return new Refusal(501, '5.5.4', text);
}
