// The searching criteria of SEARCH, SORT and THREAD (RFC 3501 §6.4.4, RFC 5256 §3), with the keys of WITHIN (RFC 5032) and
// FUZZY (RFC 6203), as a program for src/imap/search. Pure; bounded in depth and length.

import { Flag } from '../../store/rows.ts';
import { bad } from '../completion.ts';
import { SEARCH_LIMITS, type SearchKey, type SearchProgram } from '../search/keys.ts';
import { date } from './date-time.ts';
import type { Scanner } from './scanner.ts';
import { messageSet } from './sequence-set.ts';

type KeyReader = (reader: ProgramReader) => SearchKey;

const flag =
  (bit: number, set: boolean): KeyReader =>
  () => ({ key: 'flag', flag: bit, set });
const addressed =
  (name: string): KeyReader =>
  (reader) => ({ key: 'header', name, text: reader.text(), addresses: true });
const keyword =
  (set: boolean): KeyReader =>
  (reader) => ({ key: 'keyword', keyword: reader.atom(), set });
const dated =
  (of: 'internal' | 'sent' | 'saved', relation: 'before' | 'on' | 'since'): KeyReader =>
  (reader) => ({ key: 'date', of, relation, day: reader.day() });
const sized =
  (relation: 'larger' | 'smaller'): KeyReader =>
  (reader) => ({ key: 'size', relation, octets: reader.number64() });

/** search-key of RFC 3501 §9, but for the sequence set and the parentheses, which begin with no word. */
const KEYS: Readonly<Record<string, KeyReader>> = {
  ALL: () => ({ key: 'all' }),
  NEW: () => ({ key: 'new' }),
  OLD: () => ({ key: 'old' }),
  RECENT: () => ({ key: 'recent' }),
  ANSWERED: flag(Flag.Answered, true),
  DELETED: flag(Flag.Deleted, true),
  DRAFT: flag(Flag.Draft, true),
  FLAGGED: flag(Flag.Flagged, true),
  SEEN: flag(Flag.Seen, true),
  UNANSWERED: flag(Flag.Answered, false),
  UNDELETED: flag(Flag.Deleted, false),
  UNDRAFT: flag(Flag.Draft, false),
  UNFLAGGED: flag(Flag.Flagged, false),
  UNSEEN: flag(Flag.Seen, false),
  KEYWORD: keyword(true),
  UNKEYWORD: keyword(false),
  BEFORE: dated('internal', 'before'),
  ON: dated('internal', 'on'),
  SINCE: dated('internal', 'since'),
  SENTBEFORE: dated('sent', 'before'),
  SENTON: dated('sent', 'on'),
  SENTSINCE: dated('sent', 'since'),
  // RFC 8514 §4.3. Every message has a save date here.
  SAVEDBEFORE: dated('saved', 'before'),
  SAVEDON: dated('saved', 'on'),
  SAVEDSINCE: dated('saved', 'since'),
  SAVEDATESUPPORTED: () => ({ key: 'all' }),
  EMAILID: (reader) => ({ key: 'email id', id: reader.objectId() }),
  THREADID: (reader) => ({ key: 'thread id', id: reader.objectId() }),
  LARGER: sized('larger'),
  SMALLER: sized('smaller'),
  OLDER: (reader) => ({ key: 'within', relation: 'older', seconds: reader.nzNumber() }),
  YOUNGER: (reader) => ({ key: 'within', relation: 'younger', seconds: reader.nzNumber() }),
  BCC: addressed('Bcc'),
  CC: addressed('Cc'),
  FROM: addressed('From'),
  SUBJECT: (reader) => ({ key: 'header', name: 'Subject', text: reader.text() }),
  TO: addressed('To'),
  HEADER: (reader) => ({ key: 'header', name: reader.fieldName(), text: reader.text() }),
  BODY: (reader) => ({ key: 'body', text: reader.text() }),
  TEXT: (reader) => ({ key: 'text', text: reader.text() }),
  UID: (reader) => reader.uids(),
  MODSEQ: (reader) => reader.modSeq(),
  FUZZY: (reader) => ({ key: 'fuzzy', operand: reader.operand() }),
  NOT: (reader) => ({ key: 'not', operand: reader.operand() }),
  OR: (reader) => ({ key: 'or', left: reader.operand(), right: reader.operand() }),
};

/** What IMAP4rev2 has no more (RFC 9051 §6.4.4). */
const RECENT_KEYS: ReadonlySet<string> = new Set(['NEW', 'OLD', 'RECENT']);

/** search-program = ["CHARSET" SP charset SP] search-key *(SP search-key) (RFC 4466 §3); the space before it is taken. */
export function searchProgram(scanner: Scanner): SearchProgram {
  if (scanner.peekWord() !== 'CHARSET') return searchKeys(scanner, 'UTF-8');
  // RFC 9755 §3: two charsets at once.
  if (scanner.utf8 && !scanner.rev2) throw bad('SEARCH names a charset, but UTF8=ACCEPT was enabled');
  scanner.word('CHARSET');
  scanner.space();
  return searchCriteria(scanner);
}

