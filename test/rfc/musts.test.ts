// What an RFC says that a server MUST do, rule by rule, and what shows that it is done: a transcript, a test, or the reason
// why it is no matter of this server. The lists stand beside this file, one for each RFC, in our own words.
//
//     §3.1.2 SELECT tells HIGHESTMODSEQ.
//       by condstore.transcript: SELECT, EXAMINE and STATUS
//
// `by` names a file of test/ by its end and a title or test by its beginning; `not` gives the reason instead.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CAPABILITIES } from '../../src/imap/capabilities.ts';
import { rfcs } from '../../src/rfcs.ts';

const TESTS = join(import.meta.dirname, '..');
const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' });
const lists = readdirSync(import.meta.dirname).filter((name) => /^rfc\d+\.txt$/.test(name));

interface Rule {
  readonly section: string;
  readonly by: readonly { readonly file: string; readonly title: string }[];
  readonly not: string | null;
}

function rulesOf(text: string): Rule[] {
  return text
    .split(/\n(?=§)/)
    .filter((part) => part.startsWith('§'))
    .map((part) => ({
      section: /^§[\d.]+/.exec(part)?.[0] ?? '',
      by: [...part.matchAll(/^ {2}by ([\w./-]+): (.+)$/gm)].map(([, file = '', title = '']) => ({ file, title })),
      not: /^ {2}not (.+)$/m.exec(part)?.[1] ?? null,
    }));
}

/** Titles of a transcript, or all the text of a test. */
function shows(file: string, title: string): boolean {
  const found = files.filter((name) => name === file || name.endsWith(`/${file}`));
  return found.some((name) => {
    const text = readFileSync(join(TESTS, name), 'utf8');
    if (name.endsWith('.transcript')) return text.split('\n').some((line) => line.startsWith(`title: ${title}`));
    return text.includes(`'${title}`);
  });
}

describe.each(lists)('%s', (name) => {
  const rules = rulesOf(readFileSync(join(import.meta.dirname, name), 'utf8'));
  const number = Number(/\d+/.exec(name)?.[0]);

  test('is of an RFC that is whole here', () => {
    expect(rfcs.find((rfc) => rfc.number === number)?.here).toBe('whole');
  });

  test('every rule is shown by something that is there, or has a reason', () => {
    expect(rules.length).toBeGreaterThan(0);
    const bare = rules.filter(({ section, by, not }) => section === '' || (by.length === 0) === (not === null));
    expect(bare).toEqual([]);
    const lost = rules.flatMap(({ section, by }) =>
      by.filter(({ file, title }) => !shows(file, title)).map(({ file, title }) => `${section} ${file}: ${title}`),
    );
    expect(lost).toEqual([]);
  });
});

test('a capability with such a list has a transcript of its RFC', () => {
  const transcripts = files.filter((name) => name.endsWith('.transcript'));
  const texts = transcripts.map((name) => readFileSync(join(TESTS, name), 'utf8')).join('\n');
  const listed = CAPABILITIES.filter(({ rfc }) => lists.includes(`rfc${/\d+/.exec(rfc)?.[0]}.txt`));
  expect(listed.length).toBeGreaterThan(0);
  const silent = listed.filter(({ name, rfc }) => !texts.includes(`rfc: ${rfc} `) && name !== 'INPROGRESS');
  expect(silent.map(({ name }) => `${name} (${relative('.', TESTS)})`)).toEqual([]);
});
