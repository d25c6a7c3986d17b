// Keywords (RFC 9051 §2.3.2): atoms without regard to case, kept as text with a space between them. A mailbox knows all
// that were ever used in it, in the order in which they appeared, and their first spelling holds.

import { Limit } from './limits.ts';
import { StoreError } from './store.ts';

/** Keywords as a column holds them; null for none. */
export function joinKeywords(keywords: readonly string[]): string | null {
  return keywords.length === 0 ? null : keywords.join(' ');
}

/** Keywords of a column. */
export function splitKeywords(text: string | null): readonly string[] {
  return text === null || text === '' ? [] : text.split(' ');
}

/** The keywords of one mailbox, while a command adds to them. */
export class Keywords {
  #text: string;
  /** By lower case; made when it is needed. */
  #spellings: Map<string, string> | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** For the mailbox's column. */
  get text(): string {
    return this.#text;
  }

  /** The mailbox's spelling of each, without repetition. @throws StoreError refused, if one is none or too many are */
  accept(keywords: readonly string[]): readonly string[] {
    if (keywords.length === 0) return keywords;
    const accepted = new Set<string>();
    for (const keyword of keywords) accepted.add(this.#accept(keyword));
    return [...accepted];
  }

  #accept(keyword: string): string {
    this.#spellings ??= new Map(splitKeywords(this.#text).map((known) => [known.toLowerCase(), known]));
    const key = keyword.toLowerCase();
    const known = this.#spellings.get(key);
    if (known !== undefined) return known;
    if (keyword.length > Limit.keywordLength || !/^[^\s\0-\x1f\x7f]+$/.test(keyword)) {
      throw new StoreError('refused', 'This is no keyword');
    }
    if (this.#spellings.size >= Limit.keywords) throw new StoreError('limit', 'The mailbox has too many keywords');
    this.#spellings.set(key, keyword);
    this.#text = this.#text === '' ? keyword : `${this.#text} ${keyword}`;
    return keyword;
  }
}
