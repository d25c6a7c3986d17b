// A listening socket of any role: it accepts, bounds connections by source and in all, sees the wrong door on ports with
// implicit TLS, does that handshake, and hands a ready connection to its protocol. It knows no protocol.

import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createAdmission } from './admission.ts';
import { BindError, bind, isWithoutIpv6, portOf } from './bind.ts';
import type { Clock } from './clock.ts';
import { newIdentifier } from './identifier.ts';
import { knock } from './knock.ts';
import type { Log } from './log.ts';
import { seldom } from './seldom.ts';
import { plainAddress } from './source.ts';
import { type TlsFacts, TlsFailure, type TlsFloor, type TlsKeeper, tlsFacts, upgrade } from './tls.ts';

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
  /** A line in clear for a client that is over a limit, with its CRLF; it is then closed. A client that expects TLS
   * could not read it, so on implicit TLS the connection is just closed. */
  readonly busyLine: string;
  /** A line in clear for a client that speaks cleartext to implicit TLS: names the port to use. */
  readonly wrongDoorLine: (seen: string) => string;
  /** ms from the connection to the end of an implicit TLS handshake. */
  readonly handshakeTimeout: number;
}

/** What the wiring gives every protocol. */
export interface ProtocolOptions {
  /** In the greeting (RFC 5321 §4.3.1). */
  readonly hostname: string;
  /** `required`: no login before STARTTLS. `offered` and `none` let passwords cross in clear: loopback and tests. */
  readonly tls: TlsMode;
  readonly floor: TlsFloor;
  readonly keeper: TlsKeeper;
  /** Are SCRAM's -PLUS forms offered under TLS (RFC 5802 §6)? */
  readonly channelBinding: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Listener {
  readonly role: Role;
  readonly tls: TlsMode;
  /** Where it really listens. */
  readonly bound: readonly { readonly address: string; readonly port: number }[];
  /** Stops accepting; connections that are open live on, in their protocol's hands. */
  close(): Promise<void>;
}

/** With port 0 all addresses get one port; another program may hold it on one of them, so it is tried again. */
const PORT_TRIES = 10;
/** ms for a client to read its last line and close. */
const PARTING = 1_000;
/** Clients that are being closed politely; more are closed at once. */
const MAX_PARTING = 200;
/** Refused connections, and failures of accept (no descriptors left), are logged at most this often, ms. */
const LOGGED_EVERY = 10_000;

/** @throws BindError; nothing listens then */
export async function listen(options: ListenerOptions, handle: (connection: Connection) => void): Promise<Listener> {
  const admission = createAdmission(options.maxConnections, options.maxConnectionsPerSource);
  /** Sockets that no protocol owns yet or any more: what `close` has to end itself. */
  const pending = new Set<Socket>();
  let parting = 0;
  let closed = false;
  const log = options.log.child({ role: options.role });
  const logRefusal = seldom(LOGGED_EVERY, (unsaid, fields: object) => {
    log.warn({ ...fields, unsaid }, 'too many connections');
  });
  const logAcceptError = seldom(LOGGED_EVERY, (unsaid, err: Error) => {
    log.error({ err, unsaid }, 'a connection could not be accepted');
  });

  function part(socket: Socket, line: string): void {
    if (parting >= MAX_PARTING || line === '') {
      socket.destroy();
      return;
    }
    parting += 1;
    pending.add(socket);
    const timer = setTimeout(() => socket.destroy(), PARTING);
    socket.once('close', () => {
      clearTimeout(timer);
      parting -= 1;
    });
    // What the client still says is read and dropped: unread octets would turn the close into a reset, which
    // overtakes the line.
    socket.resume();
    socket.end(line);
  }

  async function secure(socket: Socket, session: Log): Promise<TLSSocket | null> {
    const started = Date.now();
    const opening = await knock(socket, options.handshakeTimeout);
    if (opening.kind === 'tls') {
      const remaining = Math.max(1, options.handshakeTimeout - (Date.now() - started));
      return await upgrade(socket, options.keeper, options.floor, remaining, opening.head);
    }
    if (opening.kind === 'cleartext') {
      session.warn({ seen: opening.seen }, `wrong door: ${opening.seen} in clear on a port with implicit TLS`);
      part(socket, options.wrongDoorLine(opening.seen));
    } else {
      // Health checks and port scans come and go without a word.
      if (opening.kind === 'closed') session.debug('closed unsaid');
      else session.info('nothing said in time; a client that waits for a greeting in clear?');
      socket.destroy();
    }
    return null;
  }

  async function accept(socket: Socket): Promise<void> {
    // A client may be gone before it is looked at; then there is no address.
    const { remoteAddress, remotePort = 0, localAddress = '', localPort = 0 } = socket;
    if (remoteAddress === undefined || closed) {
      socket.destroy();
      return;
    }
    const remote = plainAddress(remoteAddress);
    const local = plainAddress(localAddress);
    const refusal = admission.enter(remote);
    if (refusal !== null) {
      logRefusal({ remoteAddress: remote, localPort, limit: refusal });
      part(socket, options.tls === 'implicit' ? '' : options.busyLine);
      return;
    }
    const id = newIdentifier();
    socket.once('close', () => admission.leave(remote));
    let ready: Socket | TLSSocket | null = socket;
    if (options.tls === 'implicit') {
      const session = log.child({ session: id, remoteAddress: remote, localPort });
      pending.add(socket);
      try {
        ready = await secure(socket, session);
      } catch (error) {
        if (!(error instanceof TlsFailure)) throw error;
        session.info({ tls: error.code }, error.message);
        return;
      }
      if (ready === null) return;
      pending.delete(socket);
    }
    handle({
      id,
      socket: ready,
      remoteAddress: remote,
      remotePort,
      localAddress: local,
      localPort,
      tls: ready === socket ? null : tlsFacts(ready as TLSSocket), // upgraded above
    });
  }

  function onConnection(socket: Socket): void {
    // Until a protocol owns the socket, a reset must not become an uncaught error; afterwards this is harmless.
    socket.on('error', () => undefined);
    socket.once('close', () => pending.delete(socket));
    accept(socket).catch((error: unknown) => {
      log.error({ err: error }, 'a connection was dropped because of an error of ours');
      socket.destroy();
    });
  }

  const servers: Server[] = [];
  /** Where each of them listens. */
  const places: string[] = [];
  const open = (address: string, port: number) =>
    bind(address, port, options.addresses, onConnection).then((server) => {
      servers.push(server);
      places.push(address);
      server.on('error', logAcceptError);
      return portOf(server);
    });
  // The port is free at once; what a server calls back for is the end of its connections.
  const shut = () => {
    places.length = 0;
    for (const server of servers.splice(0)) server.close();
  };

  for (let tries = 1; ; tries += 1) {
    try {
      let port = options.port;
      for (const address of options.addresses) {
        try {
          port = await open(address, port);
        } catch (error) {
          if (!isWithoutIpv6(address, error) || options.addresses.length === 1) throw error;
          log.warn({ role: options.role, port }, 'this machine has no IPv6: "::" is left out');
        }
      }
      break;
    } catch (error) {
      shut();
      const again = options.port === 0 && error instanceof BindError && error.code === 'EADDRINUSE';
      if (!again || tries === PORT_TRIES) throw error;
    }
  }

  return {
    role: options.role,
    tls: options.tls,
    bound: servers.map((server, index) => ({ address: places[index] ?? '', port: portOf(server) })),
    async close() {
      closed = true;
      // server.close waits for connections that it accepted, which are not ours to wait for.
      for (const server of servers) server.close();
      for (const socket of pending) socket.destroy();
    },
  };
}
