// TLS as this client offers it: anything that encrypts where the alternative is cleartext (RFC 7435 §3), and today's
// floor where it must be known who the server is (RFC 8314 §4, RFC 8996).

import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

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
 * @param authorities PEM; absent: whom this machine trusts
 */
export function clientContexts(authorities?: readonly string[]): ClientContexts {
  const made = new Map<string, SecureContext>();
  let known: { readonly ca?: string[] } | undefined = authorities === undefined ? undefined : { ca: [...authorities] };
  return (wish) => {
    const key = `${wish.floor} ${wish.authorities}`;
    let context = made.get(key);
    if (context === undefined) {
      if (wish.authorities) known ??= machineAuthorities();
      context = createSecureContext({ ...FLOORS[wish.floor], ...(wish.authorities ? known : { ca: [] }) });
      made.set(key, context);
    }
    return context;
  };
}

/** Node's own authorities, NODE_EXTRA_CA_CERTS, and those of the system. Without `ca` Node takes a store of the first two
 * that is there already, which costs nothing; mostly it has them all. */
function machineAuthorities(): { readonly ca?: string[] } {
  const own = getCACertificates('default');
  const known = new Set(own);
  const more = getCACertificates('system').filter((one) => !known.has(one));
  return more.length === 0 ? {} : { ca: [...own, ...more] };
}
