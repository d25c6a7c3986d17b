// The wrong door: which protocol a client speaks, judged from its first bytes, so that a listener of another kind can
// name the mistake and the port to use. A guess for messages to people; nothing is decided by it but the text.

/** What the first bytes look like; `starttls` is the command itself, in whichever protocol's spelling. */
export type Seen = 'tls' | 'http' | 'smtp' | 'imap' | 'pop3' | 'starttls';

/** Where a service can be had; null where there is no such port. */
export interface ServicePorts {
  readonly implicit: number | null;
  readonly starttls: number | null;
}

/** No first line of a known protocol needs more to be recognised. */
const LOOKED_AT = 256;

const STARTTLS = /^(?:[^\s(){%*"\\\]]{1,64} )?(?:STARTTLS|STLS)\s*$/i;
const HTTP =
  /^(?:(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|PROPFIND) (?:\/|\*|https?:)|CONNECT \S+:\d|PRI \* HTTP)/;
const SMTP = /^(?:(?:EHLO|HELO|LHLO|VRFY|EXPN) \S|(?:EHLO|HELO)\s*$|MAIL FROM:|RCPT TO:)/i;
const POP3 = /^(?:(?:USER|PASS|APOP|RETR|TOP|DELE) \S|(?:CAPA|STAT|UIDL)\s*$)/i;
const IMAP =
  /^[^\s(){%*"\\\]+]{1,64} (?:CAPABILITY|LOGIN|AUTHENTICATE|NOOP|LOGOUT|ID|ENABLE|NAMESPACE|SELECT|EXAMINE|LIST|STATUS)(?:\s|$)/i;

/**
 * Recognises a protocol by what a client says first.
 * @param firstBytes what has come so far; the beginning of a line is enough for most
 * @returns null where it could be several, or none that is known
 */
export function recognise(firstBytes: Uint8Array): Seen | null {
  if (beginsTls(firstBytes)) return 'tls';
  const text = Buffer.from(firstBytes.buffer, firstBytes.byteOffset, Math.min(firstBytes.length, LOOKED_AT)).toString(
    'latin1',
  );
  const end = text.search(/[\r\n]/);
  const line = end < 0 ? text : text.slice(0, end);
  if (STARTTLS.test(line)) return 'starttls';
  if (HTTP.test(line)) return 'http';
  if (SMTP.test(line)) return 'smtp';
  if (POP3.test(line)) return 'pop3';
  if (IMAP.test(line)) return 'imap';
  return null;
}

/** The ports as words, joined by "or"; empty where there is none. */
export function namePorts({ implicit, starttls }: ServicePorts): string {
  const named: string[] = [];
  if (implicit !== null) named.push(`port ${implicit} (implicit TLS)`);
  if (starttls !== null) named.push(`port ${starttls} (STARTTLS)`);
  return named.join(' or ');
}

/**
 * A TLS record of type handshake (RFC 8446 §5.1), or the ClientHello of SSLv2 (RFC 5246 §E.2), which only gets an
 * alert. One byte decides: no cleartext protocol of mail starts with either.
 */
function beginsTls(bytes: Uint8Array): boolean {
  const [type = 0, major = 3, kind = 1] = bytes;
  return (type === 0x16 && major === 3) || (type >= 0x80 && kind === 1 && bytes.length > 2);
}
