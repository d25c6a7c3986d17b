// RETURN (…) of SEARCH, SORT and ESEARCH (RFC 4466 §2.6, RFC 4731, RFC 5182, RFC 5267, RFC 6203, RFC 9394), and the
// partial range that FETCH has too. Pure.

import { bad } from '../completion.ts';
import { type FetchItem, fetchItems } from './fetch-items.ts';
import type { Scanner } from './scanner.ts';

/** `1:100` from the first result on, `-1:-100` from the last one back. Both at least 1, `first` not above `last`. */
export interface PartialRange {
  readonly first: number;
  readonly last: number;
  readonly fromEnd: boolean;
  /** What the response repeats (RFC 5267 §4.4), in rising order: `500:400` is the same range (RFC 5267 §5), and clients look
   * for it as other servers tell it. */
  readonly text: string;
}

/** What is to be returned. Nothing of it at all is `ALL`. */
export interface SearchReturn {
  readonly min: boolean;
  readonly max: boolean;
  readonly count: boolean;
  readonly all: boolean;
  readonly save: boolean;
  readonly update: boolean;
  /** What of a new message among the results is to be fetched, with UPDATE (RFC 5465 §7). */
  readonly fetch: readonly FetchItem[];
  readonly relevancy: boolean;
  readonly partial: PartialRange | null;
}

/** What SEARCH tells in IMAP4rev2 without being asked (RFC 9051 §6.4.4). */
export const ALL_FOUND: SearchReturn = {
  min: false,
  max: false,
  count: false,
  all: true,
  save: false,
  update: false,
  fetch: [],
  relevancy: false,
  partial: null,
};

const WORDS = ['MIN', 'MAX', 'COUNT', 'ALL', 'SAVE', 'UPDATE', 'CONTEXT', 'RELEVANCY'] as const;
type Word = (typeof WORDS)[number];

/** [SP] "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")" SP; null: the command has no RETURN. */
export function searchReturn(scanner: Scanner): SearchReturn | null {
  if (scanner.peekWord() !== 'RETURN') return null;
  scanner.word('RETURN');
  scanner.space();
  const words = new Set<Word>();
  let partial: PartialRange | null = null;
  let fetch: readonly FetchItem[] = [];
  let before = '';
  const options = scanner.list(() => {
    // modifier-update = "UPDATE" [ "(" fetch-att *(SP fetch-att) ")" ], in an example with a space between the two.
    if (scanner.atList && before === 'UPDATE') {
      before = '';
      fetch = fetchItems(scanner);
      return;
    }
    const name = scanner.word('a RETURN option');
    if (name === 'PARTIAL') {
      if (partial) throw bad('RETURN has PARTIAL twice');
      scanner.space();
      partial = partialRange(scanner);
      return;
    }
    const word = WORDS.find((known) => known === name);
    if (word === undefined) throw bad('RETURN has an option that is not known');
    words.add(word);
    before = word;
    if (word === 'UPDATE' && scanner.atList) fetch = fetchItems(scanner);
  });
  scanner.space();
  // RFC 5267 §4.4: one PARTIAL, one ALL, or neither.
  if (partial && words.has('ALL')) throw bad('RETURN has ALL and PARTIAL');
  return {
    min: words.has('MIN'),
    max: words.has('MAX'),
    count: words.has('COUNT'),
    all: words.has('ALL') || options.length === 0,
    save: words.has('SAVE'),
    update: words.has('UPDATE'),
    fetch,
    relevancy: words.has('RELEVANCY'),
    partial,
  };
}

/** partial-range = partial-range-first / partial-range-last (RFC 9394 §4)
 * partial-range-first = nz-number ":" nz-number; partial-range-last = MINUS nz-number ":" MINUS nz-number */
export function partialRange(scanner: Scanner): PartialRange {
  const fromEnd = scanner.accept('-');
  const one = scanner.nzNumber();
  scanner.expect(':');
  if (fromEnd) scanner.expect('-');
  const other = scanner.nzNumber();
  const [first, last] = [Math.min(one, other), Math.max(one, other)];
  const sign = fromEnd ? '-' : '';
  return { first, last, fromEnd, text: `${sign}${first}:${sign}${last}` };
}

/** Where the results in a range stand among so many: `[from, to)`. */
export function placesOf(length: number, { first, last, fromEnd }: PartialRange): [from: number, to: number] {
  if (!fromEnd) return [Math.min(length, first - 1), Math.min(length, last)];
  return [Math.max(0, length - last), Math.max(0, length - first + 1)];
}

/** The results in a range, in their order. */
export function partOf<T>(results: readonly T[], range: PartialRange): readonly T[] {
  return results.slice(...placesOf(results.length, range));
}
