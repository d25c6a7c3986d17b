// STATUS (RFC 3501 §6.3.10): numbers of a mailbox that need not be selected. It claims no \Recent and changes nothing.

import type { ListedMailbox } from '../../store/rows.ts';
import { mailboxFor } from '../access.ts';
import { bad, no, ok } from '../completion.ts';
import { nameText } from '../grammar/mailbox-name.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { UidList } from '../uid-list.ts';
import { command, LOGGED_IN, type Session } from './command.ts';
import { enableCondstore } from './enable.ts';
import { mailboxArgument } from './select.ts';

type Value = (row: ListedMailbox, session: Session) => number | string | Promise<number>;

/** status-att = "MESSAGES" / "RECENT" / "UIDNEXT" / "UIDVALIDITY" / "UNSEEN" / "DELETED" / "DELETED-STORAGE", the last two of
 * RFC 9208 §4.1.4; all octets of what EXPUNGE would take. */
const ITEMS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['MESSAGES', (row) => row.messages],
  ['RECENT', countRecent],
  ['UIDNEXT', (row) => row.uidNext],
  ['UIDVALIDITY', (row) => row.uidValidity],
  ['UNSEEN', (row) => row.unseen],
  // RFC 7162 §3.1.7
  ['HIGHESTMODSEQ', (row) => row.highestModSeq],
  // RFC 8438 §2, RFC 8474 §4.3, RFC 7889 §4
  ['SIZE', (row) => row.octets],
  ['MAILBOXID', (row) => `(${row.objectId})`],
  ['APPENDLIMIT', (_, session) => session.limits.message],
  ['DELETED', (row) => row.deleted],
  ['DELETED-STORAGE', countDeleted],
]);

/** What one message that is counted costs of a turn. */
const ROW_COST = 64;

/** LIST may ask it of thousands of mailboxes. */
async function countDeleted({ id, deleted }: ListedMailbox, { store, turn }: Session): Promise<number> {
  turn.spend(deleted * ROW_COST);
  await turn.pass();
  return store.read.deletedOctets(id);
}

/** Messages that no session has been told of. */
async function countRecent({ id, recentFrom, uidNext }: ListedMailbox, session: Session): Promise<number> {
  if (recentFrom >= uidNext) return 0;
  const { uids } = await session.store.read.uids(id);
  return uids.length - new UidList(uids).countBelow(recentFrom);
}

export interface StatusItem {
  readonly item: string;
  readonly value: Value;
}

/** "(" status-att *(SP status-att) ")" */
export function statusItems(scanner: Scanner): readonly StatusItem[] {
  const items = scanner.list(() => {
    const item = scanner.word('a STATUS item');
    const value = ITEMS.get(item);
    // RFC 9051 §6.3.11 has no RECENT.
    if (!value || (scanner.rev2 && item === 'RECENT')) throw bad('STATUS asks for an item that is not known');
    return { item, value };
  });
  if (items.length === 0) throw bad('STATUS asks for nothing');
  return items;
}

/** mailbox-data = "STATUS" SP mailbox SP "(" [status-att-list] ")", as an untagged response. */
export async function statusLine(
  session: Session,
  row: ListedMailbox,
  name: string,
  items: readonly StatusItem[],
): Promise<string> {
  // RFC 7162 §3.1: who asks for it knows MODSEQ.
  if (items.some(({ item }) => item === 'HIGHESTMODSEQ')) enableCondstore(session);
  const values: string[] = [];
  for (const { item, value } of items) values.push(`${item} ${await value(row, session)}`);
  return `* STATUS ${nameText(name, session.enabled)} (${values.join(' ')})`;
}

/** status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")" */
export const status = command({
  name: 'STATUS',
  states: LOGGED_IN,
  grammar(scanner) {
    const name = mailboxArgument(scanner);
    scanner.space();
    return { name, items: statusItems(scanner) };
  },
  async run(session, { name, items }) {
    const row = await mailboxFor(session, name, 'read');
    if (!row.selectable) throw no('That name is no mailbox', 'NONEXISTENT');
    session.writer.line(await statusLine(session, row, name, items));
    return ok('That is all');
  },
});
