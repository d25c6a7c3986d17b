// From the name of a mailbox to the mailbox, for a user who has the right to what he wants (RFC 4314 §4): his own, or
// another's. What he may not know of is answered as what is not there (§6).

import type { Turn } from '../platform/turn.ts';
import type { ListedMailbox, MailboxRow, RightRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import { no } from './completion.ts';
import { namesAbove, requiredName } from './grammar/mailbox-name.ts';
import { nameForOthers, othersName } from './namespace.ts';
import { ANYONE, allows, type Operation, type Rights, rightsOf } from './rights.ts';

/** What reading, or looking at, one of many names costs, in octets (turn.ts). */
export const NAME_COST = 256;

/** Who asks. */
export interface User {
  readonly store: Store;
  readonly account: MailboxRow['account'];
  /** Primary address. */
  readonly address: string;
}

/** A mailbox as a user sees it: `name`, `specialUse` and `unseen` are what they are to this user. */
export interface SeenMailbox extends ListedMailbox {
  /** The account of this user holds it. */
  readonly own: boolean;
  readonly rights: Rights;
}

/** @returns undefined where there is none; also one to which the user has no right */
async function mailboxThere(user: User, name: string): Promise<SeenMailbox | undefined> {
  const { read } = user.store;
  const others = othersName(name);
  const owner = others ? await read.accountNamed(others.address) : { id: user.account, address: user.address };
  if (!owner || (others && owner.id === user.account)) return undefined;
  const row = await read.mailboxByName(owner.id, others ? others.name : name);
  return row && seenAs(user, row, owner.address, await read.rights(row.id));
}

/** @returns undefined where there is none, or the user has no right at all */
export async function mailboxNamed(user: User, name: string): Promise<SeenMailbox | undefined> {
  const seen = await mailboxThere(user, name);
  if (!seen || seen.rights.size === 0) return undefined;
  return seen.own || !seen.selectable ? seen : { ...seen, unseen: await unseenOf(user, seen) };
}

/** The mailbox with this id; undefined as above. */
export async function mailboxSeen(user: User, id: MailboxRow['id']): Promise<SeenMailbox | undefined> {
  const { read } = user.store;
  const row = await read.mailbox(id);
  if (!row) return undefined;
  const owner = row.account === user.account ? user.address : (await read.account(row.account))?.address;
  const seen = seenAs(user, row, owner ?? '', await read.rights(id));
  return seen.rights.size === 0 ? undefined : seen;
}

function seenAs(user: User, row: ListedMailbox, owner: string, list: readonly RightRow[]): SeenMailbox {
  const own = row.account === user.account;
  const rights = rightsOf(list, user.address, own);
  if (own) return { ...row, own, rights };
  // RFC 6154 §2: a special use is its owner's.
  return { ...row, own, rights, name: nameForOthers(owner, row.name), specialUse: null };
}

/** Messages without \Seen of this user. */
async function unseenOf({ store, account }: User, { id, messages }: ListedMailbox): Promise<number> {
  if (messages === 0) return 0;
  const seen = new Set(await store.read.seenBy(id, account));
  const { uids } = await store.read.uids(id);
  return uids.reduce((count, uid) => count + (seen.has(uid) ? 0 : 1), 0);
}

/** All that LIST may show, sorted by nothing in particular.
 * @param turn passed on where there are many; absent: nothing happens in between */
export async function visibleMailboxes(user: User, turn?: Turn): Promise<SeenMailbox[]> {
  const { store, account, address } = user;
  const rows = await store.read.mailboxes(account);
  turn?.spend(rows.length * NAME_COST);
  await turn?.pass();
  const lists = await store.read.rightsWithin(account);
  const own = rows.map((row) => seenAs(user, row, address, lists.get(row.id) ?? []));
  turn?.spend(rows.length * NAME_COST);
  await turn?.pass();
  return [...own, ...(await sharedMailboxes(user))];
}

/** Those of others that LIST may show. */
export async function sharedMailboxes(user: User): Promise<SeenMailbox[]> {
  const shared = await user.store.read.sharedWith(user.account, [ANYONE, user.address]);
  const others = shared.map(({ mailbox, owner, rights }) => seenAs(user, mailbox, owner, rights));
  return others.filter(({ rights }) => allows(rights, 'list'));
}

/**
 * The mailbox of that name, for an operation.
 * @param name null: what the client wrote is no name
 * @param code of the refusal if there is none
 * @throws ImapRefusal NO, also [NOPERM] where the user may know of the mailbox, but not do that
 */
export async function mailboxFor(
  user: User,
  name: string | null,
  operation: Operation,
  code = 'NONEXISTENT',
): Promise<SeenMailbox> {
  const mailbox = await mailboxNamed(user, requiredName(name));
  if (mailbox && allows(mailbox.rights, operation)) return mailbox;
  if (mailbox && allows(mailbox.rights, 'list')) throw no('You have no right to do that', 'NOPERM');
  throw no('There is no such mailbox', code);
}

/** In which account, and under which name there, a new mailbox of this name would be made.
 * @throws ImapRefusal NO [NOPERM] without the right to make it (RFC 4314 §4: "k" on the nearest mailbox above) */
export async function placeFor(user: User, name: string): Promise<{ account: MailboxRow['account']; name: string }> {
  const others = othersName(name);
  for (const nameAbove of namesAbove(name)) {
    // Also one of which the user may not know: what is made below it is in it.
    const above = await mailboxThere(user, nameAbove);
    if (!above) continue;
    if (!allows(above.rights, 'create below')) throw no('You have no right to make mailboxes there', 'NOPERM');
    return { account: above.account, name: others?.name ?? name };
  }
  if (others) throw no('You have no right to make mailboxes there', 'NOPERM');
  return { account: user.account, name };
}
