// Which mailboxes ESEARCH looks into (RFC 7377 §2.2, by RFC 5465 §6) as values. Pure.

import { bad } from '../completion.ts';
import { mailbox } from './mailbox-name.ts';
import type { Scanner } from './scanner.ts';

export type MailboxFilter =
  | { readonly filter: 'selected' | 'personal' | 'inboxes' | 'subscribed' }
  | { readonly filter: 'mailboxes' | 'subtree' | 'subtree-one'; readonly names: readonly string[] };

/** Filters of one command. */
const MOST_FILTERS = 100;

/** "IN" SP "(" source-mbox [SP "(" scope-options ")"] ")" SP; null: the command has none. No scope options are defined. */
export function sourceMailboxes(scanner: Scanner): readonly MailboxFilter[] | null {
  if (scanner.peekWord() !== 'IN') return null;
  scanner.word('IN');
  scanner.space();
  const filters = scanner.list(() => mailboxFilter(scanner));
  scanner.space();
  if (filters.length === 0) throw bad('ESEARCH names no mailboxes');
  if (filters.length > MOST_FILTERS) throw bad('ESEARCH names mailboxes too often');
  return filters;
}

/** filter-mailboxes = "selected" / "inboxes" / "personal" / "subscribed" /
 *   ("subtree" / "subtree-one" / "mailboxes") SP one-or-more-mailbox */
function mailboxFilter(scanner: Scanner): MailboxFilter {
  const filter = scanner.word('which mailboxes').toLowerCase();
  switch (filter) {
    case 'selected':
    case 'personal':
    case 'inboxes':
    case 'subscribed':
      return { filter };
    case 'mailboxes':
    case 'subtree':
    case 'subtree-one': {
      scanner.space();
      const names = scanner.atList ? scanner.list(() => mailbox(scanner)) : [mailbox(scanner)];
      if (names.length === 0) throw bad('A list of mailboxes is empty');
      return { filter, names };
    }
    default:
      throw bad('ESEARCH names mailboxes in a way that is not known');
  }
}
