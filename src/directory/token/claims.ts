// What a token says of itself, whichever way it came to be believed: is it for us, in time, for mail, and for whom?

import type { OauthConfig } from '../../config/config.ts';
import type { Said } from './issuer.ts';

/** Clocks may differ by this much, s. */
export const CLOCK_SKEW = 60;

export type Claims = Readonly<Record<string, unknown>>;

export function refusedToken(reason: string): Said {
  return { kind: 'refused', error: 'invalid_token', reason };
}

/** RFC 7519 §4.1.2, RFC 7662 §2.2: `aud` is a text or a list of texts. */
export function isFor(audience: string, { aud }: Claims): boolean {
  return aud === audience || (Array.isArray(aud) && aud.includes(audience));
}

/** The last of the checks: what the issuer's word is worth here. */
export function judge(claims: Claims, { scope, claim }: OauthConfig): Said {
  // RFC 7800 §3.1: bound to a key that its holder would have to show, which nobody can in SASL.
  if (claims.cnf !== undefined) return refusedToken('the token is bound to a key, and no bearer token');
  const granted = scopesOf(claims);
  if (scope !== null && !scope.split(' ').every((each) => granted.includes(each))) {
    return { kind: 'refused', error: 'insufficient_scope', reason: 'the token lacks the scope' };
  }
  const name = claims[claim];
  if (typeof name !== 'string' || name === '') return refusedToken(`the token has no ${claim}`);
  // OpenID Connect Core §5.1: else it is whatever its user has typed there.
  if (claim === 'email' && claims.email_verified !== undefined && claims.email_verified !== true) {
    return refusedToken('the issuer has not verified the address in the token');
  }
  return { kind: 'good', name };
}

/** RFC 9068 §2.2.3: a text with spaces between; some issuers write a list, or call it `scp`. */
function scopesOf({ scope, scp }: Claims): readonly unknown[] {
  const given = scope ?? scp;
  return typeof given === 'string' ? given.split(' ') : Array.isArray(given) ? given : [];
}
