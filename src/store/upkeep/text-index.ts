// The search index in derived.db: which trigrams are in the texts of a body. It says which bodies cannot hold a string and
// so need not be read; whether another one does, only its text can tell. Texts are normalised by whoever hands them in.

import type { Connection } from '../engine.ts';
import type { BodyId } from '../rows.ts';
import type { TextQuery } from '../store.ts';

/** Contentless and without positions: a ninth of the mail. `text_term` tells which trigrams there are; `text_done` has the
 * bodies that are in the index, as runs. */
export const TEXT_SCHEMA = `
CREATE VIRTUAL TABLE text_index USING fts5(
  header, body, content='', contentless_delete=1, detail=column, tokenize="trigram case_sensitive 1"
);
CREATE VIRTUAL TABLE text_term USING fts5vocab(text_index, instance);
CREATE TABLE text_done (first INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
`;

/** The texts of one body. */
export interface IndexedText {
  readonly body: BodyId;
  readonly header: string;
  readonly text: string;
}

/** Trigrams of one string that are looked for: more of them hardly make the answer better. */
const MOST_TRIGRAMS = 24;
/** Trigrams that a string of one or two characters may begin, beyond which it is in most of the mail, and all such strings of
 * a question together. */
const MOST_BEGUN = { string: 128, question: 512 } as const;
/** What each text ends with, so that a character at its end begins a trigram, too. */
const END = '\x01\x01';
/** Strings of one question: each costs a look at every one of its trigrams. */
const MOST_STRINGS = 64;
/** Bodies are looked up in windows of so many ids, so that no look-up holds the thread for long. */
const WINDOW = 32_768;

/** Puts texts into the index. One that is there already is passed over. */
export function putTexts(db: Connection, texts: readonly IndexedText[]): void {
  for (const { body, header, text } of texts) {
    if (isDone(db, body)) continue;
    db.run('INSERT INTO text_index (rowid, header, body) VALUES (?, ?, ?)', body, indexed(header), indexed(text));
    markDone(db, body, body);
  }
}

/** Takes bodies out that are gone. Their numbers never come again. */
export function dropTexts(db: Connection, bodies: readonly BodyId[]): void {
  for (const body of bodies) {
    if (isDone(db, body)) db.run('DELETE FROM text_index WHERE rowid = ?', body);
  }
}

/** FTS5 reads a text up to its first NUL; no string that is searched for has one. */
function indexed(text: string): string {
  return (text.includes('\0') ? text.replaceAll('\0', '\x01') : text) + END;
}

function isDone(db: Connection, body: BodyId): boolean {
  const run = db.get<{ last: number }>('SELECT last FROM text_done WHERE first <= ? ORDER BY first DESC LIMIT 1', body);
  return run !== undefined && run.last >= body;
}

/** Notes that all bodies that there are from `first` to `last` are in the index, none of which was noted before. */
export function markDone(db: Connection, first: number, last: number): void {
  const before = db.get<{ first: number }>(
    'SELECT first FROM text_done WHERE last = ? AND first <= ?',
    first - 1,
    first,
  );
  const behind = db.get<{ last: number }>('SELECT last FROM text_done WHERE first = ?', last + 1);
  if (behind !== undefined) db.run('DELETE FROM text_done WHERE first = ?', last + 1);
  const end = behind?.last ?? last;
  if (before === undefined) db.run('INSERT INTO text_done (first, last) VALUES (?, ?)', first, end);
  else db.run('UPDATE text_done SET last = ? WHERE first = ?', end, before.first);
}

/** The run that begins behind a body; undefined: none does. */
export function nextDone(db: Connection, after: number): { first: number; last: number } | undefined {
  return db.get('SELECT first, last FROM text_done WHERE first > ? ORDER BY first LIMIT 1', after);
}

/**
 * Those of the bodies whose texts may match: all but those of which the index knows better.
 * @returns null: the index cannot help, since the strings of the query are in most of the mail, or there are too many
 */
