// Tokens of any kind, shown to their issuer, who says what they are worth (RFC 7662).

import type { OauthConfig } from '../../config/config.ts';
import { readBounded } from '../../platform/bounded-file.ts';
import { WebFailure, webJson } from '../../platform/web-json.ts';
import { AuthenticationFailure } from '../directory.ts';
import { CLOCK_SKEW, type Claims, isFor, judge, refusedToken } from './claims.ts';
import type { IssuerOptions, Said } from './issuer.ts';

/** Octets of an answer, and of a file with a secret. */
const ANSWER_MAX = 64 * 1024;
const SECRET_MAX = 64 * 1024;
const SECOND = 1_000;

export function createIntrospection(
  config: OauthConfig,
  source: Extract<OauthConfig['source'], { kind: 'introspection' }>,
  { clock, secureContext }: IssuerOptions,
): (token: string) => Promise<Said> {
  return async (token) => {
    const unavailable = (why: string) =>
      new AuthenticationFailure('busy', `the issuer cannot be asked about a token: ${why}`);
    let answer: Claims;
    try {
      answer = await webJson({
        url: source.url,
        method: 'POST',
        // RFC 7662 §2.1
        form: { token, token_type_hint: 'access_token' },
        authorization: basic(source.clientId, await secretOf(source.secret)),
        secureContext: secureContext(),
        clock,
        max: ANSWER_MAX,
      });
    } catch (error) {
      if (error instanceof WebFailure) throw unavailable(error.message);
      throw error;
    }
    return said(answer, config, clock.now() / SECOND);
  };
}

/** RFC 7662 §2.2: all but `active` may be missing, and what is there counts. @param now s since the epoch */
function said(answer: Claims, config: OauthConfig, now: number): Said {
  const { active, exp, nbf, iss } = answer;
  if (active !== true) return refusedToken('the issuer says that the token is not active');
  if (exp !== undefined && !(typeof exp === 'number' && now < exp + CLOCK_SKEW)) return refusedToken('expired');
  if (nbf !== undefined && !(typeof nbf === 'number' && now > nbf - CLOCK_SKEW)) return refusedToken('not valid yet');
  if (iss !== undefined && iss !== config.issuer) return refusedToken('the token is of another issuer');
  if (config.audience !== null && !isFor(config.audience, answer)) return refusedToken('the token is not for us');
  return judge(answer, config);
}

/** RFC 6749 §2.3.1: both are form-encoded before they are put together. */
function basic(id: string, secret: string): string {
  const encoded = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);
  return `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64')}`;
}

/** A file is read at each question, so that a new secret counts at once. @throws WebFailure */
async function secretOf(secret: Extract<OauthConfig['source'], { kind: 'introspection' }>['secret']): Promise<string> {
  if (secret.kind === 'text') return secret.text;
  try {
    const text = (await readBounded(secret.path, SECRET_MAX)).toString('utf8');
    return /^[^\r\n]*/.exec(text)?.[0] ?? '';
  } catch (error) {
    // What the file system throws.
    throw new WebFailure(`${secret.path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
