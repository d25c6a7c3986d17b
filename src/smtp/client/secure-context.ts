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

/** The authorities that this machine trusts, in PEM: Node's own, NODE_EXTRA_CA_CERTS, and those of the system. */
export function knownAuthorities(): readonly string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}

/**
 * The contexts of a relay, each made when it is first needed: reading the authorities takes tens of ms.
 * @param authorities PEM
 */
export function clientContexts(authorities: () => readonly string[] = knownAuthorities) {
  const made = new Map<string, SecureContext>();
  return (wish: ContextWish): SecureContext => {
    const key = `${wish.floor} ${wish.authorities}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const context = createSecureContext({ ...FLOORS[wish.floor], ca: wish.authorities ? [...authorities()] : [] });
    made.set(key, context);
    return context;
  };
}
