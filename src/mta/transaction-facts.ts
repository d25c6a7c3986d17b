// A session's facts as a message carries them: its id, its Received field (RFC 5321 §4.4), its origin in the queue.

import type { Address } from '../formats/address.ts';
import { receivedField, transmissionType } from '../formats/trace.ts';
import type { SmtpSession } from '../smtp/receiver.ts';
import type { TransitOrigin } from '../store/rows.ts';

/** Numbers the messages of each session: `session-n`, an Atom as the ID clause of Received wants it (RFC 5321 §4.4). */
export class MessageNumbers {
  readonly #counts = new WeakMap<SmtpSession, number>();

  next(session: SmtpSession): string {
    const count = (this.#counts.get(session) ?? 0) + 1;
    this.#counts.set(session, count);
    return `${session.id}-${count}`;
  }
}

/** The Received field of a message that came by this session, with its CRLF. */
export function sessionReceived(
  session: SmtpSession,
  hop: {
    readonly hostname: string;
    readonly messageId: string;
    readonly utf8: boolean;
    readonly recipient: Address | null;
    /** MT-PRIORITY of MAIL. */
    readonly priority?: number | undefined;
    readonly now: number;
    /** May the field name the client and its address? */
    readonly showClient: boolean;
  },
): string {
  const { tls, hello } = session;
  return receivedField({
    hello: hop.showClient ? (hello?.name ?? null) : null,
    remoteAddress: hop.showClient ? session.remoteAddress : null,
    by: hop.hostname,
    protocol: transmissionType({
      extended: hello?.verb === 'EHLO',
      tls: tls !== null,
      auth: session.identity !== null,
      utf8: hop.utf8,
    }),
    id: hop.messageId,
    tls,
    recipient: hop.recipient,
    priority: hop.priority,
    time: hop.now,
    zone: zoneAt(hop.now),
  });
}

/** Where a message came from, for the queue. */
export function sessionOrigin(session: SmtpSession, role: TransitOrigin['role']): TransitOrigin {
  return {
    role,
    session: session.id,
    remoteAddress: session.remoteAddress,
    localPort: session.localPort,
    // Identities carry the store's own numbers.
    account: (session.identity?.accountId ?? null) as TransitOrigin['account'],
    ...(session.identity === null ? {} : { user: session.identity.address }),
    tls: session.tls === null ? null : `${session.tls.protocol} ${session.tls.cipher}`,
  };
}

/** The offset of this machine's zone at a moment: minutes east of UTC. */
export function zoneAt(now: number): number {
  // `|| 0`: no negative zero.
  return -new Date(now).getTimezoneOffset() || 0;
}
