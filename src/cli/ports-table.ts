// The ports table: every gate with its role, TLS and AUTH rule, and why it is so. Made from the configuration and from
// where the listeners really are bound.

import type { Config, ListenerConfig } from '../config/config.ts';
import type { Role, TlsMode } from '../platform/listener.ts';
import { inColumns } from './columns.ts';

/** What of a listener the table needs: where it is. */
export interface BoundListener {
  readonly bound: readonly { readonly address: string; readonly port: number }[];
}

/** One address of one listener. */
export interface Gate {
  readonly role: Role;
  readonly address: string;
  readonly port: number;
  readonly tls: TlsMode;
  readonly floor: 'TLS 1.0' | 'TLS 1.2' | null;
  readonly auth: 'never' | 'mandatory';
  /** ms until a client is greeted (early_talker_wait). */
  readonly greetsAfter: number;
  /** One clause for the table. */
  readonly why: string;
  /** A reason for each cell. */
  readonly reasons: { readonly role: string; readonly tls: string; readonly auth: string };
}

/** The gates of a configuration, in its order. @param listeners the running ones, in the same order; null: none runs */
export function gatesOf(config: Config, listeners: readonly BoundListener[] | null): readonly Gate[] {
  return config.listeners.flatMap((listener, index) => {
    const places = listeners?.[index]?.bound ?? listener.addresses.map((address) => ({ address, port: listener.port }));
    return places.map(({ address, port }) => ({
      role: listener.role,
      address,
      port,
      tls: listener.tls,
      floor: floorOf(listener),
      auth: listener.role === 'transfer' ? ('never' as const) : ('mandatory' as const),
      greetsAfter: listener.earlyTalkerWait,
      why: WHY[listener.role][listener.tls],
      reasons: { role: ROLE[listener.role], tls: tlsReason(listener), auth: authReason(listener) },
    }));
  });
}

export function renderGates(gates: readonly Gate[]): string {
  return inColumns(
    ['ROLE', 'ADDRESS', 'TLS', 'AUTH', 'WHY'],
    gates.map(({ role, address, port, tls, auth, why }) => [role, placeOf(address, port), tls, auth, why]),
  );
}

/** The reason for each cell, a paragraph a gate. */
export function renderReasons(gates: readonly Gate[]): string {
  return gates
    .map(({ role, address, port, tls, floor, auth, reasons }) =>
      [
        `${placeOf(address, port)}`,
        `  ${role}: ${reasons.role}`,
        `  TLS ${tls}${floor === null ? '' : ` (${floor} and later)`}: ${reasons.tls}`,
        `  AUTH ${auth}: ${reasons.auth}`,
      ].join('\n'),
    )
    .join('\n');
}

/** How to try it: a message by swaks, or curl if no transfer gate is open, and reading and fetching it by curl. */
export function renderTry(config: Config, gates: readonly Gate[]): string {
  const reader = config.accounts[0]?.address ?? `postmaster@${config.domains[0] ?? 'localhost'}`;
  const transfer = gates.find((gate) => gate.role === 'transfer');
  const submission = gates.find((gate) => gate.role === 'submission' && gate.tls === 'implicit');
  const imap = gates.find((gate) => gate.role === 'imap' && gate.tls === 'implicit');
  const pop3 = gates.find((gate) => gate.role === 'pop3' && gate.tls === 'implicit');
  const ca = config.tls.certificates.length > 0 ? '' : ` --cacert ${config.tls.folder}/ca.pem`;
  const lines: string[] = [];
  if (transfer !== undefined) {
    lines.push(`try   swaks --server ${reachable(transfer)} --to ${reader}`);
  } else if (submission !== undefined) {
    lines.push(
      `try   echo "Subject: Hello" | curl --crlf${ca} smtps://${reachable(submission)} --user ${reader} ` +
        `--mail-from ${reader} --mail-rcpt ${reader} -T -`,
    );
  }
  if (imap !== undefined) {
    lines.push(`read  curl${ca} 'imaps://${reachable(imap)}/INBOX;MAILINDEX=*' --user ${reader}`);
  }
  if (pop3 !== undefined) lines.push(`fetch curl${ca} pop3s://${reachable(pop3)}/1 --user ${reader}`);
  return lines.join('\n');
}

export function placeOf(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** Where this machine itself can reach a gate. */
export function nearAddress(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

function reachable({ address, port }: Gate): string {
  return placeOf(nearAddress(address), port);
}

function floorOf({ role, tls }: ListenerConfig): Gate['floor'] {
  if (tls === 'none') return null;
  return role === 'transfer' ? 'TLS 1.0' : 'TLS 1.2';
}

const ROLE: Readonly<Record<Role, string>> = {
  transfer: 'other servers bring mail for our domains; nothing is relayed (RFC 5321)',
  submission: 'users hand over mail for anywhere, as one of their own addresses (RFC 6409)',
  imap: 'users read their mailboxes (RFC 9051)',
  pop3: 'users fetch their mail (RFC 1939)',
};

/** The words of another row's TLS cell are avoided: programs read this table by them. */
const WHY: Readonly<Record<Role, Readonly<Record<TlsMode, string>>>> = {
  transfer: {
    offered: 'mail for our domains only; cleartext beats losing mail',
    required: 'mail for our domains only; private, no public MX',
    none: 'mail for our domains only; private or loopback',
    implicit: 'not possible',
  },
  submission: {
    implicit: 'users send, as themselves; the port to prefer',
    required: 'users send, as themselves; STARTTLS before anything else',
    offered: 'users send, as themselves; passwords may cross in clear',
    none: 'users send, as themselves; passwords cross in clear',
  },
  imap: {
    implicit: 'users read; the port to prefer',
    required: 'users read; STARTTLS before login',
    offered: 'users read; passwords may cross in clear',
    none: 'users read; passwords cross in clear',
  },
  pop3: {
    implicit: 'users fetch; the port to prefer',
    required: 'users fetch; STLS before login',
    offered: 'users fetch; passwords may cross in clear',
    none: 'users fetch; passwords cross in clear',
  },
};

function tlsReason(listener: ListenerConfig): string {
  const { role, tls } = listener;
  if (role === 'transfer') {
    if (tls === 'offered') {
      return 'a public MX must not demand TLS (RFC 3207 §4), and any encryption beats none (RFC 7435)';
    }
    return listener.private ? 'the configuration says that this is no public MX' : 'loopback only';
  }
  if (tls === 'implicit') return 'TLS from the first byte, nothing to strip or to get wrong (RFC 8314 §3.3)';
  if (tls === 'required') {
    const upgrade = role === 'pop3' ? 'STLS (RFC 2595 §4)' : 'STARTTLS';
    return `nothing but ${upgrade} is allowed in clear, for clients without TLS from the first byte`;
  }
  return listener.cleartext ? 'the configuration says cleartext = true' : 'loopback only, where nobody listens in';
}

function authReason({ role, clients }: ListenerConfig): string {
  if (role === 'transfer') return 'another server is no user; a password offered here is for port 465';
  const certificates = clients === null ? '' : '; a certificate of client_ca will do, too (EXTERNAL)';
  if (role === 'submission')
    return `submission is not transfer: who sends must be known (RFC 6409 §4.3)${certificates}`;
  return `nothing of a mailbox is visible without it${certificates}`;
}
