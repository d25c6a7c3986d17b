// RFC citations in the project's files: found, checked for their one spelling (`RFC 5321 §4.5.2`), sorted by section.

import type { SourceFile } from './source-tree.ts';

export interface Citation {
  readonly number: number;
  /** `4.5.2`, or empty where the whole RFC is meant. */
  readonly section: string;
  readonly path: string;
  readonly line: number;
}

/** One RFC and the sections that follow it: `RFC 5321 §4.5.2`, `RFC 9051 §7.5.1, §6.4`, `RFC 3501 §5.2 and §5.5`. */
const wellSpelled = /\bRFC (\d{1,5})((?:(?:,| and| or|, and)? §[A-Z0-9]+(?:\.[A-Z0-9]+)*)*)/g;
/** Whatever else people write. A host name or an object key such as `rfc822` is no citation. */
const misspelled =
  /\b(?:RFC[-_]?\d{3,5}|(?<!run )rfc \d{3,5}|Rfc ?\d{3,5}|RFC {2,}\d|RFC \d+[,:]? (?:§ |[Ss]ec(?:tion|\.)? ?\d|#\d|§§))/g;
/** Names that only look like one: IMAP's RFC822 items, the type of RFC 3464 §2.3.2. */
const names = /\bRFC822\b/;

export function citationsOf(file: SourceFile): Citation[] {
  const found: Citation[] = [];
  for (const [index, line] of file.text.split('\n').entries()) {
    for (const [, number = '', sections = ''] of line.matchAll(wellSpelled)) {
      const cited = [...sections.matchAll(/§([A-Z0-9.]+)/g)].map(([, section = '']) => section);
      for (const section of cited.length > 0 ? cited : ['']) {
        found.push({ number: Number(number), section, path: file.path, line: index + 1 });
      }
    }
  }
  return found;
}

/** Citations that are spelled another way, as `path:line: text`. */
export function misspelledIn(file: SourceFile): string[] {
  const found: string[] = [];
  for (const [index, line] of file.text.split('\n').entries()) {
    for (const [text] of line.matchAll(misspelled)) {
      if (!names.test(text)) found.push(`${file.path}:${index + 1}: ${text}`);
    }
  }
  return found;
}

/** Sections in the order of a table of contents: 4.2 before 4.10, appendices last. */
export function bySection(one: Citation, other: Citation): number {
  const order = new Intl.Collator('en', { numeric: true });
  return order.compare(one.section, other.section) || order.compare(one.path, other.path) || one.line - other.line;
}
