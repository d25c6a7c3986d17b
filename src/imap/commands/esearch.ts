// ESEARCH (MULTISEARCH, RFC 7377): one search of many mailboxes, each answered by its name, none of them selected by it.

import type { ListedMailbox } from '../../store/rows.ts';
import { mailboxNamed, type SeenMailbox, visibleMailboxes } from '../access.ts';
import { bad, ok } from '../completion.ts';
import { type MailboxFilter, sourceMailboxes } from '../grammar/mailbox-filter.ts';
import { namesAbove, nameText } from '../grammar/mailbox-name.ts';
import { searchProgram } from '../grammar/search-program.ts';
import { ALL_FOUND, type SearchReturn, searchReturn } from '../grammar/search-return.ts';
import { othersName } from '../namespace.ts';
import { OwnSeen } from '../own-seen.ts';
import { allows } from '../rights.ts';
import { type Found, find, type Place } from '../search/finding.ts';
import { asks, type SearchProgram } from '../search/keys.ts';
import { SearchResults } from '../search/result-list.ts';
import { UidList } from '../uid-list.ts';
import { command, LOGGED_IN, type Session } from './command.ts';
import {
  admitKeys,
  keepFound,
  requireCharset,
  requireFuzzy,
  searchSelected,
  selectedSearch,
  tellFound,
} from './search.ts';
import { tellExtended } from './search-answer.ts';

/** What one mailbox costs of a turn, be it empty. */
const MAILBOX_COST = 8_192;

const SELECTED_ONLY: readonly MailboxFilter[] = [{ filter: 'selected' }];
/** esearch = "ESEARCH" [SP esearch-source-opts] [SP search-return-opts] SP search-program */
export const esearch = command({
  name: 'ESEARCH',
  states: LOGGED_IN,
  // RFC 7377 §2 writes UID ESEARCH, which its §4 does not have: it is always by UIDs.
  uid: 'makes no difference',
  grammar(scanner) {
    scanner.space();
    const filters = sourceMailboxes(scanner) ?? SELECTED_ONLY;
    // RFC 7377 §2.1: it is always answered by ESEARCH, with ALL where it says nothing else.
    return { filters, asked: searchReturn(scanner) ?? ALL_FOUND, program: searchProgram(scanner) };
  },
  numbered: ({ program }) => asks(program, 'sequence'),
  async run(session, { filters, asked, program }) {
    requireSelection(session, filters, asked);
    requireFuzzy(asked.relevancy, program);
    admitKeys(session, program);
    const selected = session.state === 'selected' ? session.mailbox.id : null;
    for (const row of await mailboxesOf(session, filters)) {
      if (row.id === selected) await searchHere(session, row, asked, program);
      else await searchThere(session, row, asked, program);
      session.turn.spend(MAILBOX_COST);
      await session.turn.pass();
    }
    return ok('Searched');
  },
});

/** RFC 7377 §2.2: what needs a selected mailbox. @throws ImapRefusal BAD */
function requireSelection(session: Session, filters: readonly MailboxFilter[], { save, update }: SearchReturn): void {
  const ofSelected = filters.filter(({ filter }) => filter === 'selected');
  if (save && ofSelected.length < filters.length) throw bad('SAVE is for the selected mailbox alone');
  if (session.state !== 'selected' && (update || ofSelected.length > 0)) throw bad('No mailbox is selected');
}

