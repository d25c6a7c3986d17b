// GETACL, SETACL, DELETEACL, LISTRIGHTS and MYRIGHTS (RFC 4314 §3). Identifiers are addresses of accounts, `anyone`, and
// either with a "-" in front, for rights that are taken away.

import { hasProhibited, saslprep } from '../../formats/saslprep.ts';
import { StoreError } from '../../store/store.ts';
import { mailboxFor, mailboxNamed, type SeenMailbox } from '../access.ts';
import { bad, no, ok } from '../completion.ts';
import { nameText } from '../grammar/mailbox-name.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { imapString, textString } from '../render/strings.ts';
import { ALL_RIGHTS, ANYONE, allows, OWNERS_RIGHTS, parseRights, rightsText } from '../rights.ts';
import { command, LOGGED_IN, type Session } from './command.ts';
import { mailboxArgument } from './select.ts';

/** SP identifier; identifier = astring, UTF-8, prepared (RFC 4314 §3). */
function identifierArgument(scanner: Scanner): string {
  scanner.space();
  return preparedOf(scanner.astring());
}

/** @throws ImapRefusal BAD */
function preparedOf(octets: Buffer): string {
  const prepared = saslprep(octets.toString());
  // RFC 4314 §3: nothing is left of it, or it cannot be prepared. What was no UTF-8 has U+FFFD by now, which is prohibited.
  if (/^-?$/.test(prepared) || hasProhibited(prepared)) throw bad('That is no identifier');
  return prepared;
}

/** Identifiers as they are kept: the primary address of an account, whichever of its addresses was said, and where none
 * was said in full, in the domain of who speaks. @throws ImapRefusal NO for what is nobody's */
async function identifierNamed(session: Session, text: string): Promise<string> {
  const sign = text.startsWith('-') ? '-' : '';
  const name = text.slice(sign.length);
  if (name.toLowerCase() === ANYONE) return sign + ANYONE;
  const domain = session.address.slice(session.address.lastIndexOf('@'));
  const account = await session.store.read.accountNamed(name.includes('@') ? name : name + domain);
  if (!account) throw no('There is no such user', 'NONEXISTENT');
  return sign + account.address;
}

/** The primary address of the account that holds a mailbox. */
async function ownerOf(session: Session, mailbox: SeenMailbox): Promise<string> {
  return (await session.store.read.account(mailbox.account))?.address ?? '';
}

/** getacl = "GETACL" SP mailbox; acl-data = "ACL" SP mailbox *(SP identifier SP rights). The owner is among them, also
 * where nothing was set. */
export const getAcl = command({
  name: 'GETACL',
  states: LOGGED_IN,
  grammar: mailboxArgument,
  async run(session, name) {
    const mailbox = await mailboxFor(session, name, 'administer');
    const owner = await ownerOf(session, mailbox);
    const listed = await session.store.read.rights(mailbox.id);
    const entries = listed.some(({ identifier }) => identifier === owner)
      ? listed.map((entry) => (entry.identifier === owner ? { ...entry, rights: entry.rights + OWNERS_RIGHTS } : entry))
      : [{ identifier: owner, rights: ALL_RIGHTS }, ...listed];
    const pairs = entries.map(
      ({ identifier, rights }) => ` ${textString(identifier)} ${textString(rightsText(rights))}`,
    );
    session.writer.line(`* ACL ${nameText(name, session.enabled)}${pairs.join('')}`);
    return ok('That is all');
  },
});

/** setacl = "SETACL" SP mailbox SP identifier SP mod-rights; mod-rights = astring, with "+" to add, "-" to remove. */
export const setAcl = command({
  name: 'SETACL',
  states: LOGGED_IN,
  grammar(scanner) {
    const name = mailboxArgument(scanner);
    const identifier = identifierArgument(scanner);
    scanner.space();
    const given = scanner.astring().toString('latin1');
    const sign = /^[+-]/.exec(given)?.[0] ?? '';
    const rights = parseRights(given.slice(sign.length));
    if (rights === null) throw bad('There is a right that is not known');
    const mode = sign === '+' ? 'add' : sign === '-' ? 'remove' : 'replace';
    return { name, identifier, rights, mode } as const;
  },
  async run(session, { name, identifier: given, rights, mode }) {
    const mailbox = await mailboxFor(session, name, 'administer');
    const identifier = await identifierNamed(session, given);
    const owner = await ownerOf(session, mailbox);
    // What is taken from an owner who has no entry is taken from all.
    const unset = identifier === owner ? ALL_RIGHTS : '';
    try {
      await session.store.execute({ kind: 'set-rights', mailbox: mailbox.id, identifier, rights, mode, unset });
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind !== 'quota') throw error;
      throw no('The list is full', 'LIMIT', error.message);
    }
    return ok('Rights set');
  },
});

/** deleteacl = "DELETEACL" SP mailbox SP identifier */
export const deleteAcl = command({
  name: 'DELETEACL',
  states: LOGGED_IN,
  grammar: (scanner) => ({ name: mailboxArgument(scanner), identifier: identifierArgument(scanner) }),
  async run(session, { name, identifier: given }) {
    const mailbox = await mailboxFor(session, name, 'administer');
    const identifier = await identifierNamed(session, given);
    const nothing = { rights: null, mode: 'replace', unset: '' } as const;
    await session.store.execute({ kind: 'set-rights', mailbox: mailbox.id, identifier, ...nothing });
    return ok('Entry removed');
  },
});

/** listrights = "LISTRIGHTS" SP mailbox SP identifier. No rights are tied; an owner always has some. */
export const listRights = command({
  name: 'LISTRIGHTS',
  states: LOGGED_IN,
  grammar(scanner) {
    const name = mailboxArgument(scanner);
    scanner.space();
    const said = scanner.astring();
    return { name, said: said.toString('latin1'), identifier: preparedOf(said) };
  },
  async run(session, { name, said, identifier }) {
    const mailbox = await mailboxFor(session, name, 'administer');
    const always =
      (await identifierNamed(session, identifier)) === (await ownerOf(session, mailbox)) ? OWNERS_RIGHTS : '';
    const optional = [...ALL_RIGHTS, 'c', 'd'].filter((letter) => !always.includes(letter));
    session.writer.line(
      // RFC 4314 §3.4: the identifier as it was said, by which the client knows its question.
      `* LISTRIGHTS ${nameText(name, session.enabled)} ${imapString(said)} ${textString(always)} ${optional.join(' ')}`,
    );
    return ok('That is all');
  },
});

/** myrights-data = "MYRIGHTS" SP mailbox SP rights */
export function myRightsLine({ enabled }: Session, mailbox: SeenMailbox, name: string): string {
  return `* MYRIGHTS ${nameText(name, enabled)} ${rightsText(mailbox.rights)}`;
}

/** myrights = "MYRIGHTS" SP mailbox */
export const myRights = command({
  name: 'MYRIGHTS',
  states: LOGGED_IN,
  grammar: mailboxArgument,
  async run(session, name) {
    const mailbox = await mailboxNamed(session, name);
    if (!mailbox || !allows(mailbox.rights, 'ask rights')) throw no('There is no such mailbox', 'NONEXISTENT');
    session.writer.line(myRightsLine(session, mailbox, name));
    return ok('That is all');
  },
});
