// The criteria of SORT (RFC 5256 §5, RFC 5957 §5, RFC 6203 §7) as values. Pure.

import { bad } from '../completion.ts';
import { SORT_KEYS, type SortCriterion } from '../sort/order.ts';
import type { Scanner } from './scanner.ts';

/** Criteria of one command: more than there are keys say nothing. */
const MOST_CRITERIA = 50;

/** sort-criteria = "(" sort-criterion *(SP sort-criterion) ")"; sort-criterion = ["REVERSE" SP] sort-key */
export function sortCriteria(scanner: Scanner): readonly SortCriterion[] {
  const criteria = scanner.list(() => {
    const reverse = scanner.peekWord() === 'REVERSE';
    if (reverse) {
      scanner.word('REVERSE');
      scanner.space();
    }
    const name = scanner.word('a sort key');
    const key = SORT_KEYS.find((known) => known === name);
    if (key === undefined) throw bad('SORT has a key that is not known');
    return { key, reverse };
  });
  if (criteria.length === 0) throw bad('SORT has no keys');
  if (criteria.length > MOST_CRITERIA) throw bad('SORT has too many keys');
  return criteria;
}
