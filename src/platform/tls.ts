// TLS as the listeners use it: which floor, which certificates, how a socket is upgraded.

import type { SecureContext } from 'node:tls';

/** What is known of the TLS layer of a connection; as `tls.TLSSocket` reports it. */
export interface TlsFacts {
  /** `TLSv1.3` … */
  readonly protocol: string;
  /** Name of RFC 8446 or IANA, such as `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** Key size of the cipher in bits, for the Received field. */
  readonly bits: number;
}

/** `lenient` is port 25's floor (TLS 1.0, any key size), `strict` that of every other port (TLS 1.2, RFC 8314 §4). */
export type TlsFloor = 'lenient' | 'strict';

/** The certificates that are in force. `context` is read at each handshake, so a reload serves the next connection. */
export interface TlsKeeper {
  context(floor: TlsFloor): SecureContext;
  /** Reads the files again (SIGHUP). Throws, and keeps what it had, if they are unusable. */
  reload(): Promise<void>;
}
