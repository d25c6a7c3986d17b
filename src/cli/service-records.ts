// The SRV records by which a mail program finds the gates of users (RFC 6186, RFC 8314 §5.1): TLS from the first byte is
// preferred, and what is not there is said not to be there.

import { isLoopback } from '../platform/source.ts';
import { type Gate, placeOf } from './ports-table.ts';
import type { LeftOut, ZoneRecord } from './publication.ts';

interface Service {
  readonly label: string;
  readonly role: Gate['role'];
  readonly implicit: boolean;
  /** RFC 6186 §3.3: among the ways to do the same, the lowest is preferred. */
  readonly priority: number;
  readonly what: string;
}

const SERVICES: readonly Service[] = [
  { label: '_submissions', role: 'submission', implicit: true, priority: 0, what: 'users send, TLS at once' },
  { label: '_submission', role: 'submission', implicit: false, priority: 10, what: 'users send, STARTTLS first' },
  { label: '_imaps', role: 'imap', implicit: true, priority: 0, what: 'users read, TLS at once' },
  { label: '_imap', role: 'imap', implicit: false, priority: 10, what: 'users read, STARTTLS first' },
  { label: '_pop3s', role: 'pop3', implicit: true, priority: 20, what: 'users fetch, TLS at once' },
  { label: '_pop3', role: 'pop3', implicit: false, priority: 30, what: 'users fetch, STLS first' },
];

/** Of one domain. */
export function serviceRecords(
  hostname: string,
  domain: string,
  gates: readonly Gate[],
): { readonly records: readonly ZoneRecord[]; readonly leftOut: readonly LeftOut[] } {
  const records: ZoneRecord[] = [];
  const leftOut: LeftOut[] = [];
  for (const { label, role, implicit, priority, what } of SERVICES) {
    const name = `${label}._tcp.${domain}`;
    const there = gates.filter((gate) => gate.role === role && (gate.tls === 'implicit') === implicit);
    const [near] = there;
    const open = there.find(({ address }) => !isLoopback(address));
    if (open !== undefined) {
      records.push({ name, type: 'SRV', data: `${priority} 1 ${open.port} ${hostname}.`, reason: what });
    } else if (near !== undefined) {
      const reason = `only this machine can reach ${placeOf(near.address, near.port)}`;
      leftOut.push({ name, type: 'SRV', reason });
    } else {
      // RFC 2782, RFC 6186 §3.4: "." is no host, so nobody has to guess.
      records.push({ name, type: 'SRV', data: '0 0 0 .', reason: 'there is no such gate' });
    }
  }
  return { records, leftOut };
}
