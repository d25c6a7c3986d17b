// What one connection has done so far, and when that is enough. A client that brings messages is forgiven what it got
// wrong before; one that only tries is not served for ever.

import { LIMITS } from './limits.ts';

export class Tally {
  /** Since the last accepted message: unknown commands and bad syntax or sequence; commands that brought no message
   * nearer; recipients that the Receiver refused; recipients beyond what one message may have; commands refused for any
   * reason. */
  faults = 0;
  idleCommands = 0;
  refusedRecipients = 0;
  excessRecipients = 0;
  refusedCommands = 0;
  /** Over the whole connection. */
  authFailures = 0;
  authDeferrals = 0;
  messages = 0;
  refusals = 0;
  commands = 0;

  /** A command was answered with no, whoever's fault that is. */
  refused(): void {
    this.refusals++;
    this.refusedCommands++;
  }

  /** A message was taken: what had been held against the client is forgotten. */
  accepted(): void {
    this.messages++;
    this.faults = 0;
    this.idleCommands = 0;
    this.refusedRecipients = 0;
    this.excessRecipients = 0;
    this.refusedCommands = 0;
  }

  /** Why the connection is to end now, as public text; null while it may go on. */
  get exceeded(): string | null {
    if (this.faults >= LIMITS.faults) return 'Too many errors';
    if (this.idleCommands >= LIMITS.idleCommands) return 'Too many commands without a message';
    if (this.refusedRecipients >= LIMITS.refusedRecipients) return 'Too many refused recipients';
    if (this.excessRecipients >= LIMITS.excessRecipients) return 'Too many recipients beyond the limit';
    if (this.refusedCommands >= LIMITS.refusedCommands) return 'Too many refused commands';
    if (this.authFailures >= LIMITS.authFailures) return 'Too many failed authentications';
    if (this.messages >= LIMITS.messages) return 'Message limit reached, connect again';
    return null;
  }
}
