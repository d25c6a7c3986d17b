// Every capability that Postern can announce (RFC 2449 §5): its line, its RFC, and when a client sees it.

/** What decides: who has logged in, what the connection is, what is configured. */
export interface Standing {
  readonly authenticated: boolean;
  /** A password may cross this connection. */
  readonly mayLogIn: boolean;
  readonly mayStartTls: boolean;
  /** SASL mechanisms that can be had on this connection. */
  readonly mechanisms: readonly string[];
  /** Seconds between two logins of an account; 0: any. */
  readonly loginDelay: number;
  /** Days for which mail is kept at least; null: for ever. */
  readonly expire: number | null;
}

interface Capability {
  readonly rfc: string;
  /** The line, or null where it is not to be announced. */
  readonly line: (standing: Standing) => string | null;
}

const always = (line: string) => (): string => line;
// RFC 2449 §5: what can be had before the login is announced after it, too.
const withPasswords =
  (line: (standing: Standing) => string) =>
  (standing: Standing): string | null =>
    standing.mayLogIn ? line(standing) : null;

/** No LANG (RFC 6856 §3): there is one language. No APOP: it needs passwords that can be read (RFC 1939 §13). */
const CAPABILITIES: readonly Capability[] = [
  { rfc: 'RFC 1939 §7', line: always('TOP') },
  { rfc: 'RFC 1939 §7', line: always('UIDL') },
  { rfc: 'RFC 2449 §6.4', line: always('RESP-CODES') },
  { rfc: 'RFC 3206 §6', line: always('AUTH-RESP-CODE') },
  { rfc: 'RFC 2449 §6.6', line: always('PIPELINING') },
  { rfc: 'RFC 2595 §4', line: ({ authenticated, mayStartTls }) => (!authenticated && mayStartTls ? 'STLS' : null) },
  { rfc: 'RFC 2449 §6.2', line: withPasswords(always('USER')) },
  { rfc: 'RFC 5034 §3', line: withPasswords(({ mechanisms }) => `SASL ${mechanisms.join(' ')}`) },
  { rfc: 'RFC 6856 §2', line: always('UTF8 USER') },
  { rfc: 'RFC 2449 §6.5', line: ({ loginDelay }) => (loginDelay === 0 ? null : `LOGIN-DELAY ${loginDelay}`) },
  { rfc: 'RFC 2449 §6.7', line: ({ expire }) => `EXPIRE ${expire ?? 'NEVER'}` },
  // Without a version, which serves an attacker more than a client.
  { rfc: 'RFC 2449 §6.9', line: always('IMPLEMENTATION Postern') },
];

/** Lines of the answer to CAPA, each with its CRLF. */
export function capabilityLines(standing: Standing): string {
  const lines = CAPABILITIES.map(({ line }) => line(standing)).filter((line) => line !== null);
  return lines.map((line) => `${line}\r\n`).join('');
}
