// The house's own rules, as tests: who may import whom, no cycles, small files, comments, citations, and what must not
// stand in a tracked file. Knows paths and text only, runs nothing.

import { expect, test } from 'vitest';
import { rfcs } from '../src/rfcs.ts';
import { citationsOf, misspelledIn } from './architecture/citations.ts';
import { cyclesOf, mayImport, part } from './architecture/imports.ts';
import { codeOf, importsOf, isCode, isSource, trackedFiles } from './architecture/source-tree.ts';

const files = trackedFiles();
const code = files.filter(isCode);
const source = files.filter(isSource);

const SOFT_CAP = 250;
const HARD_CAP = 400;
/** Data tables, which may be as long as their data. */
const tables = new Set(['src/rfcs.ts']);

/** Time and chance come in as arguments; these may take them from the machine, each for its reason. */
const machineTime: Readonly<Record<string, string>> = {
  'src/store/reads/summaries.ts': 'bounds how long it holds the thread, which no clock in hand can measure',
  'src/store/writer/writer.ts': 'frees in slices of so many ms of real time',
};

test('imports point the way the mail flows', () => {
  const wrong = source
    .flatMap(importsOf)
    .filter((each) => each.local && !mayImport(part(each.from), part(each.to), each.typeOnly))
    .map((each) => `${each.from} imports ${each.typeOnly ? 'types of ' : ''}${each.to}`);
  expect(wrong).toEqual([]);
});

test('sources import nothing of the tests, and only packages that are declared', () => {
  const declared = JSON.parse(files.find((file) => file.path === 'package.json')?.text ?? '{}') as {
    dependencies: Record<string, string>; // The shape that npm gives the file.
  };
  const packages = new Set(Object.keys(declared.dependencies));
  const wrong = source
    .flatMap(importsOf)
    .filter((each) => {
      if (each.local) return !each.to.startsWith('src/') && each.to !== 'package.json';
      const name = each.to.split('/', each.to.startsWith('@') ? 2 : 1).join('/');
      return !each.to.startsWith('node:') && !packages.has(name);
    })
    .map((each) => `${each.from} imports ${each.to}`);
  expect(wrong).toEqual([]);
});

test('no import leads back to where it began', () => {
  expect(cyclesOf(code.flatMap(importsOf))).toEqual([]);
});

test('files are small', () => {
  const sizes = code
    .filter((file) => !tables.has(file.path))
    .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
    .sort((one, other) => other.lines - one.lines);
  const long = sizes.filter((file) => file.lines > SOFT_CAP).map((file) => `${file.lines} ${file.path}`);
  if (long.length > 0) console.info(`over ${SOFT_CAP} lines:\n  ${long.join('\n  ')}`);
  expect(sizes.filter((file) => file.lines > HARD_CAP)).toEqual([]);
});

test('every file opens by saying what it is', () => {
  const silent = code.filter((file) => !/^(?:#![^\n]*\n)?(?:\/\/ \S|\/\*)/.test(file.text)).map((file) => file.path);
  expect(silent).toEqual([]);
});

test('RFCs are cited in one spelling', () => {
  expect(files.filter((file) => file.path !== 'package-lock.json').flatMap(misspelledIn)).toEqual([]);
});

test('every cited RFC is in the table, which is in order', () => {
  const known = new Set(rfcs.map((rfc) => rfc.number));
  const cited = files.filter((file) => file.path !== 'package-lock.json').flatMap(citationsOf);
  const unknown = cited
    .filter((each) => !known.has(each.number))
    .map((each) => `${each.path}:${each.line} ${each.number}`);
  expect(unknown).toEqual([]);
  const numbers = rfcs.map((rfc) => rfc.number);
  expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
});

test('no file is called by what it is not', () => {
  const vague = /(?:^|[/.-])(?:utils?|helpers?|common|managers?|misc|shared|stuff)(?:[-.]|$)|^index\./;
  expect(code.map((file) => file.path).filter((path) => vague.test(path.replace(/^.*\//, '')))).toEqual([]);
  expect(code.map((file) => file.path).filter((path) => !/^[a-z0-9/.-]+$/.test(path))).toEqual([]);
});

test('no default exports, no barrels', () => {
  const wrong = code
    .filter((file) => /^export (?:default\b|\* from)/m.test(codeOf(file.text)))
    .map((file) => file.path);
  expect(wrong).toEqual([]);
});

test('SQL stays in the store', () => {
  const sql =
    /\b(?:SELECT\s[^\n]*\sFROM\s|INSERT (?:OR \w+ )?INTO\s|UPDATE \w+ SET\s|DELETE FROM\s|CREATE (?:TABLE|INDEX)\s|PRAGMA\s)/;
  const wrong = source.filter(
    (file) => !file.path.startsWith('src/store/') && (sql.test(file.text) || file.text.includes("'node:sqlite'")),
  );
  expect(wrong.map((file) => file.path)).toEqual([]);
});

test('time and chance come in as arguments', () => {
  const taken =
    /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bset(?:Timeout|Interval)\(|\bperformance\.now\(|\bhrtime\b/;
  const wrong = source
    .filter(
      (file) => !file.path.startsWith('src/platform/') && !(file.path in machineTime) && taken.test(codeOf(file.text)),
    )
    .map((file) => file.path);
  expect(wrong).toEqual([]);
});

test('casts say why, and nothing is any', () => {
  const wrong: string[] = [];
  for (const file of source) {
    const stripped = codeOf(file.text).split('\n');
    const lines = file.text.split('\n');
    for (const [index, line] of stripped.entries()) {
      const cast = /[^*\s]\s+as (?!const\b)[A-Z_a-z{(]/.test(
        line.replace(/^\s*(?:import|export)\b.*/, '').replace(/\{[^{}]*\bas\b[^{}]*\}\s*from/, ''),
      );
      const branded =
        /\bas (?:AccountId|BodyId|Commit|EntryId|MailboxId|ModSeq|SequenceNumber|TransitId|Uid|ViewId)\b/.test(line);
      const reason = /\/\/|\*/.test(`${lines[index - 2]}\n${lines[index - 1]}\n${lines[index]}`);
      if (cast && !branded && !reason) wrong.push(`${file.path}:${index + 1}: ${lines[index]?.trim()}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('tests are neither skipped nor alone', () => {
  const marked = /\b(?:test|it|describe)\.(?:only|skip|todo|fails)\b|\bskip(?:If)?\(/;
  const wrong = code
    .filter((file) => file.path.startsWith('test/') && marked.test(codeOf(file.text)))
    .map((file) => file.path);
  expect(wrong).toEqual([]);
});

test('nothing tracked names a machine or a registry', () => {
  const machine =
    /(?<![\w.])\/(?:work|root|Users)\/|\/home\/(?!node\b)|\bregistry\.(?:npm|yarn)|\bartifactory\b|"resolved":/i;
  const wrong: string[] = [];
  for (const file of files) {
    for (const [index, line] of file.text.split('\n').entries()) {
      if (machine.test(line) && !line.includes('(?<!'))
        wrong.push(`${file.path}:${index + 1}: ${line.trim().slice(0, 120)}`);
    }
  }
  expect(wrong).toEqual([]);
});
