// The setting relay.smarthost: who takes mail for others, and how the way there is protected, as URLs, best first.

import { isIP } from 'node:net';
import { normalizeDomain } from '../formats/address.ts';
import type { SmarthostConfig } from './config.ts';
import { isNone, listOf, setting, textOf, Unfit } from './values.ts';

/** So many hosts are tried for one message (mta/relay.ts). */
const MAX_SMARTHOSTS = 8;
/** Octets of a user or password. */
const MAX_SECRET = 1_024;

/**
 * Smarthosts as URLs. `smtps` is implicit TLS, `smtp` demands STARTTLS, both with the certificate checked; `?verify=no`
 * takes any, and `?tls=` says otherwise.
 */
export const smarthosts = () =>
  setting('list', (input) => {
    if (isNone(input)) return [];
    const urls = listOf(input, 'one smarthost');
    if (urls.length > MAX_SMARTHOSTS) throw new Unfit(`can have at most ${MAX_SMARTHOSTS} smarthosts`);
    return urls.map(smarthostOf);
  });

function smarthostOf(input: unknown): SmarthostConfig {
  const value = textOf(input, 'a URL such as "smtps://user:secret@smtp.example.net:465"');
  const url = URL.parse(value);
  const implicit = url?.protocol === 'smtps:';
  // A "#", "/" or "?" of a password ends the host for a URL, so that what stands before it would be the host.
  const whole = url !== null && !value.includes('#') && url.pathname.length <= 1 && url.port !== '0';
  if (!whole || !(implicit || url.protocol === 'smtp:') || url.hostname === '') {
    throw new Unfit(
      'must be a URL such as "smtps://user:secret@smtp.example.net:465" or "smtp://…:587", or a list of them; ' +
        'write "%23" for "#", "%2F" for "/", "%3F" for "?" and, in a variable, "%2C" for "," in a password',
    );
  }
  if ((url.username === '') !== (url.password === '')) {
    throw new Unfit(
      'must have both a user and a password, "smtps://user:secret@…", or neither, and [[relay.credentials]]',
    );
  }
  const named = url.username !== '';
  const tls = tlsOf(url, implicit);
  if (named && !encrypts(tls)) {
    throw new Unfit('would send a password in clear: use smtps://, or smtp:// without ?tls=');
  }
  const name = decoded(url.hostname.replace(/^\[|\]$/g, ''));
  const host = isIP(name) === 0 ? normalizeDomain(name) : name;
  if (host === '') throw new Unfit('must name a host after the "@", such as "smtps://user:secret@smtp.example.net"');
  const secret = { kind: 'password', text: decoded(url.password) } as const;
  return {
    host,
    port: url.port === '' ? (implicit ? 465 : 587) : Number(url.port),
    tls,
    login: named ? { user: decoded(url.username), mechanism: null, secret } : null,
  };
}

/** Does this rung never go on in clear? */
export function encrypts(tls: SmarthostConfig['tls']): boolean {
  return tls !== 'none' && tls !== 'opportunistic';
}

/** `?tls=opportunistic|required|verified|none` for smtp, `?verify=no` for both. */
function tlsOf({ searchParams }: URL, implicit: boolean): SmarthostConfig['tls'] {
  const asked = searchParams.get('tls');
  const choices = ['opportunistic', 'required', 'verified', 'none'] as const;
  const explicit = choices.find((choice) => choice === asked);
  if (asked !== null && (implicit || explicit === undefined)) {
    throw new Unfit(`takes ?tls=${choices.join('|')} with smtp:// only`);
  }
  const verify = searchParams.get('verify');
  const others = [...searchParams.keys()].some((key) => key !== 'tls' && key !== 'verify');
  if (others || (verify !== null && (verify !== 'no' || explicit !== undefined))) {
    throw new Unfit('takes ?verify=no, which accepts any certificate, or ?tls=, and nothing else behind the host');
  }
  if (implicit) return verify === null ? 'implicit' : 'implicit-unverified';
  return explicit ?? (verify === null ? 'verified' : 'required');
}

function decoded(part: string): string {
  try {
    const text = decodeURIComponent(part);
    if (!text.includes('\0') && Buffer.byteLength(text) <= MAX_SECRET) return text;
  } catch {
    throw new Unfit('has a "%" in its user or password that starts no %XX: write "%25" for the sign itself');
  }
  throw new Unfit(`has a user or password with a NUL, or of over ${MAX_SECRET} octets`);
}

/** A host, `*.example.net` for those under a domain, or `*` for all. */
export const hostPattern = () =>
  setting('text', (input) => {
    const value = textOf(input, 'a host of relay.smarthost, or "*.example.net"');
    if (value === '*' || isIP(value) !== 0) return value;
    const wild = value.startsWith('*.');
    const name = normalizeDomain(wild ? value.slice(2) : value);
    if (name === '' || name.startsWith('[')) {
      throw new Unfit('must be a host of relay.smarthost such as "smtp.example.net", or "*.example.net", or "*"');
    }
    return wild ? `*.${name}` : name;
  });

/** Is the host one that the pattern means? */
export function fitsPattern(host: string, pattern: string): boolean {
  if (pattern === '*' || pattern === host) return true;
  return pattern.startsWith('*.') && isIP(host) === 0 && host.endsWith(pattern.slice(1));
}
