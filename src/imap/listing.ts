// Which names LIST answers with, and what it says of each (RFC 5258 §3). Pure but for its turns: names come in, entries
// go out.

import { namesAbove } from './grammar/mailbox-name.ts';

/** What LIST is asked for, beside its patterns. */
export interface Selection {
  /** Subscribed names instead of mailboxes. */
  readonly subscribed: boolean;
  /** Only mailboxes with a special use (RFC 6154 §2). */
  readonly specialUse: boolean;
  /** Also names that are not selected themselves, but have selected ones below them that match no pattern. */
  readonly recursive: boolean;
}

export const EVERYTHING: Selection = { subscribed: false, specialUse: false, recursive: false };

/** What LIST has to know of a mailbox. */
interface Listable {
  readonly name: string;
  readonly specialUse: string | null;
}

export interface Entry<Mailbox extends Listable> {
  readonly name: string;
  /** Undefined: there is no mailbox of this name. */
  readonly mailbox: Mailbox | undefined;
  readonly hasChildren: boolean;
  readonly isSubscribed: boolean;
  /** It meets the selection criteria; else it is there for names below it. */
  readonly selected: boolean;
  /** Names below it meet the criteria, where that was asked (RFC 5258 §3.5). */
  readonly selectedBelow: boolean;
}

interface Names<Mailbox extends Listable> {
  readonly mailboxes: readonly Mailbox[];
  readonly subscriptions: readonly string[];
  readonly selection: Selection;
  /** Does the name match one of the patterns? `level`: one that ends in "%" (RFC 3501 §6.3.8 lists levels of hierarchy
   * for these that are no mailboxes). */
  readonly matches: (name: string) => Promise<'no' | 'yes' | 'level'>;
}

/** The entries of a LIST, sorted by name. */
export async function listing<Mailbox extends Listable>(asked: Names<Mailbox>): Promise<Entry<Mailbox>[]> {
  const { selection, matches } = asked;
  const mailboxes = new Map(asked.mailboxes.map((mailbox) => [mailbox.name, mailbox]));
  const subscribed = new Set(asked.subscriptions);
  const parents = new Set<string>();
  for (const name of mailboxes.keys()) addAll(parents, namesAbove(name));
  const selected = new Set<string>();
  for (const name of selection.subscribed ? subscribed : mailboxes.keys()) {
    if (!selection.specialUse || mailboxes.get(name)?.specialUse) selected.add(name);
  }
  const listed = new Set<string>();
  const above = new Set<string>();
  const aboveUnmatched = new Set<string>();
  for (const name of selected) {
    const match = await matches(name);
    if (match !== 'no') listed.add(name);
    if (!selection.recursive) continue;
    addAll(above, namesAbove(name));
    // RFC 5258 §3.3: only what is not listed itself makes names above it worth a response.
    if (match === 'no') addAll(aboveUnmatched, namesAbove(name));
  }
  for (const name of aboveUnmatched) {
    if (!listed.has(name) && (await matches(name)) !== 'no') listed.add(name);
  }
  if (!selection.subscribed && !selection.specialUse) {
    for (const name of parents) if (!mailboxes.has(name) && (await matches(name)) === 'level') listed.add(name);
  }
  return [...listed].sort().map((name) => ({
    name,
    mailbox: mailboxes.get(name),
    hasChildren: parents.has(name),
    isSubscribed: subscribed.has(name),
    selected: selected.has(name),
    selectedBelow: above.has(name),
  }));
}

/** Stops at the first that is there: the names above it are, too. */
function addAll(names: Set<string>, more: Iterable<string>): void {
  for (const name of more) {
    if (names.has(name)) return;
    names.add(name);
  }
}
