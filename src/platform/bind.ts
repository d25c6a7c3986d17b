// A listening socket on one address: bound, or an error that tells people what is in the way. It accepts and knows no more.

import { createServer, type Server, type Socket } from 'node:net';

/** An address and port that could not be had; `message` is one line for people, `code` the system's. */
export class BindError extends Error {
  override readonly name = 'BindError';
  readonly code: string;
  constructor(address: string, port: number, code: string, options?: ErrorOptions) {
    const place = `port ${port} on ${address}`;
    super(EXPLAINED[code]?.(place, port) ?? `${place} cannot be listened on (${code})`, options);
    this.code = code;
  }
}

const EXPLAINED: Readonly<Record<string, (place: string, port: number) => string>> = {
  EADDRINUSE: (place) => `${place} is taken by another program: stop that one, or set another port`,
  EADDRNOTAVAIL: (place) => `${place} cannot be listened on: this machine does not have that address`,
  EAFNOSUPPORT: (place) => `${place} cannot be listened on: this machine has no addresses of that kind`,
  EACCES: (place) =>
    `${place} is not for this user: ports under 1024 need a privilege (on Linux: CAP_NET_BIND_SERVICE, or the sysctl ` +
    'net.ipv4.ip_unprivileged_port_start)',
};

/** A mailbox may be watched for half an hour in silence (RFC 2177); a dead peer should be found out before. */
const KEEPALIVE_AFTER = 120_000;
const BACKLOG = 511;

/**
 * Listens on one address.
 * @param port 0: any free port
 * @param beside every address that gets the same port
 * @throws BindError
 */
export function bind(
  host: string,
  port: number,
  beside: readonly string[],
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_AFTER },
      onConnection,
    );
    const fail = (error: NodeJS.ErrnoException) => {
      reject(new BindError(host, port, error.code ?? error.message, { cause: error }));
    };
    server.once('error', fail);
    // `::` takes IPv4 too, unless that has an entry of its own.
    const ipv6Only = host.includes(':') && beside.some((address) => !address.includes(':'));
    server.listen({ host, port, ipv6Only, backlog: BACKLOG }, () => {
      server.off('error', fail);
      resolve(server);
    });
  });
}

/** "All of IPv6" is nothing on a machine without it, such as most containers; any other address is meant by name. */
export function isWithoutIpv6(address: string, error: unknown): boolean {
  return (
    address === '::' && error instanceof BindError && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL')
  );
}

export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
