// What a listener of SMTP is told: its role and TLS rule, whom it serves, and the bounds that an operator may move.

import type { ProtocolOptions } from '../../platform/listener.ts';
import type { ServicePorts } from '../../platform/wrong-door.ts';
import type { Receiver } from '../receiver.ts';

export interface SmtpOptions extends ProtocolOptions {
  /** `transfer` never offers AUTH; `submission` demands it before MAIL (RFC 6409 §4.3). */
  readonly role: 'transfer' | 'submission';
  readonly receiver: Receiver;
  readonly limits: {
    /** Octets of a message's content (RFC 1870). */
    readonly messageSize: number;
    /** Recipients of one message (RFC 9422 §2); RFC 5321 §4.5.3.1.8 asks for 100 at least. */
    readonly recipients: number;
  };
  /** The longest that a submitted message is held (FUTURERELEASE, RFC 4865), ms; 0: none is. */
  readonly maxHold: number;
  /** ms to wait before the greeting for a client that talks too soon; 0: none. */
  readonly earlyTalkerWait: number;
  /** Where mail is submitted here. */
  readonly submissionPorts: ServicePorts;
}
