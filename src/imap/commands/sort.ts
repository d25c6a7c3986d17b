// SORT and UID SORT (RFC 5256 §3), with RETURN (ESORT, RFC 5267 §3).

import { ok } from '../completion.ts';
import { searchCriteria } from '../grammar/search-program.ts';
import { searchReturn } from '../grammar/search-return.ts';
import { sortCriteria } from '../grammar/sort-criteria.ts';
import { asks } from '../search/keys.ts';
import { SortResults } from '../search/result-list.ts';
import { comparison, inOrder, needsSortKeys } from '../sort/order.ts';
import { sortables } from '../sort/sortables.ts';
import { command, SELECTED } from './command.ts';
import { requireFuzzy, searchSelected, selectedSearch, tellFound } from './search.ts';
import { numbersOf, tellNumbers } from './search-answer.ts';

/** sort = "SORT" [search-return-opts] SP sort-criteria SP search-criteria */
export const sort = command({
  name: 'SORT',
  states: SELECTED,
  uid: 'allowed',
  expunge: 'told in UID form',
  grammar(scanner) {
    scanner.space();
    const asked = searchReturn(scanner);
    const criteria = sortCriteria(scanner);
    scanner.space();
    return { asked, criteria, program: searchCriteria(scanner) };
  },
  numbered: ({ program }) => asks(program, 'sequence'),
  async run(session, { asked, criteria, program }, byUid) {
    requireFuzzy(
      criteria.some(({ key }) => key === 'RELEVANCY'),
      program,
    );
    const selected = selectedSearch(session, { asked, program, byUid, criteria });
    const found = await searchSelected(session, selected);
    const { id, sorting } = session.mailbox;
    const messages = await sortables(sorting, id, found, needsSortKeys(criteria));
    const sorted = await inOrder(messages, criteria, session.turn, sorting.sortables.orders(id, messages));
    const uids = sorted.map(({ uid }) => uid);
    const results = { ...found, uids, scores: found.scores && sorted.map(({ score }) => score) };
    if (!asked) await tellNumbers(session, 'SORT', numbersOf(session, uids, byUid), results);
    else await tellFound(session, selected, results, () => new SortResults(sorted, comparison(criteria)));
    return ok('Sorted');
  },
});
