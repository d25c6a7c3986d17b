// What a POP3 listener is given by the wiring: where it stands, whom it asks, and what all POP3 listeners share.

import type { Directory } from '../directory/directory.ts';
import type { Clock } from '../platform/clock.ts';
import type { TlsMode } from '../platform/listener.ts';
import type { Log } from '../platform/log.ts';
import type { TlsFloor, TlsKeeper } from '../platform/tls.ts';
import type { ServicePorts } from '../platform/wrong-door.ts';
import type { Store } from '../store/store.ts';
import type { MaildropLocks } from './maildrop-lock.ts';

export interface DoorPorts {
  readonly pop3: ServicePorts;
  readonly imap: ServicePorts;
  readonly submission: ServicePorts;
}

export interface Pop3Options {
  readonly hostname: string;
  /** `required`: no login before STLS. `offered` and `none` let passwords cross in clear: loopback and tests. */
  readonly tls: TlsMode;
  readonly floor: TlsFloor;
  readonly keeper: TlsKeeper;
  readonly store: Store;
  readonly directory: Directory;
  /** Are SCRAM's -PLUS forms offered under TLS (RFC 5802 §6)? */
  readonly channelBinding: boolean;
  /** One for all POP3 listeners of a server. */
  readonly locks: MaildropLocks;
  /** Days for which mail is kept at least (EXPIRE, RFC 2449 §6.7); null: for ever. */
  readonly expire: number | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly ports: DoorPorts;
}
