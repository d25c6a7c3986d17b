// Tokens that are JWTs (RFC 7519, RFC 9068), checked here by the issuer's public keys. The library does the cryptography; it
// is loaded with the first token.

import type { JWTVerifyGetKey, JWTVerifyOptions } from 'jose';
import type { OauthConfig } from '../../config/config.ts';
import { CLOCK_SKEW, judge, refusedToken } from './claims.ts';
import type { IssuerOptions, Said } from './issuer.ts';
import { KeySet } from './key-set.ts';

/** RFC 8725 §3.1: signatures by public keys only; never `none`, and no MAC, which whoever can check it can make. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** RFC 8725 §3.11: no token that was made for something else. RFC 9068 §2.1 wants the first; many issuers write the second,
 * or nothing. */
const TYPES: readonly (string | undefined)[] = ['at+jwt', 'application/at+jwt', 'jwt', undefined];

/** Keys that are tried for a token which does not name its own. */
const KEYS_TRIED = 8;

export function createKeyCheck(
  config: OauthConfig,
  url: string,
  { clock, secureContext }: IssuerOptions,
): (token: string) => Promise<Said> {
  const keys = new KeySet({ url, clock, secureContext });
  return async (token) => {
    const { errors, jwtVerify } = await import('jose');
    const options: JWTVerifyOptions = {
      algorithms: ALGORITHMS,
      issuer: config.issuer,
      ...(config.audience === null ? {} : { audience: config.audience }),
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_SKEW,
      currentDate: new Date(clock.now()),
    };
    try {
      const getKey: JWTVerifyGetKey = (header, jws) => keys.keyFor(header, jws);
      const { payload, protectedHeader } = await jwtVerify(token, getKey, options).catch(async (error: unknown) => {
        if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
        let tried = 0;
        for await (const key of error) {
          if (++tried > KEYS_TRIED) break;
          const verified = await jwtVerify(token, key, options).catch((wrong: unknown) => {
            if (!(wrong instanceof errors.JWSSignatureVerificationFailed)) throw wrong;
          });
          if (verified) return verified;
        }
        throw new errors.JWSSignatureVerificationFailed();
      });
      if (!TYPES.includes(protectedHeader.typ?.toLowerCase())) return refusedToken('a JWT, but no access token');
      return judge(payload, config);
    } catch (error) {
      // The library's codes tell what was wrong; its texts may quote the token.
      if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
        return refusedToken(`${error.claim} of the token: ${error.code}`);
      }
      if (error instanceof errors.JOSEError) return refusedToken(error.code);
      throw error;
    }
  };
}
