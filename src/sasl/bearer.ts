// OAUTHBEARER (RFC 7628) and XOAUTH2 (Google's and Microsoft's, older and still what most programs speak) as a server: the
// client shows a token of OAuth 2.0, which somebody else has issued and the directory checks. What it is told on failure is
// JSON, which it acknowledges before the exchange fails (RFC 7628 §3.2.3).

import { parseSaslname } from '../formats/scram.ts';
import {
  decodeText,
  type Exchange,
  type Mechanism,
  refused,
  type Step,
  type Surroundings,
  type TokenDesk,
  type TokenRefusal,
} from './mechanism.ts';

/** Octets of a client's message: what 16 KiB of base64 hold. */
const MESSAGE_MAX = 12_288;

/** RFC 6750 §2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" */
const CREDENTIALS = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** What a client says: whom it speaks for (null: whoever the token names), and its token (null: none yet, which asks where
 * to get one). */
interface Shown {
  readonly username: string | null;
  readonly token: string | null;
}

interface Dialect {
  readonly name: string;
  /** A string is why it is refused. */
  read(message: string): Shown | string;
  failure(error: TokenRefusal['error'], desk: TokenDesk): object;
}

/**
 * client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep; kvpair = key "=" value kvsep; kvsep = %x01; key = 1*(ALPHA)
 * value = *(VCHAR / SP / HTAB / CR / LF)
 */
function readOauthbearer(message: string): Shown | string {
  const match = /^[ny],(?:a=([^,\x01]+))?,\x01((?:[A-Za-z]+=[\t\n\r\x20-\x7e]*\x01)*)\x01$/u.exec(message);
  if (match === null) return 'no client-resp';
  const [, acting, pairs = ''] = match;
  const username = acting === undefined ? null : parseSaslname(acting);
  if (username === undefined || username === '') return 'no name';
  // RFC 7628 §3.1: what key is not known is ignored; this one is required, and a second one says something else. Wider than
  // §3.2: host and port are ignored, too. By which name, and which port in front of it, it was reached, a server does not know.
  const shown = pairs.split('\x01').filter((pair) => pair.startsWith('auth='));
  const [auth] = shown;
  if (auth === undefined || shown.length > 1) return 'auth must stand there once';
  if (auth === 'auth=') return { username, token: null };
  const token = CREDENTIALS.exec(auth.slice('auth='.length))?.[1];
  return token === undefined ? 'no bearer token' : { username, token };
}

/** "user=" name ^A "auth=Bearer " token ^A ^A */
function readXoauth2(message: string): Shown | string {
  const [, username, auth] = /^user=([^\x01]+)\x01auth=([^\x01]*)\x01\x01$/.exec(message) ?? [];
  if (username === undefined || auth === undefined) return 'no user and auth';
  const token = CREDENTIALS.exec(auth)?.[1];
  return token === undefined ? 'no bearer token' : { username, token };
}

/** RFC 7628 §3.2.2 */
function oauthbearerFailure(status: string, { scope, configuration }: TokenDesk): object {
  return { status, ...(scope === null ? {} : { scope }), 'openid-configuration': configuration };
}

function xoauth2Failure(error: TokenRefusal['error'], { scope }: TokenDesk): object {
  const status = error === 'insufficient_scope' ? '403' : '401';
  return { status, schemes: 'bearer', ...(scope === null ? {} : { scope }) };
}

function bearer(dialect: Dialect): Mechanism {
  return {
    name: dialect.name,
    offered: ({ tokens }) => tokens !== null,
    start: (surroundings) => exchange(dialect, surroundings),
  };
}

export const oauthbearer = bearer({ name: 'OAUTHBEARER', read: readOauthbearer, failure: oauthbearerFailure });
export const xoauth2 = bearer({ name: 'XOAUTH2', read: readXoauth2, failure: xoauth2Failure });

function exchange({ name, read, failure }: Dialect, { tokens }: Surroundings): Exchange {
  let failed: string | null = null;
  return {
    async step(response): Promise<Step> {
      // RFC 7628 §3.2.3: the client answers the failure with %x01, or with nothing in XOAUTH2; whatever it is, that was all.
      if (failed !== null) return refused(`${name}: ${failed}`);
      if (response === null) return { kind: 'challenge', challenge: Buffer.alloc(0) };
      const message = decodeText(response, MESSAGE_MAX);
      const shown = message === undefined ? 'no text' : read(message);
      if (typeof shown === 'string') return refused(`${name}: ${shown}`);
      if (tokens === null) return refused(`${name}: not to be had`);
      const { username, token } = shown;
      const verdict: Awaited<ReturnType<TokenDesk['check']>> =
        token === null
          ? { kind: 'refused', error: 'invalid_token', reason: 'no token yet' }
          : await tokens.check(token, username);
      if (verdict.kind === 'account') {
        return { kind: 'claim', claim: { kind: 'account', mechanism: name, account: verdict.account } };
      }
      failed = verdict.reason;
      return { kind: 'challenge', challenge: Buffer.from(JSON.stringify(failure(verdict.error, tokens))) };
    },
  };
}