export function possibleMatches(
  db: Connection,
  bodies: readonly BodyId[],
  query: TextQuery,
): ReadonlySet<BodyId> | null {
  const expression = stringsOf(query) <= MOST_STRINGS ? expressionOf({ db, room: MOST_BEGUN.question }, query) : null;
  if (expression === null) return null;
  const possible = new Set<BodyId>();
  const ascending = bodies.toSorted((a, b) => a - b);
  for (let at = 0; at < ascending.length; ) {
    const first = ascending[at] ?? 0;
    let end = at;
    while ((ascending[end] ?? Number.POSITIVE_INFINITY) < first + WINDOW) end += 1;
    const window = ascending.slice(at, end);
    at = end;
    const last = window.at(-1) ?? first;
    // What is in the index is read first: what comes into it meanwhile is then looked at without need, and not missed.
    const runs = runsWithin(db, first, last);
    const matching = new Set(
      db
        .all<{ body: BodyId }>(
          'SELECT rowid AS body FROM text_index WHERE text_index MATCH ? AND rowid BETWEEN ? AND ?',
          expression,
          first,
          last,
        )
        .map(({ body }) => body),
    );
    let run = 0;
    for (const body of window) {
      while ((runs[run]?.last ?? Number.POSITIVE_INFINITY) < body) run += 1;
      const done = (runs[run]?.first ?? Number.POSITIVE_INFINITY) <= body;
      if (!done || matching.has(body)) possible.add(body);
    }
  }
  return possible;
}

function runsWithin(db: Connection, first: number, last: number): readonly { first: number; last: number }[] {
  return db.all(
    `SELECT first, last FROM text_done
     WHERE first <= ?2 AND first >= coalesce((SELECT max(first) FROM text_done WHERE first <= ?1), 0) ORDER BY first`,
    first,
    last,
  );
}

function stringsOf(query: TextQuery): number {
  if ('text' in query) return 1;
  return ('all' in query ? query.all : query.any).reduce((sum, part) => sum + stringsOf(part), 0);
}

interface Vocabulary {
  readonly db: Connection;
  /** Trigrams that may still be looked up. */
  room: number;
}

/** As FTS5 has it. null: any text may match. */
function expressionOf(vocabulary: Vocabulary, query: TextQuery): string | null {
  if ('text' in query) {
    const trigrams = trigramsOf(vocabulary, query.text);
    return trigrams && `${query.within} : (${trigrams})`;
  }
  if ('all' in query) {
    const parts = query.all.map((part) => expressionOf(vocabulary, part)).filter((part) => part !== null);
    return parts.length === 0 ? null : `(${parts.join(' AND ')})`;
  }
  const parts = query.any.map((part) => expressionOf(vocabulary, part));
  return parts.length === 0 || parts.includes(null) ? null : `(${parts.join(' OR ')})`;
}

function trigramsOf(vocabulary: Vocabulary, text: string): string | null {
  const characters = [...text];
  if (characters.length < 3) return text === '' ? null : begunBy(vocabulary, text);
  const trigrams = new Set<string>();
  const step = Math.max(1, Math.floor((characters.length - 2) / MOST_TRIGRAMS));
  for (let at = 0; at + 2 < characters.length; at += step) trigrams.add(quoted(characters.slice(at, at + 3).join('')));
  return [...trigrams].join(' AND ');
}

/** The trigrams that a short string begins: whatever holds it holds one of them. */
function begunBy(vocabulary: Vocabulary, text: string): string | null {
  const trigrams: string[] = [];
  for (let from = text; ; ) {
    // One after the other: what is asked for at once is every place where they are.
    const next = vocabulary.db.get<{ term: string }>(
      'SELECT term FROM text_term WHERE term >= ? AND term <= ? LIMIT 1',
      from,
      `${text}${HIGHEST}`,
    );
    if (next === undefined) break;
    if (trigrams.length === MOST_BEGUN.string || vocabulary.room === 0) return null;
    vocabulary.room -= 1;
    trigrams.push(quoted(next.term));
    from = `${next.term}${LOWEST}`;
  }
  return trigrams.length === 0 ? quoted(NOWHERE) : trigrams.join(' OR ');
}

/** Characters below and above all of a text, and what no text has. */
const LOWEST = '\x01';
const HIGHEST = '\u{10ffff}';
const NOWHERE = '\x02\x03\x02';

function quoted(trigram: string): string {
  return `"${trigram.replaceAll('"', '""')}"`;
}
