// GENURLAUTH, RESETKEY and URLFETCH (RFC 4467 §7): URLs that carry the right to fetch what they name. A token is an HMAC of
// the URL by a key that its user has for the mailbox; who resets the key takes all such URLs back.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Disconnected } from '../../platform/socket-writer.ts';
import { mailboxFor, type User } from '../access.ts';
import { bad, no, ok } from '../completion.ts';
import { type AuthorizedUrl, authorizedUrl, INTERNAL } from '../grammar/imap-url.ts';
import { mailbox } from '../grammar/mailbox-name.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { LIMIT } from '../limits.ts';
import { isHere, mailboxAt, type NamedOctets, octetsOf } from '../message-url.ts';
import { imapString } from '../render/strings.ts';
import { command, LOGGED_IN, type Session } from './command.ts';

/** Octets of a key: 256 bits, where RFC 4467 §2.1 asks for 128. */
const KEY = 32;
/** In front of a token: how it was made. */
const SHA256 = '01';

function mechanism(scanner: Scanner): void {
  if (scanner.atom('a mechanism').toUpperCase() !== INTERNAL) throw bad('That mechanism is not known');
}

function urls<T>(scanner: Scanner, item: () => T): T[] {
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

/** @throws ImapRefusal BAD (RFC 4467 §5): it is no rump, or names nothing of this user */
async function sign(session: Session, rump: string): Promise<string> {
  const wanted = authorizedUrl(rump);
  const server = wanted?.url.server;
  if (!wanted || !server || wanted.token || wanted.rump !== rump) throw bad('That is no URL to be signed');
  const own = await isHere(session, server);
  const at = own ? await mailboxAt(session, wanted.url, null) : null;
  if (!at || !(await octetsOf(session, wanted.url))) throw bad('That URL names nothing of yours');
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
    await store.execute({ kind: 'access-key', mailbox: id, account, fresh: freshKey(), renew: true });
    return ok('No URL of this mailbox is valid any more', `URLMECH ${INTERNAL}`);
  },
});

/** urlfetch = "URLFETCH" 1*(SP url-full). A URL that is not valid is answered NIL, whatever is wrong with it. */
export const urlFetch = command({
  name: 'URLFETCH',
  states: LOGGED_IN,
  grammar: (scanner) => urls(scanner, () => scanner.astring().toString('latin1')),
  async run(session, asked) {
    const { writer, turn } = session;
    for (const text of asked) {
      const named = await authorized(session, text);
      writer.text(`* URLFETCH ${imapString(text)} `);
      if (!named) {
        writer.text('NIL\r\n');
        continue;
      }
      writer.text(`{${named.size}}\r\n`);
      let left = named.size;
      for await (const piece of named.pieces()) {
        writer.octets(piece);
        left -= piece.length;
        turn.spend(piece.length);
        await writer.ready();
      }
      if (left > 0) throw new Disconnected('a body ended before its literal did');
      writer.text('\r\n');
    }
    return ok('Fetched');
  },
});

/** What a URL gives the right to; null: nothing (RFC 4467 §6). */
async function authorized(session: Session, text: string): Promise<NamedOctets | null> {
  const asked = authorizedUrl(text);
  const server = asked?.url.server;
  if (!asked?.token || !server?.user || asked.token.mechanism !== INTERNAL) return null;
  if (server.host !== session.hostname.toLowerCase() || !mayUse(session, asked)) return null;
  if (asked.expire !== null && asked.expire <= session.clock.now()) return null;
  const { store } = session;
  const owner = await store.read.accountNamed(server.user);
  if (!owner) return null;
  const user: User = { store, account: owner.id, address: owner.address };
  const at = await mailboxAt(user, asked.url, null);
  const key = at && (await store.read.accessKey(at.id, owner.id));
  if (!key) return null;
  const [right, given] = [tokenOf(asked.rump, key), asked.token.text].map((token) => Buffer.from(token, 'latin1'));
  if (!right || !given || right.length !== given.length || !timingSafeEqual(right, given)) return null;
  return await octetsOf(user, asked.url);
}

/** RFC 4467 §2.3. Whoever has logged in here is somebody; `submit+` is for submission servers, which are none. */
function mayUse(session: Session, { access }: AuthorizedUrl): boolean {
  switch (access.kind) {
    case 'anonymous':
    case 'authuser':
      return true;
    case 'user':
      return access.user === session.address.toLowerCase();
    case 'submit':
      return false;
  }
}
