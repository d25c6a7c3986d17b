// What an RFC says that a server MUST do, rule by rule, and what shows that it is done: a transcript, a test, or the reason
// why it is no matter of this server. The lists stand beside this file, one for each RFC, in our own words.
//
//     §3.1.2 SELECT tells HIGHESTMODSEQ.
//       by condstore.transcript: SELECT, EXAMINE and STATUS
//
// `by` names a file of test/ by its end and a title or test by its beginning; `not` gives the reason instead.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
      section: /^§[A-Z\d][\d.]*/.exec(part)?.[0] ?? '',
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

/** Capabilities that need more than a transcript: cryptography of the client, a layer below the lines, time that passes. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'AUTH=EXTERNAL': 'journeys/certificates.test.ts',
  'AUTH=SCRAM-SHA-256-PLUS': 'journeys/logins.test.ts',
  'AUTH=SCRAM-SHA-1-PLUS': 'journeys/logins.test.ts',
  'AUTH=SCRAM-SHA-256': 'sasl/scram.test.ts',
  'AUTH=SCRAM-SHA-1': 'sasl/scram.test.ts',
  'AUTH=PLAIN': 'sasl/mechanisms.test.ts',
  'COMPRESS=DEFLATE': 'imap/compress.test.ts',
  INPROGRESS: 'imap/progress.test.ts',
};

test('every capability has an RFC that we know, and transcripts of it', () => {
  const heads = files
    .filter((name) => name.startsWith('imap/transcripts/'))
    .flatMap((name) => readFileSync(join(TESTS, name), 'utf8').match(/^rfc: (?:RFC \d+|draft-\S+)/gm) ?? []);
  const known = (rfc: string): boolean =>
    rfcs.some(({ number }) => rfc === `RFC ${number}`) || rfc.startsWith('draft-');
  const silent = CAPABILITIES.filter(({ name, rfc }) => {
    const file = ELSEWHERE[name];
    if (file !== undefined) return !known(rfc) || !files.includes(file);
    return !known(rfc) || !heads.includes(`rfc: ${rfc}`);
  });
  expect(silent.map(({ name, rfc }) => `${name} (${rfc})`)).toEqual([]);
});

test('a program that uses a capability is one that test/interop drives', () => {
  const driven = new Set(
    files
      .filter((name) => name.startsWith('interop/') && name.endsWith('.interop.ts'))
      .flatMap((name) => [
        ...readFileSync(join(TESTS, name), 'utf8').matchAll(/(?:\b(?:program|packaged)\(|\bname: )'([^']+)'/g),
      ])
      .map(([, program]) => program),
  );
  const named = CAPABILITIES.filter(({ program }) => program !== null);
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter(({ program }) => !driven.has(program ?? '')).map(({ name }) => name)).toEqual([]);
});
