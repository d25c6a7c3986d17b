// A listening socket of any role: it accepts, bounds connections by source and in all, sees the wrong door on ports with
// implicit TLS, does that handshake, and hands a ready connection to its protocol. It knows no protocol.

import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Log } from './log.ts';
import type { TlsFacts, TlsFloor, TlsKeeper } from './tls.ts';

/** RFC 8314: `implicit` starts TLS at once; `offered` and `required` are the protocol's own STARTTLS; `none` has none. */
export type TlsMode = 'none' | 'offered' | 'required' | 'implicit';

export type Role = 'transfer' | 'submission' | 'imap' | 'pop3';

/** One accepted connection; for implicit TLS the handshake is done. The protocol owns the socket from here on. */
export interface Connection {
  /** 12 letters and digits: the session's id in the log. */
  readonly id: string;
  readonly socket: Socket | TLSSocket;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly tls: TlsFacts | null;
}

export interface ListenerOptions {
  readonly role: Role;
  readonly addresses: readonly string[];
  /** 0: any free port. */
  readonly port: number;
  readonly tls: TlsMode;
  readonly floor: TlsFloor;
  readonly keeper: TlsKeeper;
  readonly log: Log;
  /** Connections in all, and from one source (an IPv4 address or an IPv6 /64). */
  readonly maxConnections: number;
  readonly maxConnectionsPerSource: number;
  /** A line in clear for a client that is over a limit, with its CRLF; it is then closed. */
  readonly busyLine: string;
  /** A line in clear for a client that speaks cleartext to implicit TLS: names the port to use. */
  readonly wrongDoorLine: (seen: string) => string;
  readonly handshakeTimeout: number;
}

export interface Listener {
  readonly role: Role;
  readonly tls: TlsMode;
  /** Where it really listens. */
  readonly bound: readonly { readonly address: string; readonly port: number }[];
  /** Stops accepting; connections that are open live on, in their protocol's hands. */
  close(): Promise<void>;
}
