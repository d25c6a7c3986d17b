// The table [oauth] as a checked value: whose tokens are taken, and how they are checked. What must fit together there
// is said with its line.

import type { OauthConfig } from './config.ts';
import type { Complaint, Place } from './place.ts';
import type { Settings } from './schema.ts';
import type { Path } from './toml.ts';

type Oauth = Settings['oauth'];

/** Everything in [oauth] that does not fit together; oauthOf is for settings without complaints. */
export function complaintsOfOauth(oauth: Oauth, at: (path: Path) => Place): readonly Complaint[] {
  const wrong = wrongOauth(oauth);
  return wrong === null ? [] : [{ place: at(['oauth', wrong.key]), text: wrong.text }];
}

function wrongOauth(oauth: Oauth): { readonly key: string; readonly text: string } | null {
  const { issuer, jwks, introspection, audience, client_id, client_secret, client_secret_file } = oauth;
  if (issuer === undefined) {
    const given = Object.entries(oauth).find(([key, value]) => key !== 'claim' && value !== undefined && String(value));
    if (given === undefined) return null;
    return { key: given[0], text: 'tokens need an issuer: write issuer = "https://…", as the tokens have it' };
  }
  if ((jwks === undefined) === (introspection === undefined)) {
    return {
      key: jwks === undefined ? 'issuer' : 'introspection',
      text: "needs one of jwks (the issuer's keys, for tokens that are JWTs) and introspection (where it is asked)",
    };
  }
  if (jwks !== undefined) {
    const idle = (['client_id', 'client_secret', 'client_secret_file'] as const).find(
      (key) => oauth[key] !== undefined,
    );
    if (idle !== undefined) return { key: idle, text: `${idle} is for introspection: keys are public` };
    // RFC 8725 §3.9: else a token for any other service of this issuer would open mailboxes.
    if (audience !== undefined) return null;
    return { key: 'jwks', text: 'needs audience = "…": what the aud of tokens for this server says' };
  }
  if (client_id === undefined || (client_secret === undefined) === (client_secret_file === undefined)) {
    return {
      key: 'introspection',
      text: 'needs client_id and one of client_secret and client_secret_file: issuers tell nobody else (RFC 7662 §2.1)',
    };
  }
  return null;
}

/** Null: no tokens are taken. @param absolute makes a path absolute */
export function oauthOf(oauth: Oauth, absolute: (path: string) => string): OauthConfig | null {
  const { issuer, audience = null, claim, scope = null, ca } = oauth;
  const source = sourceOf(oauth, absolute);
  if (issuer === undefined || source === null) return null;
  return { issuer, source, audience, claim, scope, authorities: ca.map(absolute) };
}

function sourceOf(oauth: Oauth, absolute: (path: string) => string): OauthConfig['source'] | null {
  const { jwks, introspection, client_id: clientId = '', client_secret, client_secret_file } = oauth;
  if (jwks !== undefined) return { kind: 'jwks', url: jwks };
  if (introspection === undefined) return null;
  const secret =
    client_secret_file === undefined
      ? ({ kind: 'text', text: client_secret ?? '' } as const)
      : ({ kind: 'file', path: absolute(client_secret_file) } as const);
  return { kind: 'introspection', url: introspection, clientId, secret };
}