/** Each once, by name; what does not exist or cannot be selected by this user is passed over. */
async function mailboxesOf(session: Session, filters: readonly MailboxFilter[]): Promise<readonly SeenMailbox[]> {
  const { read } = session.store;
  const named = (filter: MailboxFilter['filter']) =>
    new Set(filters.flatMap((which) => (which.filter === filter && 'names' in which ? which.names : [])));
  const [mailboxes, subtree, subtreeOne] = [named('mailboxes'), named('subtree'), named('subtree-one')];
  const kinds = new Set(filters.map(({ filter }) => filter));
  const subscribed = new Set(kinds.has('subscribed') ? await read.subscriptions(session.account) : []);
  const selected = session.state === 'selected' && kinds.has('selected') ? session.mailbox.id : null;
  // RFC 5465 §6.3: where it is not known which mailboxes get mail, all of them may.
  const all = kinds.has('personal') || kinds.has('inboxes');
  const visible = await visibleMailboxes(session);
  const explicit = new Set([...mailboxes, ...subtree, ...subtreeOne]);
  const rows = [...visible, ...(await hiddenAmong(session, explicit, visible))];
  return rows.filter(({ id, name, own, selectable, rights }) => {
    if (!selectable || !allows(rights, 'read')) return false;
    const here = (all && own) || id === selected || mailboxes.has(name) || subscribed.has(name);
    if (here || subtree.has(name) || subtreeOne.has(name)) return true;
    const above = [...namesAbove(name)];
    return subtreeOne.has(above[0] ?? '') || (subtree.size > 0 && above.some((parent) => subtree.has(parent)));
  });
}

/** RFC 7377 §2.2: what is named itself needs not be one that the user may look up, as long as he may read it. */
async function hiddenAmong(session: Session, names: ReadonlySet<string>, visible: readonly SeenMailbox[]) {
  const known = new Set(visible.map(({ name }) => name));
  const hidden: SeenMailbox[] = [];
  for (const name of names) {
    if (known.has(name) || othersName(name) === null) continue;
    session.turn.spend(MAILBOX_COST);
    await session.turn.pass();
    const mailbox = await mailboxNamed(session, name);
    if (mailbox) hidden.push(mailbox);
  }
  return hidden;
}

/** RFC 7377 §2.1: the three correlators. */
function correlatorOf({ tag, enabled }: Session, { name, uidValidity }: ListedMailbox): string {
  return `TAG "${tag}" MAILBOX ${nameText(name, enabled)} UIDVALIDITY ${uidValidity}`;
}

/** Searches the selected mailbox, as far as this client knows it. */
async function searchHere(
  session: Session,
  row: ListedMailbox,
  asked: SearchReturn,
  program: SearchProgram,
): Promise<void> {
  const correlator = correlatorOf(session, row);
  const search = selectedSearch(session, { asked, program, byUid: true, correlator });
  const found = await searchSelected(session, search);
  const results = () => new SearchResults(found.uids);
  // RFC 7377 §2.1: where nothing was found, nothing is said.
  if (found.uids.length > 0) await tellFound(session, search, found, results);
  else keepFound(session, search, found, results);
}

async function searchThere(
  session: Session,
  row: SeenMailbox,
  asked: SearchReturn,
  program: SearchProgram,
): Promise<void> {
  requireCharset(program);
  const found = await findThere(session, row, program);
  if (found.uids.length === 0) return;
  await tellExtended(session.writer, correlatorOf(session, row), true, asked, found, found.uids);
}

async function findThere(session: Session, row: SeenMailbox, program: SearchProgram): Promise<Found> {
  if (row.own) return find(session, await placeOf(session, row), program);
  const seen = await OwnSeen.open(session.store, row.id, session.account);
  try {
    return await find({ store: seen.store, turn: session.turn }, await placeOf(session, row), program);
  } finally {
    seen.close();
  }
}

/** A mailbox as it is now. */
async function placeOf({ store, clock }: Session, { id }: ListedMailbox): Promise<Place> {
  const { uids, mailbox } = await store.read.uids(id);
  const list = new UidList(uids);
  return {
    id,
    uids,
    exists: uids.length,
    lastUid: list.last,
    sequenceOf: (uid) => list.sequenceOf(uid),
    isRecent: (uid) => uid >= mailbox.recentFrom,
    saved: () => new Uint32Array(0),
    now: clock.now(),
  };
}
