// The keys of SEARCH as values (RFC 3501 §6.4.4): what src/imap/grammar/search-program.ts makes of the client's words and
// program.ts evaluates.

/** Largest depth of NOT, OR and parentheses, and largest number of keys in one command; of strings that are looked for in
 * all the text there is. The grammar refuses more. */
export const SEARCH_LIMITS = { depth: 50, keys: 1000, texts: 100 } as const;

/** A bound of a sequence set; `*` is the largest number in the mailbox (RFC 3501 §9, seq-number). */
export type SetBound = number | '*';

/** One range of a sequence set, in the order in which it was written: `5:*` may run backwards. */
export interface SetRange {
  readonly first: SetBound;
  readonly last: SetBound;
}

/** A sequence set, or `$`: the messages that the last SEARCH saved (RFC 5182). */
type PlainSet = readonly SetRange[] | 'saved';

/** The same, or `$` behind numbers: `1:3,$`. */
export type MessageSet = PlainSet | { readonly besideSaved: readonly SetRange[] };

/** A date without time or zone: days since 1970-01-01. */
export type Day = number;

/** One search key. All keys beside each other must match (`and`). */
export type SearchKey =
  | { readonly key: 'all' | 'new' | 'old' | 'recent' }
  /** ANSWERED, SEEN … and, with `set: false`, UNANSWERED, UNSEEN …: a bit of `Flag`. */
  | { readonly key: 'flag'; readonly flag: number; readonly set: boolean }
  /** KEYWORD and UNKEYWORD; case does not matter. */
  | { readonly key: 'keyword'; readonly keyword: string; readonly set: boolean }
  /** A bare sequence set, or UID. */
  | { readonly key: 'sequence' | 'uid'; readonly set: PlainSet }
  /** What a sequence set named when the command came, which stands where it is judged again later (RFC 5267 §4.3). */
  | { readonly key: 'among'; readonly uids: Uint32Array }
  /** OLDER and YOUNGER (RFC 5032), seconds. */
  | { readonly key: 'within'; readonly relation: 'older' | 'younger'; readonly seconds: number }
  /** FUZZY (RFC 6203). */
  | { readonly key: 'fuzzy'; readonly operand: SearchKey }
  /** BEFORE, ON, SINCE against INTERNALDATE; SENTBEFORE, SENTON, SENTSINCE against the Date field; SAVEDBEFORE, SAVEDON,
   * SAVEDSINCE against the save date, whose day is that of UTC (RFC 8514 §4.3). Time and zone are disregarded. */
  | {
      readonly key: 'date';
      readonly of: 'internal' | 'sent' | 'saved';
      readonly relation: 'before' | 'on' | 'since';
      readonly day: Day;
    }
  /** LARGER and SMALLER, octets of RFC822.SIZE. */
  | { readonly key: 'size'; readonly relation: 'larger' | 'smaller'; readonly octets: number }
  /** HEADER, and BCC, CC, FROM, SUBJECT, TO as HEADER of that name. `text` is decoded from the CHARSET; empty: the field
   * only has to be there. `name` in any case. `addresses`: the text may also be in an address of the field. */
  | { readonly key: 'header'; readonly name: string; readonly text: string; readonly addresses?: boolean }
  /** BODY and TEXT. */
  | { readonly key: 'body' | 'text'; readonly text: string }
  /** MODSEQ: changed with it or later. */
  | { readonly key: 'modseq'; readonly from: number }
  /** EMAILID and THREADID (RFC 8474 §6). */
  | { readonly key: 'email id' | 'thread id'; readonly id: string }
  | { readonly key: 'not'; readonly operand: SearchKey }
  | { readonly key: 'or'; readonly left: SearchKey; readonly right: SearchKey }
  | { readonly key: 'and'; readonly keys: readonly SearchKey[] };

/** What one SEARCH asks: the conjunction of its keys. */
export interface SearchProgram {
  readonly keys: readonly SearchKey[];
  /** The CHARSET is not known: the command is answered NO, and nothing is searched. */
  readonly badCharset: boolean;
}

/** Is there such a key in it, be it within others? `$` is no sequence number. */
export function asks({ keys }: SearchProgram, wanted: 'fuzzy' | 'modseq' | 'sequence'): boolean {
  const within = (key: SearchKey): boolean => {
    if (key.key === wanted) return key.key !== 'sequence' || key.set !== 'saved';
    switch (key.key) {
      case 'not':
      case 'fuzzy':
        return within(key.operand);
      case 'or':
        return within(key.left) || within(key.right);
      case 'and':
        return key.keys.some(within);
      default:
        return false;
    }
  };
  return keys.some(within);
}
