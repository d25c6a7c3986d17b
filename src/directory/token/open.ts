// The issuer that the configuration names. Either its keys are read and tokens are checked here (RFC 9068), or they are
// shown to it (RFC 7662). Nothing is fetched before the first token.

import type { OauthConfig } from '../../config/config.ts';
import { createIntrospection } from './introspection.ts';
import type { IssuerOptions, TokenIssuer } from './issuer.ts';
import { createKeyCheck } from './key-check.ts';

export function openTokenIssuer(config: OauthConfig, options: IssuerOptions): TokenIssuer {
  const { issuer, scope, source } = config;
  return {
    scope,
    configuration: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    check:
      source.kind === 'jwks'
        ? createKeyCheck(config, source.url, options)
        : createIntrospection(config, source, options),
  };
}
