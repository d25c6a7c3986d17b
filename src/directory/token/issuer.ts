// The issuer whose tokens of OAuth 2.0 are taken, as the directory asks it: is this token good here, and for whom?

import type { SecureContext } from 'node:tls';
import type { Clock } from '../../platform/clock.ts';
import type { TokenVerdict } from '../directory.ts';

/** A token that is good, and the name of whom it is for, as the configured claim has it. */
export type Said = { readonly kind: 'good'; readonly name: string } | Extract<TokenVerdict, { kind: 'refused' }>;

export interface TokenIssuer {
  readonly scope: string | null;
  /** URL of the issuer's metadata (RFC 8414 §3), at the place that OpenID Connect gives it. */
  readonly configuration: string;
  /** @throws AuthenticationFailure `busy` where the issuer cannot be asked */
  check(token: string): Promise<Said>;
}

export interface IssuerOptions {
  readonly clock: Clock;
  /** Whom we trust to be the issuer's host. */
  readonly secureContext: () => SecureContext;
}
