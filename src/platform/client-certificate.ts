// The certificate by which a client of TLS says who it is (RFC 8446 §4.4.2), as the listener's authorities judge it. Who a
// mail address in it belongs to is the directory's business.

import type { TLSSocket } from 'node:tls';

/** `vouched`: an authority of the listener has issued it, it has not expired, and it is one for clients; `addresses` are its
 * rfc822Names (RFC 5280 §4.2.1.6). `flawed`: it counts for nothing; `flaw` is OpenSSL's name of why, for the log. */
export type ClientCertificate =
  | { readonly kind: 'vouched'; readonly addresses: readonly string[] }
  | { readonly kind: 'flawed'; readonly flaw: string };

/** Addresses of one certificate that are looked at. */
const ADDRESSES_MAX = 20;

/** What a TLSSocket knows of the verification: Node tells it only of sockets that a tls.Server made, and reads it there. */
interface Verified {
  readonly _handle: { verifyError(): { readonly code: string } | null } | null;
}

/** @param socket the server's end; the handshake must be done
 * @returns null where the client has shown none, or was not asked */
export function clientCertificate(socket: TLSSocket): ClientCertificate | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  // Private use: see Verified. Without the handle there is no connection any more.
  const { _handle: handle } = socket as unknown as Verified;
  const error = handle === null ? { code: 'closed' } : handle.verifyError();
  if (error !== null) return { kind: 'flawed', flaw: error.code };
  return { kind: 'vouched', addresses: mailAddresses(certificate.subjectAltName ?? '') };
}

/** One name as Node writes it: what could be misread is in quotes, as JSON. */
const NAME = /([^:,"]+):(?:("[^"\\]*(?:\\.[^"\\]*)*")|([^,"]*))(?:, |$)/y;

/** The rfc822Names of subject alternative names, as `X509Certificate.subjectAltName` has them; none where they are not of
 * that form. */
export function mailAddresses(names: string): readonly string[] {
  const addresses: string[] = [];
  NAME.lastIndex = 0;
  while (NAME.lastIndex < names.length) {
    const found = NAME.exec(names);
    if (!found) return [];
    const [, kind, quoted, plain = ''] = found;
    const text = quoted === undefined ? plain : unquoted(quoted);
    // Mailbox = Local-part "@" …: a name without a domain would be taken for one of ours.
    if (kind === 'email' && text.includes('@') && addresses.length < ADDRESSES_MAX) addresses.push(text);
  }
  return addresses;
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return '';
  }
}
