// The wrong door, in SMTP's words: what a client hears that speaks another protocol than this port, and where it should
// have gone. The texts name ports, since that is the whole point of them.

import type { EnhancedStatus } from '../../formats/refusal.ts';
import { namePorts, type Seen, type ServicePorts } from '../../platform/wrong-door.ts';
import { formatReply } from './reply.ts';

/** Where users submit mail here, as a sentence. */
export function whereToSubmit(submission: ServicePorts): string {
  const ports = namePorts(submission);
  return ports === '' ? 'No port takes submissions here.' : `Users submit mail on ${ports}.`;
}

/** What is said with a 421. */
interface Parting {
  readonly status: EnhancedStatus;
  readonly text: string;
}

/** What a port that starts in cleartext says to a client that began with something else than SMTP. */
export function wrongDoor(seen: Seen, port: number, startTls: boolean, ports: ServicePorts): Parting {
  let text = `This is port ${port}, which speaks SMTP`;
  if (seen === 'tls') {
    const ways = startTls ? ['use STARTTLS'] : [];
    if (ports.implicit !== null && ports.implicit !== port) ways.push(`connect to ${ports.implicit} for implicit TLS`);
    text = `This is port ${port}, which starts in cleartext${ways.length === 0 ? '' : `: ${ways.join(', or ')}`}`;
  }
  return { status: '4.7.0', text };
}

/** A line in clear for whoever speaks cleartext to a submission port with implicit TLS (ListenerOptions.wrongDoorLine). */
export function cleartextOnImplicit(hostname: string, ports: ServicePorts): (seen: string) => string {
  const other = ports.starttls === null ? '' : `, or connect to ${ports.starttls} and use STARTTLS`;
  const text = `${hostname} This port${ports.implicit === null ? '' : ` (${ports.implicit})`} starts with TLS at once: use implicit TLS${other}`;
  return () => formatReply({ code: 421, status: '4.7.0', text });
}

/** A line for a client that is over a limit of connections (ListenerOptions.busyLine). */
export function busyLine(hostname: string): string {
  return formatReply({ code: 421, status: '4.7.0', text: `${hostname} Too many connections, try again later` });
}
