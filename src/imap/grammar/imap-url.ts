// IMAP URLs of a message or a part of one (RFC 5092 §6), absolute or relative (§7), as values. Pure; what they name in
// the store is message-url.ts's. Wider than §7.2: what begins with ";UID=" is of the selected mailbox, as the RFC's own example
// (§9.1) and RFC 4469 §3 have it.

import { ImapRefusal } from '../completion.ts';
import { LIMIT } from '../limits.ts';
import { type Section, sectionSpec } from './fetch-items.ts';
import { storedName } from './mailbox-name.ts';
import { Scanner } from './scanner.ts';

export interface MessageUrl {
  /** null: the server and the user that the session has. */
  readonly server: { readonly user: string | null; readonly host: string } | null;
  /** As the store has it; null: the mailbox that is selected. */
  readonly mailbox: string | null;
  readonly uidValidity: number | null;
  readonly uid: number;
  /** All of the message where there is none. */
  readonly section: Section;
  /** `length` null: up to the end. */
  readonly partial: { readonly offset: number; readonly length: number | null } | null;
}

/** The only mechanism: how it signs is this server's own business (RFC 4467 §2.4). */
export const INTERNAL = 'INTERNAL';

/** A URL that carries its authorization (RFC 4467 §3, RFC 5092 §6.1): what is signed, and how. */
export interface AuthorizedUrl {
  /** The URL up to the access identifier: what the token vouches for. */
  readonly rump: string;
  readonly url: MessageUrl;
  /** ms since the epoch; null: for ever. */
  readonly expire: number | null;
  /** Who may use it. */
  readonly access:
    | { readonly kind: 'submit' | 'user'; readonly user: string }
    | { readonly kind: 'authuser' | 'anonymous' };
  /** null: a rump. */
  readonly token: { readonly mechanism: string; readonly text: string } | null;
}

/** [";EXPIRE=" date-time] ";URLAUTH=" access [":" uauth-mechanism ":" enc-urlauth] */
const AUTHORIZATION =
  /^(?:;EXPIRE=([^;]+))?;URLAUTH=((submit|user)\+([^:;]+)|authuser|anonymous)(?::([A-Za-z0-9.-]{1,64}):([0-9A-Fa-f]{32,256}))?$/i;
/** date-time of RFC 3339 §5.6: up to the minute, its seconds, and the zone */
const DATE_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:)(\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:\d\d)$/;

/** The URL, or what it is made of before it is signed; null: it is none. Only whole URLs can be. */
export function authorizedUrl(text: string): AuthorizedUrl | null {
  const at = text.search(/(?:;EXPIRE=[^;]*)?;URLAUTH=/i);
  const url = at < 0 ? null : messageUrl(text.slice(0, at));
  const found = AUTHORIZATION.exec(text.slice(Math.max(0, at)));
  if (text.length > LIMIT.url || !/^imap:/i.test(text) || !url?.server?.user || !found) return null;
  const [all, date, access = '', kind, encoded, mechanism, token] = found;
  const expire = date === undefined ? null : moment(date);
  const user = encoded === undefined ? '' : decoded(encoded);
  if (user === undefined || Number.isNaN(expire)) return null;
  const signed = mechanism === undefined || token === undefined ? null : { mechanism, text: token };
  const length = signed ? signed.mechanism.length + signed.text.length + 2 : 0;
  return {
    rump: text.slice(0, at + all.length - length),
    url,
    expire,
    access:
      kind === undefined
        ? { kind: access.toLowerCase() === 'authuser' ? 'authuser' : 'anonymous' }
        : { kind: kind.toLowerCase() === 'user' ? 'user' : 'submit', user: user.toLowerCase() },
    token: signed && { mechanism: signed.mechanism.toUpperCase(), text: signed.text.toLowerCase() },
  };
}

/** ms since the epoch; NaN: it is no date-time. */
function moment(date: string): number {
  // RFC 3339 §5.6 takes its letters in any case, and has a second 60 where one was put in: there is none in this count.
  const [, minute, second, zone] = DATE_TIME.exec(date.toUpperCase()) ?? [];
  if (minute === undefined || second === undefined || zone === undefined) return Number.NaN;
  return Date.parse(`${minute}${second.replace(/^60.*/, '59.999')}${zone}`);
}

const WHOLE: Section = { part: [], text: null, fields: [] };

/** imapurl = "imap://" iserver ipath-query; inetwork-path = "//" iserver ipath-query; iserver = [iuserinfo "@"] host
 * [":" port]. AUTH= says how a client would log in, and is no matter here. */
const SERVER = /^(?:imap:)?\/\/(?:([^;@/]*)(?:;AUTH=[^@/]*)?@)?(\[[^\]]*\]|[^:/@]*)(?::\d*)?(?=\/)/i;

/** imessage-part = imailbox-ref iuid [isection] [ipartial], with "/" between; imailbox-ref = enc-mailbox [uidvalidity].
 * More lenient than RFC 5092 §11: the "/" in front of SECTION and PARTIAL may be missing, as in an example of RFC 4469. */
const PATH =
  /^(?:\/([^;]+?)(?:;UIDVALIDITY=([1-9]\d{0,9}))?\/)?;UID=([1-9]\d{0,9})(?:\/?;SECTION=([^;]+?))?(?:\/?;PARTIAL=(\d{1,10})(?:\.([1-9]\d{0,9}))?)?\/?$/i;

/** The URL of a message or a part of it; null: it is none. */
export function messageUrl(text: string): MessageUrl | null {
  if (text.length > LIMIT.url || !/^[\x21-\x7e]*$/.test(text)) return null;
  const server = SERVER.exec(text);
  const path = PATH.exec(withoutDotSegments(text.slice(server?.[0].length ?? 0)));
  if (!path) return null;
  const [, mailbox, uidValidity, uid, section, offset, length] = path;
  const name = mailbox === undefined ? null : decoded(mailbox);
  const user = server?.[1] === undefined ? null : decoded(server[1]);
  const chosen = section === undefined ? WHOLE : sectionNamed(decoded(section));
  if (name === undefined || user === undefined || !chosen) return null;
  if (server && name === null) return null;
  return {
    server: server ? { user: user === '' ? null : user, host: (server[2] ?? '').toLowerCase() } : null,
    mailbox: name === null ? null : storedName(name),
    uidValidity: uidValidity === undefined ? null : Number(uidValidity),
    uid: Number(uid),
    section: chosen,
    partial: offset === undefined ? null : { offset: Number(offset), length: length ? Number(length) : null },
  };
}

/** RFC 3986 §5.2.4, for paths from a root; names of mailboxes that look so are percent-encoded (RFC 5092 §7). */
function withoutDotSegments(path: string): string {
  if (!path.startsWith('/') || !path.includes('/.')) return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..' && kept.length > 1) kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
  }
  return kept.join('/');
}

/** Percent-encoded UTF-8 (RFC 5092 §8); undefined: it is not. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** enc-section: a section-spec as FETCH has it. */
function sectionNamed(text: string | undefined): Section | null {
  // A literal cannot stand in a URL.
  if (text === undefined || /[^\x20-\x7a|}~]/.test(text)) return null;
  const scanner = new Scanner(Buffer.from(text, 'latin1'));
  try {
    const spec = scanner.peekWord();
    if (spec !== '') scanner.word('a section');
    const section = sectionSpec(spec, scanner);
    scanner.end();
    return section;
  } catch (error) {
    if (error instanceof ImapRefusal) return null;
    throw error;
  }
}
