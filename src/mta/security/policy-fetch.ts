// Fetching an MTA-STS policy (RFC 8461 §3.3): HTTPS to mta-sts.DOMAIN with a certificate that is valid for that name, one
// file, no redirect (web-request.ts), bounded in size and time.

import type { IncomingMessage } from 'node:http';
import type { SecureContext } from 'node:tls';
import type { Clock } from '../../platform/clock.ts';
import { DnsFailure } from '../../platform/dns.ts';
import type { ClientContexts } from '../../smtp/client/secure-context.ts';
import { ask, type WebHosts, webAddresses } from './web-request.ts';

/** Why there is no policy, by the names of RFC 8460 §4.3.2.2. */
export type PolicyFailure = 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid';

export type Fetched =
  | { readonly kind: 'fetched'; readonly text: string }
  | { readonly kind: 'failed'; readonly failure: PolicyFailure; readonly text: string };

export type PolicyFetcher = (domain: string, signal: AbortSignal) => Promise<Fetched>;

export interface FetcherOptions extends WebHosts {
  readonly clock: Clock;
  readonly contexts: ClientContexts;
  /** 443 but for tests. */
  readonly port?: number;
}

/** RFC 8461 §3.3 suggests a minute and 64 KB; mail waits for it, so it is less. */
const TIMEOUT = 15_000;
const MAX_OCTETS = 64 * 1024;

/** Makes the function that fetches policies. It never rejects for what the other side does. */
export function createPolicyFetcher(options: FetcherOptions): PolicyFetcher {
  const { clock, contexts, port = 443 } = options;
  return async (domain, signal) => {
    const host = `mta-sts.${domain}`;
    let last: Fetched = failed('sts-policy-fetch-error', `${host} has no address`);
    try {
      for (const address of await webAddresses(options, host)) {
        const secureContext = contexts({ floor: 'strict', authorities: true });
        last = await get({ host, address, port, secureContext, clock, signal });
        if (last.kind === 'fetched' || last.failure !== 'sts-policy-fetch-error') return last;
      }
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error;
      return failed('sts-policy-fetch-error', error.message);
    }
    return last;
  };
}

interface Request {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly secureContext: SecureContext;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function get({ host, address, port, secureContext, clock, signal }: Request): Promise<Fetched> {
  const patience = new AbortController();
  const cancel = clock.after(TIMEOUT, () => patience.abort());
  try {
    const response = await ask({
      host,
      address,
      port,
      path: '/.well-known/mta-sts.txt',
      method: 'GET',
      headers: { Host: host },
      secureContext,
      signal: AbortSignal.any([signal, patience.signal]),
    });
    return await policyOf(response, host);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException; // what sockets, TLS and HTTP throw
    if (patience.signal.aborted) return failed('sts-policy-fetch-error', `${host} does not answer in time`);
    return failed(isCertificateError(code) ? 'sts-webpki-invalid' : 'sts-policy-fetch-error', `${host}: ${message}`);
  } finally {
    cancel();
  }
}

async function policyOf(response: IncomingMessage, host: string): Promise<Fetched> {
  const { statusCode, headers } = response;
  // RFC 8461 §3.3: redirects are not followed, and nothing but 200 is a policy.
  if (statusCode !== 200) {
    response.destroy();
    return failed('sts-policy-fetch-error', `${host} answers ${statusCode}`);
  }
  if (!/^text\/plain *(;|$)/i.test(headers['content-type'] ?? '')) {
    response.destroy();
    return failed('sts-policy-invalid', `${host} gives no text/plain`);
  }
  const chunks: Buffer[] = [];
  let octets = 0;
  // No encoding is set, so that chunks are buffers.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    octets += chunk.length;
    if (octets > MAX_OCTETS) return failed('sts-policy-invalid', `the policy at ${host} is over ${MAX_OCTETS} octets`);
    chunks.push(chunk);
  }
  return { kind: 'fetched', text: Buffer.concat(chunks, octets).toString('utf8') };
}

/** OpenSSL's names of what can be wrong with a chain, and Node's for the name. */
function isCertificateError(code: string): boolean {
  return /CERT|UNABLE_TO|ISSUER|CRL|SIGNATURE|CA_|PATH_LENGTH|HOSTNAME/.test(code);
}

function failed(failure: PolicyFailure, text: string): Extract<Fetched, { kind: 'failed' }> {
  return { kind: 'failed', failure, text };
}
