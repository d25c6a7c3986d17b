// FUZZY (RFC 6203): which words of a text are looked for, and how relevant a message is that was found. A text counts most
// in the subject, then in the header, then in the body, and more as it stands than by its words.

import type { Evidence, Judge } from './evidence.ts';
import type { HeaderQuestion } from './searched-header.ts';

/** How well a message answers one fuzzy text, 1 to 100; 0: nothing can be said. */
export type Grader = (evidence: Evidence) => number;

/** Words of one text that are looked for. */
const MOST_WORDS = 5;
const SCORE = { subject: 100, header: 80, body: 60, words: 30 } as const;

/** @param text folded. @returns at least one */
export function fuzzyWords(text: string): readonly string[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  return words.length === 0 ? [text] : words.slice(0, MOST_WORDS);
}

/** @param exact whether the text stands in the message as it is. @param words whether all of its words do */
export function textGrader(exact: Judge, words: Judge, text: string): Grader {
  const holds = (value: string) => value.includes(text);
  const subject: HeaderQuestion = { name: 'subject', holds };
  const header: HeaderQuestion = { name: null, holds };
  return (evidence) => {
    if (exact(evidence) !== true) return words(evidence) === true ? SCORE.words : 0;
    if (evidence.header?.answer(subject)) return SCORE.subject;
    return evidence.header?.answer(header) ? SCORE.header : SCORE.body;
  };
}

/** The mean over the texts that say something. @returns 1 to 100 */
export function scoreOf(graders: readonly Grader[], evidence: Evidence): number {
  const scores = graders.map((grade) => grade(evidence)).filter((score) => score > 0);
  if (scores.length === 0) return SCORE.subject;
  return Math.round(scores.reduce((sum, score) => sum + score, 0) / scores.length);
}
