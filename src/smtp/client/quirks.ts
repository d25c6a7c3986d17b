// What a host does not do although it says so: firewalls rewrite greetings, replies and commands of the servers behind them.
// Seen on one connection, it spares the next ones of a day.

import { makeRoom } from '../../platform/bounded-memory.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Extensions } from './extensions.ts';

/** `PIPELINING`: answers were lost where several commands came at once. `CHUNKING`: BDAT is not known. `PARAMETERS`: what
 * is refused with them is taken without. `EHLO`: it hung up on it, once; `HELO`: twice in a row, so that
 * is said instead, on one connection. */
export type Quirk = 'PIPELINING' | 'CHUNKING' | 'PARAMETERS' | 'EHLO' | 'HELO';

/** What is left of a server's offer. */
export function withoutQuirks(offered: Extensions, quirks: ReadonlySet<Quirk>): Extensions {
  if (quirks.size === 0) return offered;
  return {
    ...offered,
    ...(quirks.has('PIPELINING') ? { pipelining: false } : {}),
    ...(quirks.has('CHUNKING') ? { chunking: false, binaryMime: false } : {}),
    ...(quirks.has('PARAMETERS')
      ? { size: false, dsn: false, deliverBy: null, mtPriority: false, loggedIn: false }
      : {}),
  };
}

const PARAMETERS: ReadonlySet<Quirk> = new Set(['PARAMETERS']);

/** The same for one transaction without parameters. */
export function withoutParameters(offered: Extensions): Extensions {
  return withoutQuirks(offered, PARAMETERS);
}

/** A firewall has put stars over the greeting. It is known to drop what it does not know, so nothing new is tried. */
export function isMasked(greeting: string): boolean {
  return /^[*0-9 ]*\*{4}[*0-9 ]*$/.test(greeting);
}

/** ms. */
const DAY = 86_400_000;
/** Hosts that are remembered. */
const HOSTS = 5_000;

/** The quirks of many hosts. */
export class QuirkMemory {
  readonly #clock: Clock;
  readonly #hosts = new Map<string, { readonly until: number; readonly quirks: Set<Quirk> }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is known of this host; its connections add what they see. */
  of(host: string): Set<Quirk> {
    const now = this.#clock.now();
    const known = this.#hosts.get(host);
    if (known !== undefined && known.until > now) return known.quirks;
    this.#hosts.delete(host);
    makeRoom(this.#hosts, HOSTS);
    const quirks = new Set<Quirk>();
    this.#hosts.set(host, { until: now + DAY, quirks });
    return quirks;
  }
}
