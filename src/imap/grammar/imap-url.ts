// IMAP URLs of a message or a part of one (RFC 5092 §6), absolute or relative (§7), as values. Pure; what they name in
// the store is message-url.ts's.

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

const WHOLE: Section = { part: [], text: null, fields: [] };

/** imapurl = "imap://" iserver ipath-query; iserver = [iuserinfo "@"] host [":" port]. AUTH= says how a client would log
 * in, and is no matter here. */
const SERVER = /^imap:\/\/(?:([^;@/]*)(?:;AUTH=[^@/]*)?@)?(\[[^\]]*\]|[^:/@]*)(?::\d*)?(?=\/)/i;

/** imessage-part = imailbox-ref iuid [isection] [ipartial], with "/" between; imailbox-ref = enc-mailbox [uidvalidity].
 * More lenient than RFC 5092 §11: the "/" in front of SECTION and PARTIAL may be missing, as in RFC 4469 §4. */
const PATH =
  /^(?:\/([^;]+?)(?:;UIDVALIDITY=([1-9]\d{0,9}))?\/)?;UID=([1-9]\d{0,9})(?:\/?;SECTION=([^;]+?))?(?:\/?;PARTIAL=(\d{1,10})(?:\.([1-9]\d{0,9}))?)?\/?$/i;

/** The URL of a message or a part of it; null: it is none. */
export function messageUrl(text: string): MessageUrl | null {
  if (text.length > LIMIT.url || !/^[\x21-\x7e]*$/.test(text)) return null;
  const server = SERVER.exec(text);
  const path = PATH.exec(text.slice(server?.[0].length ?? 0));
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

/** Percent-encoded UTF-8 (RFC 5092 §9); undefined: it is not. */
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
