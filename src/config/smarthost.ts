// The setting relay.smarthost: who takes all mail for others, and how the way there is protected, as one URL.

import { isIP } from 'node:net';
import { normalizeDomain } from '../formats/address.ts';
import { setting, textOf, Unfit } from './values.ts';

/**
 * A smarthost as a URL. `smtps` is implicit TLS, with the certificate checked. `smtp` demands STARTTLS, and checks the
 * certificate where a password goes through it; `?tls=` says otherwise.
 */
export const smarthost = () =>
  setting('text', (input) => {
    const value = textOf(input, 'a URL such as "smtps://user:secret@smtp.example.net:465"');
    const url = URL.parse(value);
    const implicit = url?.protocol === 'smtps:';
    // A "#", "/" or "?" of a password ends the host for a URL, so that what stands before it would be the host.
    const whole = url !== null && !value.includes('#') && url.pathname.length <= 1 && url.port !== '0';
    if (!whole || !(implicit || url.protocol === 'smtp:') || url.hostname === '') {
      throw new Unfit(
        'must be a URL such as "smtps://user:secret@smtp.example.net:465" or "smtp://…:587"; ' +
          'write "%23" for "#", "%2F" for "/" and "%3F" for "?" in a password',
      );
    }
    const asked = url.searchParams.get('tls');
    const choices = ['opportunistic', 'required', 'verified', 'none'] as const;
    const explicit = choices.find((choice) => choice === asked);
    if ([...url.searchParams.keys()].some((key) => key !== 'tls') || (asked !== null && (implicit || !explicit))) {
      throw new Unfit(`takes only ?tls=${choices.join('|')}, and only with smtp://`);
    }
    if ((url.username === '') !== (url.password === '')) {
      throw new Unfit('must have both a user and a password, "smtps://user:secret@…", or neither');
    }
    const named = url.username !== '';
    const tls = implicit ? 'implicit' : (explicit ?? (named ? 'verified' : 'required'));
    if (named && (tls === 'none' || tls === 'opportunistic')) {
      throw new Unfit('would send a password in clear: use smtps://, or smtp:// without ?tls=');
    }
    const name = decoded(url.hostname.replace(/^\[|\]$/g, ''));
    const host = isIP(name) === 0 ? normalizeDomain(name) : name;
    if (host === '') throw new Unfit('must name a host after the "@", such as "smtps://user:secret@smtp.example.net"');
    return {
      host,
      port: url.port === '' ? (implicit ? 465 : 587) : Number(url.port),
      tls,
      user: named ? decoded(url.username) : null,
      password: named ? decoded(url.password) : null,
    } as const;
  });

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Unfit('has a "%" in its user or password that starts no %XX: write "%25" for the sign itself');
  }
}
