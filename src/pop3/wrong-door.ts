// The wrong door, in POP3's words: what a client hears that speaks another protocol than this port, and where it should
// have gone. The texts name ports, since that is the whole point of them.

import { namePorts, type Seen, type ServicePorts } from '../platform/wrong-door.ts';
import type { DoorPorts } from './options.ts';

/** What a client hears that began with something else than POP3. @param stls whether this port offers it */
export function wrongDoor(seen: Seen, port: number, stls: boolean, ports: DoorPorts): string {
  if (seen === 'tls') {
    const instead = stls ? ['use STLS'] : [];
    const { implicit } = ports.pop3;
    if (implicit !== null && implicit !== port) instead.push(`connect to port ${implicit} for implicit TLS`);
    return `This is port ${port}, which starts in cleartext${instead.length === 0 ? '' : `: ${instead.join(', or ')}`}`;
  }
  const here = `This is port ${port}, which speaks POP3`;
  const right = seen === 'smtp' ? namePorts(ports.submission) : seen === 'imap' ? namePorts(ports.imap) : '';
  if (right === '') return here;
  return `${here}: ${seen === 'smtp' ? 'mail is sent on' : 'IMAP is spoken on'} ${right}`;
}

/** A line in clear for whoever speaks cleartext to a POP3 port with implicit TLS (ListenerOptions.wrongDoorLine). */
export function cleartextOnImplicit(pop3: ServicePorts): (seen: string) => string {
  const here = pop3.implicit === null ? '' : ` (${pop3.implicit})`;
  const other = pop3.starttls === null ? '' : `, or connect to port ${pop3.starttls} and use STLS`;
  return () => `-ERR This port${here} starts with TLS at once: use implicit TLS${other}\r\n`;
}

/** A line for a client that is over a limit of connections (ListenerOptions.busyLine). */
export function busyLine(hostname: string): string {
  return `-ERR [SYS/TEMP] ${hostname} has too many connections, try again later\r\n`;
}
