// What an IMAP URL names in the store (RFC 5092 §6), for those who may read it: CATENATE and its kin (RFC 4469). Octets
// come in bounded pieces, and no message is marked as seen.

import { isLoopback } from '../platform/source.ts';
import { readOctets } from '../store/message-octets.ts';
import type { MessageRow, Uid } from '../store/rows.ts';
import { mailboxNamed, mailboxSeen, type SeenMailbox, type User } from './access.ts';
import type { Session } from './commands/command.ts';
import { chosenFields, cut, rangeOf } from './commands/fetch-response.ts';
import { type ImapRefusal, no } from './completion.ts';
import { type MessageUrl, messageUrl } from './grammar/imap-url.ts';
import { LIMIT } from './limits.ts';
import { Summary } from './render/summary.ts';
import { allows } from './rights.ts';
import type { SelectedMailbox } from './selected-mailbox.ts';

/** Octets that a URL names. */
export interface NamedOctets {
  readonly size: number;
  /** Each piece may be empty, and is short only if the message is gone. */
  pieces(): AsyncGenerator<Uint8Array, void>;
}

/** A message that a URL names, and its summary if there was a need of it. */
export interface NamedMessage {
  readonly row: MessageRow;
  readonly summary: Summary | null;
}

/** RFC 4469 §4.1: BADURL, with the URL as it came. url-resp-text = 1*<any TEXT-CHAR except "]"> */
export function badUrl(url: string): ImapRefusal {
  const shown = url.slice(0, LIMIT.url).replace(/[^\x20-\x7e]|["\\\]]/g, (char) => encodeURIComponent(char));
  return no('That URL leads to nothing', `BADURL "${shown}"`);
}

/** Finds what a URL names, for the user of this session. @throws ImapRefusal NO [BADURL] */
export async function octetsAt(session: Session, text: string): Promise<NamedOctets> {
  const url = messageUrl(text);
  if (!url || (url.server && !(await isHere(session, url.server)))) throw badUrl(text);
  const message = await messageOf(session, url, session.state === 'selected' ? session.mailbox : null);
  const named = message && (await namedOctets(session, message, url));
  if (!named) throw badUrl(text);
  return named;
}

/** The mailbox that a URL names; null: there is none that this user may read. */
export async function mailboxAt(
  user: User,
  url: MessageUrl,
  selected: SelectedMailbox | null,
): Promise<SeenMailbox | null> {
  const mailbox =
    url.mailbox === null ? selected && (await mailboxSeen(user, selected.id)) : await mailboxNamed(user, url.mailbox);
  return mailbox?.selectable && allows(mailbox.rights, 'read') ? mailbox : null;
}

/** The message that a URL names; null: there is none that this user may fetch. */
async function messageAt(user: User, url: MessageUrl, selected: SelectedMailbox | null): Promise<MessageRow | null> {
  const { read } = user.store;
  const mailbox = await mailboxAt(user, url, selected);
  if (!mailbox) return null;
  if (url.uidValidity !== null && url.uidValidity !== mailbox.uidValidity) return null;
  const uid = url.uid as Uid; // as a client says it
  const [row] = (await read.messages(mailbox.id, [uid])).rows;
  // As FETCH has it: what another session has expunged is there until this one has been told.
  const told = row?.expunged && !(selected?.id === mailbox.id && selected.view.sequenceOf(uid) > 0);
  return row && !told ? row : null;
}

/** The message that a URL names, to the user whose URL it is, with its summary where the URL names a part of it, or
 * where that is `wanted`; null: there is nothing that this user may fetch. */
export async function messageOf(
  user: User,
  url: MessageUrl,
  selected: SelectedMailbox | null,
  wanted = false,
): Promise<NamedMessage | null> {
  const row = await messageAt(user, url, selected);
  if (!row || (!wanted && url.section.part.length === 0)) return row && { row, summary: null };
  const blob = (await user.store.read.summaries([row.body])).get(row.body);
  return blob ? { row, summary: new Summary(blob) } : null;
}

type Server = NonNullable<MessageUrl['server']>;

/** What a client on this machine may call it. */
const HERE: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Is it this server, by a name that clients have for it: its own, that of a domain whose mail it holds, or "here"? */
export function isOurs({ hostname, directory, remoteAddress }: Session, { host }: Server): boolean {
  if (host === hostname.toLowerCase() || directory.isLocalDomain(host)) return true;
  return HERE.has(host) && isLoopback(remoteAddress);
}

/** The address of a user in a URL. One without a domain is of the host, or of the first domain, as at a login. */
export function addressOf({ directory }: Session, user: string, { host }: Server): string {
  if (user.includes('@')) return user.toLowerCase();
  return `${user.toLowerCase()}@${directory.isLocalDomain(host) ? host : directory.firstDomain}`;
}

/** Is it this server, and this user? */
export async function isHere(session: Session, server: Server): Promise<boolean> {
  if (!isOurs(session, server)) return false;
  return server.user === null || isUser(session, server.user, server);
}

/** Is it the user of this session, by any of his addresses? */
export async function isUser(session: Session, user: string, server: Server): Promise<boolean> {
  return (await session.store.read.accountNamed(addressOf(session, user, server)))?.id === session.account;
}

/** The octets that a URL wants of its section; null: all. */
export function partialOf({ partial }: MessageUrl): { readonly offset: number; readonly length: number } | null {
  return partial && { ...partial, length: partial.length ?? Number.POSITIVE_INFINITY };
}

/** The octets of the section, or of the part of it; null: the message has no such section. */
export async function namedOctets(
  reading: Pick<Session, 'store' | 'turn'>,
  { row, summary }: NamedMessage,
  url: MessageUrl,
): Promise<NamedOctets | null> {
  const { section } = url;
  const range = rangeOf(row, summary, section);
  if (!range) return null;
  const partial = partialOf(url);
  const { store, turn } = reading;
  if (range.filtered) {
    const octets = await chosenFields(reading, row, range, { section, partial });
    return {
      size: octets.length,
      async *pieces() {
        yield octets;
      },
    };
  }
  const [from, to] = cut(range.from, range.to, partial);
  return {
    size: to - from,
    async *pieces() {
      for (let at = from; at < to; ) {
        const piece = await readOctets(store.read, row, at, to);
        if (piece.length === 0) return;
        at += piece.length;
        turn.spend(piece.length);
        if (turn.over) await turn.pass();
        yield piece;
      }
    },
  };
}
