// A request over HTTPS to a host that a receiver has named: its addresses come from our own DNS, as those of mail hosts do,
// its certificate is valid for its name, no redirect is followed, nothing is kept open.

import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import type { Dns } from '../../platform/dns.ts';
import { isPrivate } from '../../platform/source.ts';
import { isFor } from './certificate-name.ts';

/** Addresses that are tried. */
const MAX_ADDRESSES = 3;

export interface WebHosts {
  readonly dns: Pick<Dns, 'ipv4' | 'ipv6'>;
  /** May the host be on a loopback or private address? */
  readonly loopback: boolean;
}

/** The addresses of a host that may be called. @throws DnsFailure */
export async function webAddresses({ dns, loopback }: WebHosts, host: string): Promise<readonly string[]> {
  const known = isIP(host) === 0 ? await lookUp(dns, host) : [host];
  return known.filter((address) => loopback || !isPrivate(address)).slice(0, MAX_ADDRESSES);
}

async function lookUp(dns: WebHosts['dns'], host: string): Promise<readonly string[]> {
  const answers = await Promise.allSettled([dns.ipv4(host), dns.ipv6(host)]);
  const [first, second] = answers;
  if (first.status === 'rejected' && second.status === 'rejected') throw first.reason;
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value.records : []));
}

export interface WebRequest {
  /** By which the certificate is checked. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array;
  readonly secureContext: SecureContext;
  /** Ends it, also while the answer is read. */
  readonly signal: AbortSignal;
}

/** The answer, of which the body is still to be read or destroyed. Rejects with what sockets, TLS and HTTP throw. */
export async function ask({ host, address, body, ...rest }: WebRequest): Promise<IncomingMessage> {
  // Loaded at the first request: most mail needs none.
  const { request } = await import('node:https');
  // The typings of node:https do not know that it hands a context on to TLS.
  const options: RequestOptions & Pick<ConnectionOptions, 'secureContext'> = {
    ...rest,
    host: address,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    // RFC 8461 §3.3: subjectAltNames alone, where Node by itself would take a common name or half a wildcard.
    checkServerIdentity: (_name, { raw }) =>
      isFor(new X509Certificate(raw), host, true) ? undefined : new WrongName(`the certificate is not for ${host}`),
    // A connection of its own: nothing is kept open.
    agent: false,
  };
  return await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request(options).once('response', resolve);
    // Also behind the answer, where nobody waits for it any more.
    asked.on('error', reject);
    asked.end(body);
  });
}

class WrongName extends Error {
  override readonly name = 'WrongName';
  /** As Node has it, so that a wrong name is told from a connection that breaks. */
  readonly code = 'ERR_TLS_CERT_ALTNAME_INVALID';
}
