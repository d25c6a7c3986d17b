// The listeners of a configuration, each with its role's protocol behind it. A protocol is told of all the doors, since
// its answer at the wrong one names the right one.

import type { Config, ListenerConfig } from './config/config.ts';
import type { Directory } from './directory/directory.ts';
import { createImap } from './imap/imap.ts';
import * as imapDoor from './imap/wrong-door.ts';
import type { CertificateKeeper } from './platform/certificates.ts';
import type { Clock } from './platform/clock.ts';
import { type Connection, type Listener, listen, type Role } from './platform/listener.ts';
import type { Log } from './platform/log.ts';
import type { TlsFloor, TlsKeeper } from './platform/tls.ts';
import type { ServicePorts } from './platform/wrong-door.ts';
import { MaildropLocks } from './pop3/maildrop-lock.ts';
import { createPop3 } from './pop3/pop3.ts';
import * as pop3Door from './pop3/wrong-door.ts';
import { createSmtp } from './smtp/listener/smtp.ts';
import * as smtpDoor from './smtp/listener/wrong-door.ts';
import type { Receiver } from './smtp/receiver.ts';
import type { Store } from './store/store.ts';

/** ms from a connection to the end of an implicit TLS handshake. */
const HANDSHAKE_TIMEOUT = 30_000;

export interface DoorOptions {
  /** The one of a transfer port tells users where to submit mail instead. */
  readonly receivers: {
    readonly transfer: (ports: ServicePorts) => Receiver;
    readonly submission: Receiver;
  };
  readonly keeper: CertificateKeeper;
  readonly store: Store;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Doors {
  readonly listeners: readonly Listener[];
  /** Stops accepting at once, then gives the sessions `graceMs` to end. */
  close(graceMs: number): Promise<void>;
}

/** What every protocol is to the wiring. */
interface Protocol {
  handle(connection: Connection): void;
  close(graceMs: number): Promise<void>;
  readonly busyLine: string;
  readonly wrongDoorLine: (seen: string) => string;
}

/** Binds every listener. @throws Error that names the address and port which could not be had; then none is open. */
export async function openDoors(config: Config, options: DoorOptions): Promise<Doors> {
  const listeners: Listener[] = [];
  const protocols: Protocol[] = [];
  const ports = {
    imap: servicePorts('imap', listeners),
    pop3: servicePorts('pop3', listeners),
    submission: servicePorts('submission', listeners),
  };
  const shared = { ports, maildrops: new MaildropLocks(options.clock, config.pop3.loginDelay) };
  const doors: Doors = {
    listeners,
    async close(graceMs) {
      await Promise.all(listeners.map((listener) => listener.close()));
      await Promise.all(protocols.map((protocol) => protocol.close(graceMs)));
    },
  };
  try {
    for (const door of config.listeners) {
      const keeper: TlsKeeper = door.clients ? options.keeper.asking(door.clients.files) : options.keeper;
      const protocol = protocolOf(config, door, { ...shared, keeper }, options);
      protocols.push(protocol);
      listeners.push(
        await listen(
          {
            ...door,
            floor: floorOf(door.role),
            keeper,
            log: options.log,
            maxConnections: config.limits.connections,
            maxConnectionsPerSource: config.limits.connectionsPerSource,
            busyLine: protocol.busyLine,
            wrongDoorLine: protocol.wrongDoorLine,
            handshakeTimeout: HANDSHAKE_TIMEOUT,
          },
          (connection) => protocol.handle(connection),
        ),
      );
    }
    return doors;
  } catch (error) {
    await doors.close(0);
    throw error;
  }
}

/** Port 25 takes any encryption rather than none; every other port takes only what is safe (RFC 8314 §4). */
function floorOf(role: Role): TlsFloor {
  return role === 'transfer' ? 'lenient' : 'strict';
}

/** What the listeners have in common. */
interface Shared {
  readonly ports: { readonly imap: ServicePorts; readonly pop3: ServicePorts; readonly submission: ServicePorts };
  /** A maildrop is locked for the whole server. */
  readonly maildrops: MaildropLocks;
}

/** Live: a port that was asked for as 0 is known once its listener is bound. */
function servicePorts(role: Role, listeners: readonly Listener[]): ServicePorts {
  const port = (implicit: boolean) =>
    listeners.find((door) => door.role === role && (door.tls === 'implicit') === implicit)?.bound[0]?.port ?? null;
  return {
    get implicit() {
      return port(true);
    },
    get starttls() {
      return port(false);
    },
  };
}

function protocolOf(
  config: Config,
  door: ListenerConfig,
  shared: Shared & { readonly keeper: TlsKeeper },
  options: DoorOptions,
): Protocol {
  const { ports, keeper } = shared;
  const { hostname, limits, submission } = config;
  const { receivers, store, directory, clock, log } = options;
  const { channelBinding } = config.sasl;
  const common = { hostname, tls: door.tls, floor: floorOf(door.role), keeper, channelBinding, clock, log };
  switch (door.role) {
    case 'transfer':
    case 'submission': {
      const smtp = createSmtp({
        ...common,
        role: door.role,
        receiver: door.role === 'transfer' ? receivers.transfer(ports.submission) : receivers.submission,
        limits,
        maxHold: submission.maxHold,
        earlyTalkerWait: door.earlyTalkerWait,
        submissionPorts: ports.submission,
      });
      return {
        handle: (connection) => smtp.handle(connection),
        close: (graceMs) => smtp.close(graceMs),
        busyLine: smtpDoor.busyLine(hostname),
        wrongDoorLine: (seen) => smtpDoor.cleartextOnImplicit(hostname, ports.submission)(seen),
      };
    }
    case 'imap': {
      const imap = createImap({
        ...common,
        store,
        directory,
        limits: { literal: limits.literal, message: limits.messageSize, header: limits.headerSize },
        unauthenticate: config.imap.unauthenticate,
        ports,
      });
      return {
        handle: (connection) => imap.handle(connection),
        close: (graceMs) => imap.close(graceMs),
        busyLine: imapDoor.busyLine(hostname),
        wrongDoorLine: (seen) => imapDoor.cleartextOnImplicit(ports.imap)(seen),
      };
    }
    case 'pop3': {
      const pop3 = createPop3({
        ...common,
        store,
        directory,
        locks: shared.maildrops,
        expire: config.pop3.expire,
        ports,
      });
      return {
        handle: (connection) => pop3.handle(connection),
        close: (graceMs) => pop3.close(graceMs),
        busyLine: pop3Door.busyLine(hostname),
        wrongDoorLine: (seen) => pop3Door.cleartextOnImplicit(ports.pop3)(seen),
      };
    }
  }
}
