// Handing a report over by HTTPS (RFC 8460 §5.4): one POST, bounded in time. Of the answer only the status counts.

import type { Clock } from '../../platform/clock.ts';
import { DnsFailure } from '../../platform/dns.ts';
import type { ClientContexts } from '../../smtp/client/secure-context.ts';
import { ask, type WebHosts, webAddresses } from '../security/web-request.ts';

export type Posted = { readonly kind: 'taken' } | { readonly kind: 'failed'; readonly text: string };

export type TlsReportPoster = (url: string, report: Uint8Array, signal: AbortSignal) => Promise<Posted>;

export interface PosterOptions extends WebHosts {
  readonly clock: Clock;
  readonly contexts: ClientContexts;
}

/** ms for one try, the upload of a report included. */
const TIMEOUT = 60_000;

/** Makes the function that hands over a report (JSON, by gzip). It never rejects for what the other side does. */
export function createTlsReportPoster(options: PosterOptions): TlsReportPoster {
  return async (url, report, signal) => {
    const { hostname } = new URL(url);
    // An IPv6 address stands in brackets there.
    const host = hostname.replace(/^\[|\]$/g, '');
    let text = `${host} has no address that may be called`;
    try {
      for (const address of await webAddresses(options, host)) {
        const tried = await post(options, url, { host, address, report, signal });
        // Who has heard it is not told again at another address of theirs.
        if (tried.kind === 'taken' || tried.answered) return tried;
        text = tried.text;
      }
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error;
      text = error.message;
    }
    return { kind: 'failed', text };
  };
}

interface Tried {
  readonly host: string;
  readonly address: string;
  readonly report: Uint8Array;
  readonly signal: AbortSignal;
}

async function post(
  { clock, contexts }: PosterOptions,
  url: string,
  { host, address, report, signal }: Tried,
): Promise<
  { readonly kind: 'taken' } | { readonly kind: 'failed'; readonly text: string; readonly answered: boolean }
> {
  const { host: authority, port, pathname, search } = new URL(url);
  const patience = new AbortController();
  const cancel = clock.after(TIMEOUT, () => patience.abort());
  try {
    // RFC 8460 §3 would let us go on with any certificate; who asks for HTTPS gets what it promises.
    const response = await ask({
      host,
      address,
      port: port === '' ? 443 : Number(port),
      path: `${pathname}${search}`,
      method: 'POST',
      headers: { Host: authority, 'Content-Type': 'application/tlsrpt+gzip', 'Content-Length': report.length },
      body: report,
      secureContext: contexts({ floor: 'strict', authorities: true }),
      signal: AbortSignal.any([signal, patience.signal]),
    });
    const { statusCode = 0 } = response;
    response.destroy();
    if (statusCode >= 200 && statusCode < 300) return { kind: 'taken' };
    return { kind: 'failed', text: `${host} answers ${statusCode}`, answered: true };
  } catch (error) {
    const { message } = error as Error; // what sockets, TLS and HTTP throw
    const text = patience.signal.aborted ? `${host} does not answer in time` : `${host}: ${message}`;
    return { kind: 'failed', text, answered: false };
  } finally {
    cancel();
  }
}
