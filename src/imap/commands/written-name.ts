// A mailbox name as an argument: what it is, and how the client has written it; and the LIST response by which IMAP4rev2
// tells, unasked, what a name is, with OLDNAME where it is not as it was written (RFC 9051 §6.3.9.7).

import { mailboxNamed, sharedMailboxes } from '../access.ts';
import { DELIMITER, mailboxName, nameText } from '../grammar/mailbox-name.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { othersName } from '../namespace.ts';
import { listLine } from '../render/list-line.ts';
import { nameAttributes } from '../render/name-attributes.ts';
import type { Session } from './command.ts';

/** `written` is to be shown to clients of IMAP4rev2 only, whose names are UTF-8. */
export interface WrittenName {
  readonly name: string;
  readonly written: string;
}

/** SP mailbox */
export function writtenArgument(scanner: Scanner): WrittenName {
  scanner.space();
  const octets = scanner.astring();
  return { name: mailboxName(octets, scanner.utf8), written: octets.toString() };
}

/** RFC 9051 §6.3.2: the attributes are accurate. */
async function attributesOf(session: Session, name: string): Promise<string[]> {
  const { store, account } = session;
  const about = await store.read.aboutName(account, name);
  const below = `${name}${DELIMITER}`;
  const shared = othersName(name) === null ? [] : await sharedMailboxes(session);
  const hasChildren = about.hasChildren || shared.some((mailbox) => mailbox.name.startsWith(below));
  const entry = { mailbox: await mailboxNamed(session, name), hasChildren, isSubscribed: about.isSubscribed };
  return nameAttributes(entry, { subscribed: true, children: true, plain: false });
}

/** Tells a client of IMAP4rev2 of a name. @param written by what the client calls it */
export async function tellName(session: Session, { name, written }: WrittenName): Promise<void> {
  const { enabled, writer } = session;
  if (!enabled.rev2) return;
  const line = listLine('LIST', await attributesOf(session, name), name, enabled);
  // oldname-extended-item = "OLDNAME" SP "(" mailbox ")"
  writer.line(written === name ? line : `${line} ("OLDNAME" (${nameText(written, enabled)}))`);
}

/** The same, where the name is not as it was written: clients that compose letters differently are to know. */
export async function tellNormalised(session: Session, told: WrittenName): Promise<void> {
  if (told.written !== told.name) await tellName(session, told);
}
