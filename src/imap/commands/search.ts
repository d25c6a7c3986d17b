// SEARCH and UID SEARCH (RFC 3501 §6.4.4, RFC 4731, RFC 7162 §3.1.5): the messages that this client knows. What a key
// means is src/imap/search's business, how results are told search-answer.ts's.

import { bad, no, ok, uidRequired } from '../completion.ts';
import { searchProgram } from '../grammar/search-program.ts';
import { ALL_FOUND, type SearchReturn, searchReturn } from '../grammar/search-return.ts';
import { Progress } from '../progress.ts';
import { type Found, find } from '../search/finding.ts';
import { asks, type SearchProgram } from '../search/keys.ts';
import { pinned } from '../search/pinned.ts';
import { type ResultList, SearchResults } from '../search/result-list.ts';
import type { SortCriterion } from '../sort/order.ts';
import { command, SELECTED, type Session } from './command.ts';
import { enableCondstore } from './enable.ts';
import { isTold, numbersOf, savedOf, tellExtended, tellNumbers } from './search-answer.ts';

/** search = "SEARCH" [search-return-opts] SP search-program */
export const search = command({
  name: 'SEARCH',
  states: SELECTED,
  uid: 'allowed',
  expunge: 'told in UID form',
  grammar(scanner) {
    scanner.space();
    return { asked: searchReturn(scanner) ?? (scanner.rev2 ? ALL_FOUND : null), program: searchProgram(scanner) };
  },
  numbered: ({ program }) => asks(program, 'sequence'),
  async run(session, { asked, program }, byUid) {
    const selected = selectedSearch(session, { asked, program, byUid });
    const found = await searchSelected(session, selected);
    if (!asked) await tellNumbers(session, 'SEARCH', numbersOf(session, found.uids, byUid), found);
    else await tellFound(session, selected, found, () => new SearchResults(found.uids));
    return ok('Searched');
  },
});

/** A search of the selected mailbox as the client said it. */
interface SelectedSearch {
  readonly asked: SearchReturn | null;
  readonly program: SearchProgram;
  readonly byUid: boolean;
  /** Of SORT. */
  readonly criteria: readonly SortCriterion[] | null;
  /** What stands within the parentheses of ESEARCH. */
  readonly correlator: string;
}

export function selectedSearch(
  session: Session,
  said: Pick<SelectedSearch, 'asked' | 'program' | 'byUid'> & Partial<SelectedSearch>,
): SelectedSearch {
  return { criteria: null, correlator: `TAG "${session.tag}"`, ...said };
}

/** Tells what RETURN asks for, saves it, and follows it. @param found in the order that was asked for */
export async function tellFound(
  session: Session,
  selected: SelectedSearch,
  found: Found,
  results: () => ResultList,
): Promise<void> {
  const { asked, byUid, correlator } = selected;
  if (asked && isTold(asked)) {
    await tellExtended(session.writer, correlator, byUid, asked, found, numbersOf(session, found.uids, byUid));
  }
  keepFound(session, selected, found, results);
}

/** Saves the results and follows them, as RETURN asks for. */
export function keepFound(
  { mailbox, tag, writer }: Session,
  { asked }: SelectedSearch,
  found: Found,
  results: () => ResultList,
): void {
  if (asked?.save) mailbox.view.save(savedOf(asked, found.uids));
  if (asked?.update && !mailbox.contexts.fill(tag, results())) {
    writer.line(`* NO [NOUPDATE "${tag}"] That is more than can be followed`);
  }
}

/** Finds in the selected mailbox. @throws ImapRefusal; a search that was to be saved saves nothing then (RFC 5182 §2.1) */
export async function searchSelected(session: Session, selected: SelectedSearch): Promise<Found> {
  const { asked, program, byUid, correlator, criteria } = selected;
  const { mailbox, tag } = session;
  admitKeys(session, program);
  requireFuzzy(asked?.relevancy ?? false, program);
  const place = mailbox.place();
  if (asked?.update) {
    const { fetch } = asked;
    mailbox.contexts.begin({ tag, correlator, byUid, program: pinned(program, place), criteria, fetch });
  }
  try {
    requireCharset(program);
    const progress = new Progress(session);
    return await find(session, place, program, (done, goal) => progress.report(done, goal));
  } catch (error) {
    if (asked?.save) mailbox.view.save(new Uint32Array(0));
    if (asked?.update) mailbox.contexts.cancel(tag);
    throw error;
  }
}

/** Keys that the client may not use any more (RFC 9586 §3.1), and one that enables something (RFC 7162 §3.1).
 * @throws ImapRefusal */
export function admitKeys(session: Session, program: SearchProgram): void {
  if (session.enabled.uidOnly && asks(program, 'sequence')) throw uidRequired();
  if (asks(program, 'modseq')) enableCondstore(session);
}

/** RFC 3501 §6.4.4: a charset that is not known is NO. @throws ImapRefusal */
export function requireCharset(program: SearchProgram): void {
  if (program.badCharset) throw no('That charset is not known', 'BADCHARSET (US-ASCII UTF-8)');
}

/** RFC 6203 §4, §6: RELEVANCY only beside FUZZY. @throws ImapRefusal */
export function requireFuzzy(relevancy: boolean, program: SearchProgram): void {
  if (relevancy && !asks(program, 'fuzzy')) throw bad('RELEVANCY needs a FUZZY key');
}

/** cancelupdate = "CANCELUPDATE" 1*(SP quoted) (RFC 5267 §4.3.5) */
export const cancelUpdate = command({
  name: 'CANCELUPDATE',
  states: SELECTED,
  grammar(scanner) {
    const tags: string[] = [];
    while (scanner.accept(' ')) tags.push(scanner.string().toString('latin1'));
    if (tags.length === 0) throw scanner.problem('a tag in quotes');
    return tags;
  },
  run({ mailbox }, tags) {
    const unknown = tags.filter((tag) => !mailbox.contexts.cancel(tag));
    if (unknown.length > 0) throw bad('No search is followed by that tag');
    return ok('Followed no longer');
  },
});
