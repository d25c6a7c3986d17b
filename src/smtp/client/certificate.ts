// The certificate of a server, as it has shown it in the handshake, and what somebody thinks of it. Who judges is the
// relay's business; this client asks, before it says anything more, and goes no further where the answer is no.

import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

export interface Presented {
  /** The server's own certificate first, then its issuer, and so on as far as they are known; empty: none. */
  readonly chain: readonly X509Certificate[];
  /** What is wrong with the chain for the authorities of the connection, by OpenSSL's name; null: nothing. Names are not
   * looked at. */
  readonly problem: string | null;
}

/** What can be wrong with a certificate, by the names of RFC 8460 §4.3.2. */
export type CertificateProblem = 'certificate-expired' | 'certificate-host-mismatch' | 'certificate-not-trusted';

/** `authenticated`: the server is who it should be, and who says so; `tolerated`: it is not, which is only reported;
 * `refused`: it is not, and nothing is to be said to it. `text` is for people. */
export type CertificateVerdict =
  | { readonly kind: 'authenticated'; readonly by: 'dane-ee' | 'dane-ta' | 'authorities' }
  | { readonly kind: 'tolerated' | 'refused'; readonly problem: CertificateProblem; readonly text: string };

export type Judge = (presented: Presented) => CertificateVerdict;

/** Certificates that are looked at. */
const DEPTH = 10;

/** Of a socket whose handshake is done. */
export function presentedBy(socket: TLSSocket): Presented {
  const chain: X509Certificate[] = [];
  for (let next = socket.getPeerX509Certificate(); next !== undefined && chain.length < DEPTH; ) {
    const above: X509Certificate | undefined = next.issuerCertificate;
    chain.push(next);
    // A root is its own issuer.
    next = above === undefined || above.fingerprint256 === next.fingerprint256 ? undefined : above;
  }
  // The typings promise an Error; it is the code of one, as text.
  const problem: unknown = socket.authorizationError;
  return { chain, problem: socket.authorized || problem == null ? null : String(problem) };
}
