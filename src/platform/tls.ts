// TLS as the listeners use it: two floors, the server's side of a handshake on an open socket (implicit TLS and STARTTLS
// alike), and what came of it. Which certificates there are is certificates.ts's business.

import { constants, createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';

/** What is known of the TLS layer of a connection; as `tls.TLSSocket` reports it. */
export interface TlsFacts {
  /** `TLSv1.3` … */
  readonly protocol: string;
  /** Name of RFC 8446 or IANA, such as `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** Key size of the cipher in bits, for the Received field. */
  readonly bits: number;
}

/** `lenient` is port 25's floor (TLS 1.0, any key size), `strict` that of every other port (TLS 1.2, RFC 8314 §4). */
export type TlsFloor = 'lenient' | 'strict';

/** The certificates that are in force. `context` is read at each handshake, so a reload serves the next connection. */
export interface TlsKeeper {
  context(floor: TlsFloor): SecureContext;
  /** Are clients asked for a certificate? They may have none; client-certificate.ts judges what they have. */
  readonly asksClients: boolean;
  /** Reads the files again (SIGHUP). Throws, and keeps what it had, if they are unusable. */
  reload(): Promise<void>;
}

/** A handshake that came to nothing. `message` is for the log: what the peer did, in words where they are known. */
export class TlsFailure extends Error {
  override readonly name = 'TlsFailure';
  /** OpenSSL's or the system's name of it, such as `ERR_SSL_NO_SHARED_CIPHER`; `timeout`, `closed`. */
  readonly code: string;
  constructor(code: string, options?: ErrorOptions) {
    super(EXPLAINED[code] ?? `TLS handshake failed (${code})`, options);
    this.code = code;
  }
}

/** A certificate with its chain, and its key, both in PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** Node leaves TLS 1.3 out of a context whose list names none of its suites. */
const TLS13_SUITES = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';

/** RFC 9325 §4.2: forward secrecy and AEAD only. P-256 comes first: half the cost of RSA. */
const STRONG =
  'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:' +
  'ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256';

/**
 * RFC 7435 §3: on port 25 weak encryption beats none. Security level 0 is what lets OpenSSL 3 sign for TLS 1.0
 * (MD5 with SHA-1); the minimum version alone does not. Suites without a key or a certificate stay out.
 */
const ANY_ENCRYPTION = 'DEFAULT:!aNULL:!eNULL:@SECLEVEL=0';

/** TLS 1.2 clients cannot renegotiate (RFC 9325 §3.5 asks only for the secure kind; nobody in mail needs any). */
const OPTIONS = constants.SSL_OP_NO_RENEGOTIATION;

/** A client's certificate is looked at in each handshake anew: one that was shown earlier may have expired, and what is
 * resumed is not looked at again. */
const NO_RESUMPTION = constants.SSL_OP_NO_TICKET;

/** The context of one floor, with all certificates: OpenSSL picks by what the client can do, in our order.
 * @param authorities in PEM, that may vouch for clients; null: clients are not asked who they are
 * @throws Error of OpenSSL for a certificate or key that it cannot use */
export function makeContext(
  identities: readonly Identity[],
  floor: TlsFloor,
  authorities: readonly string[] | null = null,
): SecureContext {
  return createSecureContext({
    // An authority need not be a root: it is the one that the operator named.
    ...(authorities === null ? {} : { ca: [...authorities], allowPartialTrustChain: true }),
    cert: identities.map(({ certificate }) => certificate),
    key: identities.map(({ key }) => key),
    minVersion: floor === 'lenient' ? 'TLSv1' : 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: `${TLS13_SUITES}:${floor === 'lenient' ? ANY_ENCRYPTION : STRONG}`,
    honorCipherOrder: true,
    secureOptions: authorities === null ? OPTIONS : OPTIONS | NO_RESUMPTION,
    // Session tickets are under a key of this context alone: none outlives a reload or is good on the other floor.
    sessionIdContext: `postern ${floor}${authorities === null ? '' : ' clients'}`,
  });
}

/**
 * Does the server's side of a handshake on an open socket: the `upgrade` of STARTTLS (RFC 3207 §4) and implicit TLS. The
 * caller has let go of the socket (no 'data' listener) and uses only what is returned. Whatever was buffered and
 * unread on `socket` becomes part of the TLS stream, so plaintext pipelined behind STARTTLS must be thrown away first.
 *
 * @param timeoutMs for the whole handshake, ms
 * @param head octets already read from the socket that belong to the handshake
 * @throws TlsFailure; the socket is destroyed then
 */
export function upgrade(
  socket: Socket,
  keeper: TlsKeeper,
  floor: TlsFloor,
  timeoutMs: number,
  head?: Uint8Array,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    if (socket.destroyed) {
      reject(new TlsFailure('closed'));
      return;
    }
    if (head !== undefined && head.length > 0) socket.unshift(head);
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext: keeper.context(floor),
      requestCert: keeper.asksClients,
      rejectUnauthorized: false,
    });
    const fail = (failure: TlsFailure) => {
      clearTimeout(timer);
      secured.destroy();
      socket.destroy();
      reject(failure);
    };
    const timer = setTimeout(() => fail(new TlsFailure('timeout')), timeoutMs);
    // Node reports errors of a server-side TLSSocket that no tls.Server made under this name, and leaves the socket
    // open after those that come when the handshake is over; the listener stays for the connection's whole life.
    secured.on('_tlsError', (error: NodeJS.ErrnoException) => {
      secured.destroy();
      fail(new TlsFailure(error.code ?? 'unknown', { cause: error }));
    });
    const closed = () => fail(new TlsFailure('closed'));
    secured.once('close', closed);
    secured.once('secure', () => {
      clearTimeout(timer);
      secured.off('close', closed);
      resolve(secured);
    });
  });
}

