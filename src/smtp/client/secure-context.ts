// TLS as this client offers it: anything that encrypts where the alternative is cleartext (RFC 7435 §3), and today's
// floor where the certificate counts (RFC 8314 §4).

import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/** Lower bounds of protocol and ciphers by whether the certificate is verified. */
const FLOORS = {
  any: { minVersion: 'TLSv1', ciphers: 'DEFAULT:!aNULL:!eNULL:@SECLEVEL=0' },
  verified: { minVersion: 'TLSv1.2' },
} as const;

/**
 * The two contexts of a relay, each made when it is first needed: reading the authorities takes tens of ms.
 * @param authorities certificates in PEM that are trusted beside the system's; any of them may be the end of a chain
 */
export function clientContexts(authorities: readonly string[] = []): (verify: boolean) => SecureContext {
  let any: SecureContext | undefined;
  let verified: SecureContext | undefined;
  return (verify) => {
    if (!verify) {
      // No authorities: nothing is checked against them.
      any ??= createSecureContext({ ...FLOORS.any, ca: [] });
      return any;
    }
    verified ??= createSecureContext({
      ...FLOORS.verified,
      ...(authorities.length === 0
        ? {}
        : { ca: [...getCACertificates('default'), ...authorities], allowPartialTrustChain: true }),
    });
    return verified;
  };
}
