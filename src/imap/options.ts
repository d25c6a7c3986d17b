// What an IMAP listener is given by the wiring: where it stands, whom it asks, what it may spend.

import type { Directory } from '../directory/directory.ts';
import type { Clock } from '../platform/clock.ts';
import type { TlsMode } from '../platform/listener.ts';
import type { Log } from '../platform/log.ts';
import type { TlsFloor, TlsKeeper } from '../platform/tls.ts';
import type { ServicePorts } from '../platform/wrong-door.ts';
import type { Store } from '../store/store.ts';
import type { ImapLimits } from './limits.ts';

export interface ImapOptions {
  readonly hostname: string;
  /** `required`: no login before STARTTLS. `offered` and `none` let passwords cross in clear: loopback and tests. */
  readonly tls: TlsMode;
  readonly floor: TlsFloor;
  readonly keeper: TlsKeeper;
  readonly store: Store;
  readonly directory: Directory;
  /** Are SCRAM's -PLUS forms offered under TLS (RFC 5802 §6)? */
  readonly channelBinding: boolean;
  readonly limits: ImapLimits;
  /** Can users log out and the connection stay (RFC 8437 §8)? */
  readonly unauthenticate: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly ports: { readonly imap: ServicePorts; readonly submission: ServicePorts };
}
