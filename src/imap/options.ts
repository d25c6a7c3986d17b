// What an IMAP listener is given by the wiring: where it stands, whom it asks, what it may spend.

import type { Directory } from '../directory/directory.ts';
import type { ProtocolOptions } from '../platform/listener.ts';
import type { ServicePorts } from '../platform/wrong-door.ts';
import type { Store } from '../store/store.ts';
import type { ImapLimits } from './limits.ts';

export interface ImapOptions extends ProtocolOptions {
  readonly store: Store;
  readonly directory: Directory;
  readonly limits: ImapLimits;
  /** Can users log out and the connection stay (RFC 8437 §8)? */
  readonly unauthenticate: boolean;
  readonly ports: { readonly imap: ServicePorts; readonly submission: ServicePorts };
}
