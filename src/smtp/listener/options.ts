// What a listener of SMTP is told: its role and TLS rule, whom it serves, and the bounds that an operator may move.

import type { Clock } from '../../platform/clock.ts';
import type { TlsMode } from '../../platform/listener.ts';
import type { Log } from '../../platform/log.ts';
import type { TlsFloor, TlsKeeper } from '../../platform/tls.ts';
import type { ServicePorts } from '../../platform/wrong-door.ts';
import type { Receiver } from '../receiver.ts';

export interface SmtpOptions {
  /** `transfer` never offers AUTH; `submission` demands it before MAIL (RFC 6409 §4.3). */
  readonly role: 'transfer' | 'submission';
  /** In the greeting and the answer to EHLO (RFC 5321 §4.3.1). */
  readonly hostname: string;
  readonly tls: TlsMode;
  readonly floor: TlsFloor;
  readonly keeper: TlsKeeper;
  readonly receiver: Receiver;
  /** Are SCRAM's -PLUS forms offered under TLS (RFC 5802 §6)? */
  readonly channelBinding: boolean;
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
  readonly clock: Clock;
  readonly log: Log;
}
