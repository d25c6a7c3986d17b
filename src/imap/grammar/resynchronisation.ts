// The parameters of SELECT and EXAMINE, and the modifiers of FETCH and STORE, by which a client comes up to date
// (RFC 4466 §2.2, §2.4, RFC 7162 §7). Pure.

import { bad } from '../completion.ts';
import type { SetRange } from '../search/keys.ts';
import type { Scanner } from './scanner.ts';
import { type PartialRange, partialRange } from './search-return.ts';
import { sequenceSet } from './sequence-set.ts';

/** What a client remembers of a mailbox. */
export interface Remembered {
  readonly uidValidity: number;
  readonly modSeq: number;
  /** The UIDs that it knows; null: all up to now. */
  readonly known: readonly SetRange[] | null;
  /** Sequence numbers and their UIDs, pairwise and ascending; null: it does not tell. */
  readonly match: { readonly sequences: readonly SetRange[]; readonly uids: readonly SetRange[] } | null;
}

interface SelectParameters {
  readonly condstore: boolean;
  readonly qresync: Remembered | null;
}

/** select-params = SP "(" select-param *(SP select-param) ")"
 * select-param =/ condstore-param / qresync-param; condstore-param = "CONDSTORE" */
export function selectParameters(scanner: Scanner): SelectParameters {
  let condstore = false;
  let qresync: Remembered | null = null;
  const names = parameters(scanner, (name) => {
    if (name === 'CONDSTORE') condstore = true;
    else if (name === 'QRESYNC') qresync = remembered(scanner);
    else throw bad('SELECT has a parameter that is not known');
  });
  return { condstore: condstore || names.has('QRESYNC'), qresync };
}

/** qresync-param = "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")" */
function remembered(scanner: Scanner): Remembered {
  scanner.space();
  scanner.expect('(');
  const uidValidity = scanner.nzNumber();
  scanner.space();
  const modSeq = scanner.number64('a mod-sequence');
  if (modSeq === 0) throw bad('A mod-sequence is zero that must not be');
  let known: readonly SetRange[] | null = null;
  let match: Remembered['match'] = null;
  if (scanner.accept(' ')) {
    if (!scanner.atList) {
      known = numbersOnly(scanner);
      if (scanner.accept(' ')) match = matchData(scanner);
    } else match = matchData(scanner);
  }
  scanner.expect(')');
  return { uidValidity, modSeq, known, match };
}

/** seq-match-data = "(" known-sequence-set SP known-uid-set ")" */
function matchData(scanner: Scanner): NonNullable<Remembered['match']> {
  scanner.expect('(');
  const sequences = numbersOnly(scanner);
  scanner.space();
  const uids = numbersOnly(scanner);
  scanner.expect(')');
  return { sequences, uids };
}

/** A sequence set in which "*" is not allowed. */
function numbersOnly(scanner: Scanner): readonly SetRange[] {
  const set = sequenceSet(scanner);
  if (set.some(({ first, last }) => first === '*' || last === '*')) throw bad('"*" cannot be remembered');
  return set;
}

interface FetchModifiers {
  /** Only messages with a higher MODSEQ; null: all. */
  readonly changedSince: number | null;
  readonly vanished: boolean;
  /** Which of the messages named are meant (RFC 9394 §3.3); null: all. */
  readonly partial: PartialRange | null;
}

/** fetch-modifiers = SP "(" fetch-modifier *(SP fetch-modifier) ")"
 * fetch-modifier =/ chgsince-fetch-mod / rexpunges-fetch-mod / modifier-partial
 * chgsince-fetch-mod = "CHANGEDSINCE" SP mod-sequence-value; rexpunges-fetch-mod = "VANISHED" */
export function fetchModifiers(scanner: Scanner): FetchModifiers {
  let changedSince: number | null = null;
  let partial: PartialRange | null = null;
  const names = parameters(scanner, (name) => {
    if (name === 'PARTIAL') {
      scanner.space();
      partial = partialRange(scanner);
    } else if (name === 'CHANGEDSINCE') {
      scanner.space();
      changedSince = scanner.number64('a mod-sequence');
    } else if (name !== 'VANISHED') throw bad('FETCH has a modifier that is not known');
  });
  return { changedSince, vanished: names.has('VANISHED'), partial };
}

/** store-modifiers = SP "(" store-modifier *(SP store-modifier) ")"
 * store-modifier =/ "UNCHANGEDSINCE" SP mod-sequence-valzer
 * @returns the highest MODSEQ of a message that is changed; null: whatever it is */
export function storeModifiers(scanner: Scanner): number | null {
  let unchangedSince: number | null = null;
  parameters(scanner, (name) => {
    if (name !== 'UNCHANGEDSINCE') throw bad('STORE has a modifier that is not known');
    scanner.space();
    unchangedSince = scanner.number64('a mod-sequence');
  });
  return unchangedSince;
}

/** The list that may follow, with what each name asks for; each name once. */
function parameters(scanner: Scanner, read: (name: string) => void): ReadonlySet<string> {
  const names = new Set<string>();
  scanner.list(() => {
    const name = scanner.word('a parameter');
    if (names.has(name)) throw bad('A parameter is given twice');
    names.add(name);
    read(name);
  });
  if (names.size === 0) throw bad('A list of parameters is empty');
  return names;
}
