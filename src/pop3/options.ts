// What a POP3 listener is given by the wiring: where it stands, whom it asks, and what all POP3 listeners share.

import type { Directory } from '../directory/directory.ts';
import type { ProtocolOptions } from '../platform/listener.ts';
import type { ServicePorts } from '../platform/wrong-door.ts';
import type { Store } from '../store/store.ts';
import type { MaildropLocks } from './maildrop-lock.ts';

export interface DoorPorts {
  readonly pop3: ServicePorts;
  readonly imap: ServicePorts;
  readonly submission: ServicePorts;
}

export interface Pop3Options extends ProtocolOptions {
  readonly store: Store;
  readonly directory: Directory;
  /** One for all POP3 listeners of a server. */
  readonly locks: MaildropLocks;
  /** Days for which mail is kept at least (EXPIRE, RFC 2449 §6.7); null: for ever. */
  readonly expire: number | null;
  readonly ports: DoorPorts;
}