/** search-criteria = charset 1*(SP search-key) (RFC 5256 §5); the space before it is taken. */
export function searchCriteria(scanner: Scanner): SearchProgram {
  const charset = scanner.astring().toString('latin1');
  scanner.space();
  return searchKeys(scanner, charset);
}

function searchKeys(scanner: Scanner, charset: string): SearchProgram {
  const decoder = decoderOf(charset);
  const reader = new ProgramReader(scanner, decoder ?? new TextDecoder('latin1'));
  const keys: SearchKey[] = [];
  do keys.push(reader.key());
  while (scanner.accept(' '));
  return { keys, badCharset: decoder === null };
}

/** RFC 3501 §6.4.4: US-ASCII MUST be supported. null: the charset is not known. */
function decoderOf(charset: string): TextDecoder | null {
  try {
    return new TextDecoder(/^us-ascii$/i.test(charset) ? 'utf-8' : charset, { fatal: true });
  } catch {
    return null;
  }
}

class ProgramReader {
  readonly #scanner: Scanner;
  readonly #decoder: TextDecoder;
  #depth = 0;
  #keys = 0;
  #texts = 0;

  constructor(scanner: Scanner, charset: TextDecoder) {
    this.#scanner = scanner;
    this.#decoder = charset;
  }

  /** search-key = … / sequence-set / "(" search-key *(SP search-key) ")" */
  key(): SearchKey {
    if (++this.#keys > SEARCH_LIMITS.keys) throw bad('SEARCH has too many keys');
    if (++this.#depth > SEARCH_LIMITS.depth) throw bad('SEARCH is nested too deeply');
    const key = this.#read();
    this.#depth--;
    return key;
  }

  #read(): SearchKey {
    const scanner = this.#scanner;
    if (scanner.atList) {
      const keys = scanner.list(() => this.key());
      if (keys.length === 0) throw bad('SEARCH has empty parentheses');
      return { key: 'and', keys };
    }
    if (/[\d*$]/.test(String.fromCharCode(scanner.peek()))) return this.set('sequence');
    const name = scanner.word('a SEARCH key');
    const read = scanner.rev2 && RECENT_KEYS.has(name) ? undefined : KEYS[name];
    if (!read) throw bad('SEARCH has a key that is not known');
    return read(this);
  }

  operand(): SearchKey {
    this.#scanner.space();
    return this.key();
  }

  text(): string {
    if (++this.#texts > SEARCH_LIMITS.texts) throw bad('SEARCH looks for too many strings');
    this.#scanner.space();
    const octets = this.#scanner.astring();
    try {
      return this.#decoder.decode(octets);
    } catch {
      throw bad('A SEARCH text is not in its charset');
    }
  }

  /** search-modsequence = "MODSEQ" [search-modseq-ext] SP mod-sequence-valzer
   * search-modseq-ext = SP entry-name SP entry-type-req (RFC 7162 §7). Here all entries of a message share one number,
   * so which one is meant changes nothing. */
  modSeq(): SearchKey {
    const scanner = this.#scanner;
    scanner.space();
    if (scanner.atQuote) {
      scanner.string();
      scanner.space();
      if (!['ALL', 'PRIV', 'SHARED'].includes(scanner.word('an entry type'))) throw scanner.problem('an entry type');
      scanner.space();
    }
    return { key: 'modseq', from: scanner.number64('a mod-sequence') };
  }

  fieldName(): string {
    this.#scanner.space();
    return this.#scanner.astring().toString('latin1');
  }

  atom(): string {
    this.#scanner.space();
    return this.#scanner.atom('a keyword');
  }

  /** objectid = 1*255(ALPHA / DIGIT / "_" / "-") (RFC 8474 §7) */
  objectId(): string {
    this.#scanner.space();
    const id = this.#scanner.atom('an object id');
    if (!/^[\w-]{1,255}$/.test(id)) throw bad('An object id is not one');
    return id;
  }

  number64(): number {
    this.#scanner.space();
    return this.#scanner.number64();
  }

  nzNumber(): number {
    this.#scanner.space();
    return this.#scanner.nzNumber();
  }

  day(): number {
    this.#scanner.space();
    return date(this.#scanner);
  }

  uids(): SearchKey {
    this.#scanner.space();
    return this.set('uid');
  }

  set(key: 'sequence' | 'uid'): SearchKey {
    const set = messageSet(this.#scanner);
    if (set === 'saved' || !('besideSaved' in set)) return { key, set };
    return { key: 'or', left: { key, set: set.besideSaved }, right: { key, set: 'saved' } };
  }
}
