// GENURLAUTH and RESETKEY (RFC 4467 §7): URLs that carry the right to fetch what they name. A token is an HMAC of the URL by
// a key that its user has for the mailbox; who resets the key takes all such URLs back. urlfetch.ts fetches.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mailboxFor, type User } from '../access.ts';
import { bad, no, ok } from '../completion.ts';
import { type AuthorizedUrl, authorizedUrl, INTERNAL, type MessageUrl } from '../grammar/imap-url.ts';
import { mailbox } from '../grammar/mailbox-name.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { LIMIT } from '../limits.ts';
import { addressOf, isHere, isOurs, isUser, mailboxAt, messageOf, namedOctets } from '../message-url.ts';
import { imapString } from '../render/strings.ts';
import { command, LOGGED_IN, type Session } from './command.ts';

/** Octets of a key: 256 bits, where RFC 4467 §2.2 asks for 128. */
const KEY = 32;
/** In front of a token: how it was made. */
const SHA256 = '01';

function mechanism(scanner: Scanner): void {
  if (scanner.atom('a mechanism').toUpperCase() !== INTERNAL) throw bad('That mechanism is not known');
}

/** 1*(SP item), as many as one command may name. */
export function urls<T>(scanner: Scanner, item: () => T): T[] {
  const items: T[] = [];
  do {
    scanner.space();
    if (items.length >= LIMIT.urls) throw no('These are too many URLs', 'LIMIT');
    items.push(item());
  } while (scanner.peek() !== -1);
  return items;
}

function tokenOf(rump: string, key: Uint8Array): string {
  return SHA256 + createHmac('sha256', key).update(rump, 'latin1').digest('hex');
}

/** A key in memory of its own, as the store takes it. */
function freshKey(): Uint8Array {
  return new Uint8Array(randomBytes(KEY));
}

/** genurlauth = "GENURLAUTH" 1*(SP url-rump SP mechanism). The URLs are those of who asks, and name what can be fetched. */
export const genUrlAuth = command({
  name: 'GENURLAUTH',
  states: LOGGED_IN,
  grammar: (scanner) =>
    urls(scanner, () => {
      const rump = scanner.astring().toString('latin1');
      scanner.space();
      mechanism(scanner);
      return rump;
    }),
  async run(session, rumps) {
    const signed: string[] = [];
    for (const rump of rumps) signed.push(await sign(session, rump));
    session.writer.line(`* GENURLAUTH ${signed.map(imapString).join(' ')}`);
    return ok('Signed');
  },
});

/** @throws ImapRefusal BAD (RFC 4467 §7): it is no rump, or names nothing of this user */
async function sign(session: Session, rump: string): Promise<string> {
  const wanted = authorizedUrl(rump);
  const server = wanted?.url.server;
  if (!wanted || !server || wanted.token || wanted.rump !== rump) throw bad('That is no URL to be signed');
  const own = await isHere(session, server);
  const at = own ? await mailboxAt(session, wanted.url, null) : null;
  const message = at && (await messageOf(session, wanted.url, null));
  if (!at || !message || !(await namedOctets(session, message, wanted.url)))
    throw bad('That URL names nothing of yours');
  const { key } = await session.store.execute({
    kind: 'access-key',
    mailbox: at.id,
    account: session.account,
    fresh: freshKey(),
    renew: false,
  });
  return `${rump}:${INTERNAL.toLowerCase()}:${tokenOf(rump, key)}`;
}

/** resetkey = "RESETKEY" [SP mailbox *(SP mechanism)] */
export const resetKey = command({
  name: 'RESETKEY',
  states: LOGGED_IN,
  grammar(scanner) {
    if (!scanner.accept(' ')) return null;
    const name = mailbox(scanner);
    while (scanner.accept(' ')) mechanism(scanner);
    return name;
  },
  async run(session, name) {
    const { store, account } = session;
    if (name === null) {
      await store.execute({ kind: 'forget-access-keys', account });
      return ok('No URL is valid any more');
    }
    const { id } = await mailboxFor(session, name, 'read');
    await store.execute({
      kind: 'access-key',
      mailbox: id,
      account,
      fresh: freshKey(),
      renew: true,
      origin: session.id,
    });
    return ok('No URL of this mailbox is valid any more', `URLMECH ${INTERNAL}`);
  },
});

/** A URL that its token is good for, and the user whose it is; null: it gives no right to anything (RFC 4467 §6). */
export async function authorized(
  session: Session,
  text: string,
): Promise<{ readonly owner: User; readonly url: MessageUrl } | null> {
  const asked = authorizedUrl(text);
  const server = asked?.url.server;
  if (!asked?.token || !server?.user || asked.token.mechanism !== INTERNAL) return null;
  if (!isOurs(session, server) || !(await mayUse(session, asked.access, server))) return null;
  // RFC 4467 §3: it is the last moment at which the URL is valid.
  if (asked.expire !== null && asked.expire < session.clock.now()) return null;
  const { store } = session;
  const account = await store.read.accountNamed(addressOf(session, server.user, server));
  const owner: User | null = account ? { store, account: account.id, address: account.address } : null;
  const at = owner && (await mailboxAt(owner, asked.url, null));
  const key = owner && at ? await store.read.accessKey(at.id, owner.account) : undefined;
  // RFC 4467 §6: worked out also where there is no key, so that the time tells less of which mailboxes there are.
  const right = Buffer.from(tokenOf(asked.rump, key ?? freshKey()), 'latin1');
  const given = Buffer.from(asked.token.text, 'latin1');
  const good = right.length === given.length && timingSafeEqual(right, given);
  return good && key && owner ? { owner, url: asked.url } : null;
}

/** RFC 4467 §3. Whoever has logged in here is somebody; `submit+` is for submission servers, which are none. */
async function mayUse(
  session: Session,
  access: AuthorizedUrl['access'],
  server: NonNullable<AuthorizedUrl['url']['server']>,
): Promise<boolean> {
  switch (access.kind) {
    case 'anonymous':
    case 'authuser':
      return true;
    case 'user':
      return isUser(session, access.user, server);
    case 'submit':
      return false;
  }
}
