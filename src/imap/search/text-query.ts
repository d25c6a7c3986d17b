// What a search program asks of the index (Reads.possibleMatches): a question to which every message found says yes. What
// the index cannot know is left out of it, so that its answer is never too small.

import type { TextQuery } from '../../store/store.ts';
import { fold } from './fold.ts';
import { fuzzyWords } from './fuzzy.ts';
import type { SearchKey, SearchProgram } from './keys.ts';

export interface IndexQuestion {
  readonly query: TextQuery;
  /** Strings that may stand in the prefix of a message, which the index does not know. */
  readonly headerTexts: readonly string[];
}

/** null: no key that must hold looks for a text. */
export function indexQuestion({ keys }: SearchProgram): IndexQuestion | null {
  const headerTexts: string[] = [];
  const query = ofAll(keys, headerTexts);
  return query && { query, headerTexts };
}

function ofAll(keys: readonly SearchKey[], headerTexts: string[]): TextQuery | null {
  const all = keys.map((key) => queryOf(key, headerTexts)).filter((query) => query !== null);
  return all.length === 0 ? null : { all };
}

function queryOf(key: SearchKey, headerTexts: string[]): TextQuery | null {
  switch (key.key) {
    case 'header':
    case 'text':
    case 'body':
      return textQuery(key.key, fold(key.text), headerTexts);
    case 'and':
      return ofAll(key.keys, headerTexts);
    case 'or': {
      const left = queryOf(key.left, headerTexts);
      const right = queryOf(key.right, headerTexts);
      return left && right && { any: [left, right] };
    }
    case 'fuzzy':
      return fuzzyQuery(key.operand, headerTexts);
    default:
      return null;
  }
}

/** A text matches by its words, too. */
function fuzzyQuery(key: SearchKey, headerTexts: string[]): TextQuery | null {
  switch (key.key) {
    case 'header':
    case 'text':
    case 'body': {
      const words = fuzzyWords(fold(key.text));
      const all = words.map((word) => textQuery(key.key, word, headerTexts)).filter((query) => query !== null);
      return all.length === 0 ? null : { all };
    }
    case 'and': {
      const all = key.keys.map((inner) => fuzzyQuery(inner, headerTexts)).filter((query) => query !== null);
      return all.length === 0 ? null : { all };
    }
    case 'or': {
      const left = fuzzyQuery(key.left, headerTexts);
      const right = fuzzyQuery(key.right, headerTexts);
      return left && right && { any: [left, right] };
    }
    default:
      return queryOf(key, headerTexts);
  }
}

function textQuery(key: 'header' | 'text' | 'body', text: string, headerTexts: string[]): TextQuery | null {
  if (text === '') return null;
  if (key === 'body') return { within: 'body', text };
  headerTexts.push(text);
  const header: TextQuery = { within: 'header', text };
  return key === 'header' ? header : { any: [header, { within: 'body', text }] };
}

/** May a prefix hold one of the texts? Cheap: what is encoded or folded may hold any. */
export function prefixMayHold(prefix: Uint8Array, headerTexts: readonly string[]): boolean {
  const text = Buffer.from(prefix.buffer, prefix.byteOffset, prefix.length).toString('utf8');
  if (/=\?|\n[ \t]|\ufffd/.test(text)) return true;
  const folded = fold(text);
  return headerTexts.some((wanted) => folded.includes(wanted));
}
