// What a load needs to know of a server, whichever it is.

import { createSecureContext } from 'node:tls';
import type { Door } from '../clients/line-socket.ts';
import type { Login } from '../clients/smtp.ts';

/** The gates by the port numbers that they have in the world outside. */
export type Gate = 25 | 465 | 587 | 993 | 143;

/** A server under load: twenty users of example.test, `remote.test` routed to the sink. */
export interface LoadedServer extends AsyncDisposable {
  readonly name: string;
  readonly version: string;
  port(gate: Gate): number;
  /** A port of IMAP that takes passwords in clear. */
  readonly clearImap: number;
  /** Process ids whose descendants are the whole server. */
  pids(): Promise<number[]>;
  /** Messages that its search index does not have yet; absent: it has none, or keeps it by itself. */
  unindexed?(): Promise<number>;
  /** Stops, starts again, and resolves with the ms from exec to the first greeting (of the slowest part). */
  restart(): Promise<number>;
}

export const USERS = 20;
export const PASSWORD = 'secret';

export const userAddress = (number: number): string => `user${String(number).padStart(2, '0')}@example.test`;
export const loginOf = (number: number): Login => ({ user: userAddress(number), password: PASSWORD });

/** Counts full TLS handshakes, and those that were not: a resumed one costs the server a fraction. */
export class Handshakes {
  full = 0;
  resumed = 0;
}

/** One for all connections, as a mail client has; the key exchange is one that both servers know, so that they do the same
 * work (an older OpenSSL has no ML-KEM). */
const secureContext = createSecureContext({ minVersion: 'TLSv1.2', ecdhCurve: 'X25519:P-256' });

export const doorOf = (server: LoadedServer, gate: Gate, tls: Door['tls']): Door => ({
  port: server.port(gate),
  ...(tls === undefined ? {} : { tls }),
  tlsOptions: { secureContext },
});