/** What a secured connection uses; the handshake must be done. */
export function tlsFacts(socket: TLSSocket): TlsFacts {
  const cipher = socket.getCipher();
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: cipher?.standardName ?? cipher?.name ?? 'unknown',
    bits: keyBits(cipher?.standardName ?? ''),
  };
}

/** By their names in the IANA registry. */
export type ChannelBinding = 'tls-exporter' | 'tls-unique' | 'tls-server-end-point';

/** RFC 9266 §2; RFC 5705 §4 tells an empty context from none. */
const EXPORTER = { label: 'EXPORTER-Channel-Binding', octets: 32 } as const;

/**
 * What only the two ends of a connection know of it (RFC 5056), for whoever authenticates over it.
 * @param socket either end, but for `tls-exporter` the server's; the handshake must be done
 * @param name `tls-exporter` is null before TLS 1.3, where a man in the middle might have it too (RFC 9266 §4.2), and
 *   `tls-unique` from then on (RFC 9266 §3): it is what the client's Finished holds, which is the first in a handshake that
 *   resumes no session (RFC 5929 §3.1); `tls-server-end-point` is the hash of our certificate (RFC 5929 §4.1)
 *
 * Wider than RFC 9266 §4.1: several exchanges may be bound to one connection, else who mistypes a password would have to
 * connect again. The nonces of SCRAM tell them apart (RFC 5802 §5.1).
 */
export function channelBinding(socket: TLSSocket, name: ChannelBinding): Buffer | null {
  const modern = socket.getProtocol() === 'TLSv1.3';
  if (name === 'tls-exporter')
    return modern ? socket.exportKeyingMaterial(EXPORTER.octets, EXPORTER.label, Buffer.alloc(0)) : null;
  // RFC 7677 §4: nothing is bound to a resumed session whose secret somebody in between might have, which Node does not tell.
  if (!modern && socket.isSessionReused()) return null;
  if (name === 'tls-unique') return modern ? null : (socket.getPeerFinished() ?? null);
  const certificate = socket.getX509Certificate();
  const hash = certificate === undefined ? undefined : signatureHash(certificate.signatureAlgorithm ?? '');
  return certificate === undefined || hash === undefined ? null : createHash(hash).update(certificate.raw).digest();
}

/** RFC 5929 §4.1: the hash of the certificate's signature, SHA-256 instead of MD5 and SHA-1; undefined where the signature
 * has none of its own, as Ed25519. */
function signatureHash(algorithm: string): string | undefined {
  if (/md5|sha-?1(?!\d)/i.test(algorithm)) return 'sha256';
  const size = /sha-?(256|384|512)/i.exec(algorithm)?.[1];
  return size === undefined ? undefined : `sha${size}`;
}

/** Key size by the cipher's name, since Node does not tell it. */
function keyBits(cipher: string): number {
  if (cipher.includes('CHACHA20')) return 256;
  const size = /_(?:AES|CAMELLIA|ARIA)_(128|256)/.exec(cipher)?.[1];
  return size === undefined ? 128 : Number(size);
}

/** What the commonest failures mean, for whoever reads the log. */
const EXPLAINED: Readonly<Record<string, string>> = {
  timeout: 'the client did not finish the TLS handshake in time',
  closed: 'the client closed the connection during the TLS handshake',
  ECONNRESET: 'the client reset the connection during the TLS handshake',
  EPIPE: 'the client closed the connection during the TLS handshake',
  ERR_SSL_NO_SHARED_CIPHER: 'the client and this port have no cipher suite in common',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the client speaks only a TLS version that this port refuses',
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: 'the client speaks only a TLS version that this port refuses',
  ERR_SSL_VERSION_TOO_LOW: 'the client speaks only a TLS version that this port refuses',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "the client does not trust this certificate's issuer",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "the client refuses this port's TLS versions",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'the client refuses the certificate',
  ERR_SSL_SSL_TLS_ALERT_BAD_CERTIFICATE: 'the client refuses the certificate',
  ERR_SSL_SSL_TLS_ALERT_CERTIFICATE_UNKNOWN: 'the client refuses the certificate',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'the client refuses the certificate',
  ERR_SSL_SSL_TLS_ALERT_CERTIFICATE_EXPIRED: 'the client says that the certificate has expired',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'the client says that the certificate has expired',
  ERR_SSL_SSL_TLS_ALERT_HANDSHAKE_FAILURE: 'the client found no common ground for TLS',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'the client found no common ground for TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the client sent something that is not TLS',
  ERR_SSL_HTTP_REQUEST: 'the client sent an HTTP request instead of TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the client sent something that is not TLS',
  ERR_SSL_UNEXPECTED_MESSAGE: 'the client sent a TLS message out of turn',
};
