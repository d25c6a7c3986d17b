// The attributes by which LIST describes a name (RFC 9051 §7.3.1, RFC 5258 §3). Pure.

import type { SeenMailbox } from '../access.ts';
import type { Entry } from '../listing.ts';
import { allows } from '../rights.ts';

/** `plain`: the client has used the old form of LIST, or none. */
interface Asked {
  readonly subscribed: boolean;
  readonly children: boolean;
  readonly plain: boolean;
}

export function nameAttributes(
  { mailbox, hasChildren, isSubscribed }: Pick<Entry<SeenMailbox>, 'mailbox' | 'hasChildren' | 'isSubscribed'>,
  asked: Asked,
): string[] {
  const found: string[] = [];
  // Who uses the old form may not know \NonExistent, which says \Noselect and more.
  if (!mailbox) found.push(asked.plain ? '\\Noselect' : '\\NonExistent');
  // RFC 5819 §2: also what this user cannot read.
  else if (!mailbox.selectable || !allows(mailbox.rights, 'read')) found.push('\\Noselect');
  // RFC 5258 §3.5: a level that is no mailbox is there for what is below it, and says so.
  if (hasChildren && (asked.children || !mailbox)) found.push('\\HasChildren');
  else if (asked.children) found.push('\\HasNoChildren');
  if (mailbox?.specialUse) found.push(`\\${mailbox.specialUse}`);
  if (asked.subscribed && isSubscribed) found.push('\\Subscribed');
  return found;
}
