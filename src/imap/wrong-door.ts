// The wrong door, in IMAP's words: what a client hears that speaks another protocol than this port, and where it should
// have gone. The texts name ports, since that is the whole point of them.

import { namePorts, type Seen, type ServicePorts } from '../platform/wrong-door.ts';

/** The text of BYE for a client that began with something else than IMAP. @param starttls whether this port offers it */
export function wrongDoor(
  seen: Seen,
  port: number,
  starttls: boolean,
  ports: { readonly imap: ServicePorts; readonly submission: ServicePorts },
): string {
  if (seen === 'tls') {
    const instead = starttls ? ['use STARTTLS'] : [];
    const { implicit } = ports.imap;
    if (implicit !== null && implicit !== port) instead.push(`connect to port ${implicit} for implicit TLS`);
    return `This is port ${port}, which starts in cleartext${instead.length === 0 ? '' : `: ${instead.join(', or ')}`}`;
  }
  if (seen === 'smtp') {
    const submission = namePorts(ports.submission);
    return `This is port ${port}, where mail is read${submission === '' ? '' : `: send it on ${submission}`}`;
  }
  return `This is port ${port}, which speaks IMAP`;
}

/** A line in clear for whoever speaks cleartext to an IMAP port with implicit TLS (ListenerOptions.wrongDoorLine). */
export function cleartextOnImplicit(imap: ServicePorts): (seen: string) => string {
  const here = imap.implicit === null ? '' : ` (${imap.implicit})`;
  const other = imap.starttls === null ? '' : `, or connect to port ${imap.starttls} and use STARTTLS`;
  return () => `* BYE This port${here} starts with TLS at once: use implicit TLS${other}\r\n`;
}

/** A line for a client that is over a limit of connections (ListenerOptions.busyLine). */
export function busyLine(hostname: string): string {
  return `* BYE [UNAVAILABLE] ${hostname} has too many connections, try again later\r\n`;
}
