// What a user may do with a mailbox (RFC 4314): rights from an access control list, and what each allows. The one place
// that decides. Pure.

import type { FlagScope } from '../store/commands.ts';
import { Flag, type RightRow } from '../store/rows.ts';

/** Letters, each once (RFC 4314 §2.1). */
export type Rights = ReadonlySet<string>;

/** Every right, in the order in which they are told. */
export const ALL_RIGHTS = 'lrswipkxtea';
const ALL: Rights = new Set(ALL_RIGHTS);
const NONE: Rights = new Set();
/** What nobody can take from the account that holds a mailbox. */
export const OWNERS_RIGHTS = 'la';
/** The identifier of everybody. */
export const ANYONE = 'anyone';

/** RFC 4314 §2.1.1: rights of RFC 2086 that are several now. */
const OBSOLETE: ReadonlyMap<string, string> = new Map([
  ['c', 'kx'],
  ['d', 'et'],
]);

/**
 * The rights of a user: what stands beside the user's address and beside `anyone`, without what stands beside either
 * with a "-" in front.
 * @param entries of the mailbox's list
 * @param owner the user's account holds the mailbox: all rights, unless the list says otherwise
 */
export function rightsOf(entries: readonly RightRow[], address: string, owner: boolean): Rights {
  // Nearly every mailbox: a set of each would be most of the work of a long LIST.
  if (entries.length === 0) return owner ? ALL : NONE;
  const of = (identifier: string) => entries.find((entry) => entry.identifier === identifier)?.rights;
  const rights = new Set(`${of(address) ?? (owner ? ALL_RIGHTS : '')}${of(ANYONE) ?? ''}`);
  for (const letter of `${of(`-${address}`) ?? ''}${of(`-${ANYONE}`) ?? ''}`) rights.delete(letter);
  if (owner) for (const letter of OWNERS_RIGHTS) rights.add(letter);
  return rights;
}

/** What can be done with a mailbox, as RFC 4314 §4 groups it; `annotate` is RFC 5464 §3.3. */
export type Operation =
  | 'list'
  | 'read'
  | 'insert'
  | 'create below'
  | 'delete'
  | 'expunge'
  | 'move away'
  | 'administer'
  | 'ask rights'
  | 'annotate';

const NEEDED: Readonly<Record<Operation, (rights: Rights) => boolean>> = {
  list: (rights) => rights.has('l'),
  read: (rights) => rights.has('r'),
  insert: (rights) => rights.has('i'),
  'create below': (rights) => rights.has('k'),
  delete: (rights) => rights.has('x'),
  expunge: (rights) => rights.has('e'),
  // RFC 6851 §4.2: as \Deleted and EXPUNGE would.
  'move away': (rights) => rights.has('e') && rights.has('t'),
  administer: (rights) => rights.has('a'),
  'ask rights': (rights) => any(rights, 'lrikxa'),
  annotate: (rights) => rights.has('l') && any(rights, 'rswip'),
};

export function allows(rights: Rights, operation: Operation): boolean {
  return NEEDED[operation](rights);
}

/** Flags that may be set and taken away: "s" \Seen, "t" \Deleted, "w" all others. */
export function flagScope(rights: Rights): FlagScope {
  let flags = 0;
  if (rights.has('s')) flags |= Flag.Seen;
  if (rights.has('t')) flags |= Flag.Deleted;
  if (rights.has('w')) flags |= Flag.Answered | Flag.Flagged | Flag.Draft;
  return { flags, keywords: rights.has('w') };
}

/** RFC 4314 §5.2: is SELECT answered READ-WRITE? \Seen is each user's own, and no shared flag. */
export function changesShared(rights: Rights): boolean {
  return any(rights, 'iewt');
}

/** Rights as a response has them: with the obsolete ones that any of theirs stands for. */
export function rightsText(rights: Iterable<string>): string {
  const given = new Set(rights);
  let text = '';
  for (const letter of ALL_RIGHTS) if (given.has(letter)) text += letter;
  for (const [letter, members] of OBSOLETE) if (any(given, members)) text += letter;
  return text;
}

/** Rights as a client writes them; null: one of them is none (RFC 4314 §3.1). */
export function parseRights(text: string): string | null {
  const letters = new Set<string>();
  for (const letter of text) {
    const members = OBSOLETE.get(letter) ?? (ALL_RIGHTS.includes(letter) ? letter : '');
    if (members === '') return null;
    for (const member of members) letters.add(member);
  }
  return [...letters].sort().join('');
}

function any(rights: Rights, letters: string): boolean {
  return Array.prototype.some.call(letters, (letter: string) => rights.has(letter));
}
