// TLS as this client offers it: anything that encrypts where the alternative is cleartext (RFC 7435 §3), and today's
// floor where it must be known who the server is (RFC 8314 §4, RFC 8996).

import { createSecureContext, getCACertificates, type SecureContext, type SecureContextOptions } from 'node:tls';

/** Lower bounds of protocol and ciphers. */
const FLOORS = {
  any: { minVersion: 'TLSv1', ciphers: 'DEFAULT:!aNULL:!eNULL:@SECLEVEL=0' },
  strict: { minVersion: 'TLSv1.2' },
} as const;

export interface ContextWish {
  readonly floor: keyof typeof FLOORS;
  /** Are certificates to be checked against the authorities of this machine? */
  readonly authorities: boolean;
}

export type ClientContexts = (wish: ContextWish) => SecureContext;

/**
 * The contexts of a relay, each made when it is first needed, and for all who need it: to find out whom this machine
 * trusts takes some hundred ms.
 * @param authorities certificates in PEM that are trusted beside the machine's; any of them may be the end of a chain
 */
export function clientContexts(authorities: readonly string[] = []): ClientContexts {
  const made = new Map<string, SecureContext>();
  let known: Trust | undefined;
  return (wish) => {
    const key = `${wish.floor} ${wish.authorities}`;
    let context = made.get(key);
    if (context === undefined) {
      if (wish.authorities) known ??= trust(authorities);
      context = createSecureContext({ ...FLOORS[wish.floor], ...(wish.authorities ? known : { ca: [] }) });
      made.set(key, context);
    }
    return context;
  };
}

/** Node's own authorities, NODE_EXTRA_CA_CERTS, and those of the system. Without `ca` Node takes a store of the first two
 * that is there already, which costs nothing; mostly it has them all. */
function trust(authorities: readonly string[]): Trust {
  const own = getCACertificates('default');
  const known = new Set(own);
  const more = [...getCACertificates('system'), ...authorities].filter((one) => !known.has(one));
  return more.length === 0 ? {} : { ca: [...own, ...more], allowPartialTrustChain: authorities.length > 0 };
}

type Trust = Pick<SecureContextOptions, 'ca' | 'allowPartialTrustChain'>;
