// Sequence sets (RFC 3501 §9) as values, and their shortest spelling for COPYUID and its kin. Pure; what a number means
// in a mailbox is the view's business.

import type { MessageSet, SetBound, SetRange } from '../search/keys.ts';
import type { Scanner } from './scanner.ts';

/** seq-number = nz-number / "*" */
function bound(scanner: Scanner): SetBound {
  return scanner.accept('*') ? '*' : scanner.nzNumber();
}

/** seq-range = seq-number ":" seq-number, or a seq-number alone */
function range(scanner: Scanner): SetRange {
  const first = bound(scanner);
  return { first, last: scanner.accept(':') ? bound(scanner) : first };
}

/** sequence-set = (seq-number / seq-range) ["," sequence-set]
 * The line's length bounds how many ranges there can be. */
export function sequenceSet(scanner: Scanner): readonly SetRange[] {
  const ranges = [range(scanner)];
  while (scanner.accept(',')) ranges.push(range(scanner));
  return ranges;
}

/** sequence-set =/ seq-last-command; seq-last-command = "$" (RFC 5182 §3), which ends it, alone or behind a comma. */
export function messageSet(scanner: Scanner): MessageSet {
  if (scanner.accept('$')) return 'saved';
  const ranges = [range(scanner)];
  while (scanner.accept(',')) {
    if (scanner.accept('$')) return { besideSaved: ranges };
    ranges.push(range(scanner));
  }
  return ranges;
}

/** uid-set (RFC 4315 §4) of these UIDs in their order, without `*`: `1:3,7`. The order carries meaning in COPYUID. */
export function uidSet(uids: ArrayLike<number>): string {
  return [...setPieces(uids)].join('');
}

/** The same in pieces, for sets of any length. */
export function* setPieces(uids: ArrayLike<number>): Generator<string> {
  let piece = '';
  for (let i = 0; i < uids.length; ) {
    const first = uids[i] ?? 0;
    let last = first;
    const comma = i === 0 ? '' : ',';
    i++;
    while (i < uids.length && uids[i] === last + 1) {
      last++;
      i++;
    }
    piece += `${comma}${first === last ? first : `${first}:${last}`}`;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

/** Characters of a set that are written at a time. */
const PIECE = 16_384;
