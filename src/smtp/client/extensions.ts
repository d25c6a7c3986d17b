// What a server said that it can do (RFC 5321 §4.1.1.1, ehlo-ok-rsp), as far as this client uses it. Lines that make no
// sense, such as those a firewall has masked, are passed over.

import type { Reply } from '../../formats/refusal.ts';

export interface Extensions {
  /** RFC 2920. */
  readonly pipelining: boolean;
  /** RFC 6152. */
  readonly eightBitMime: boolean;
  /** RFC 6531. */
  readonly smtputf8: boolean;
  /** RFC 3461. */
  readonly dsn: boolean;
  /** RFC 3207. */
  readonly starttls: boolean;
  /** RFC 8689. */
  readonly requireTls: boolean;
  /** RFC 1870: offered, and the largest message in octets, if it named one. */
  readonly size: boolean;
  readonly maxSize: number | null;
  /** RFC 4954: SASL mechanisms, upper case. */
  readonly auth: readonly string[];
  /** RFC 3030. */
  readonly chunking: boolean;
  readonly binaryMime: boolean;
  /** RFC 2852: the shortest time in seconds that the server lets be asked for, 0 if it named none; null: not offered. */
  readonly deliverBy: number | null;
  /** RFC 6710. */
  readonly mtPriority: boolean;
  /** We have logged in, so that AUTH= belongs to MAIL (RFC 4954 §5). */
  readonly loggedIn: boolean;
  /** RFC 9422: recipients that one transaction may have. */
  readonly rcptMax: number | null;
}

/** A server that only knows HELO. */
export const NO_EXTENSIONS: Extensions = {
  pipelining: false,
  eightBitMime: false,
  smtputf8: false,
  dsn: false,
  starttls: false,
  requireTls: false,
  size: false,
  maxSize: null,
  auth: [],
  chunking: false,
  binaryMime: false,
  deliverBy: null,
  mtPriority: false,
  loggedIn: false,
  rcptMax: null,
};

/** Reads the reply to EHLO: its first line is a greeting, each other one a keyword and its parameters. */
export function parseExtensions(reply: Reply): Extensions {
  const offered = new Map<string, string>();
  for (const line of reply.text.split('\n').slice(1)) {
    // ehlo-line = ehlo-keyword *( SP ehlo-param ). `AUTH=LOGIN` is how servers before RFC 2554 wrote it.
    const match = /^([a-z0-9][a-z0-9-]*)(?:[ =]+(.*))?$/i.exec(line.trim());
    if (match?.[1] === undefined) continue;
    const keyword = match[1].toUpperCase();
    const parameters = (match[2] ?? '').toUpperCase();
    offered.set(keyword, offered.has(keyword) ? `${offered.get(keyword)} ${parameters}` : parameters);
  }
  const maxSize = Number(/^\d{1,15}/.exec(offered.get('SIZE') ?? '')?.[0] ?? 0);
  // deliverby-param = min-by-time *( ',' extension-token ) (RFC 2852 §2)
  const leastTime = offered.get('DELIVERBY')?.split(',', 1)[0];
  const rcptMax = Number(/(?:^| )RCPTMAX=(\d{1,6})(?: |$)/.exec(offered.get('LIMITS') ?? '')?.[1] ?? 0);
  return {
    pipelining: offered.has('PIPELINING'),
    eightBitMime: offered.has('8BITMIME'),
    smtputf8: offered.has('SMTPUTF8'),
    dsn: offered.has('DSN'),
    starttls: offered.has('STARTTLS'),
    requireTls: offered.has('REQUIRETLS'),
    size: offered.has('SIZE'),
    maxSize: maxSize > 0 ? maxSize : null,
    auth: [...new Set((offered.get('AUTH') ?? '').split(/ +/).filter((name) => name !== ''))],
    chunking: offered.has('CHUNKING'),
    binaryMime: offered.has('BINARYMIME') && offered.has('CHUNKING'),
    deliverBy: leastTime === undefined ? null : Number(/^\d{1,9}$/.exec(leastTime)?.[0] ?? 0),
    mtPriority: offered.has('MT-PRIORITY'),
    loggedIn: false,
    rcptMax: rcptMax > 0 ? rcptMax : null,
  };
}
