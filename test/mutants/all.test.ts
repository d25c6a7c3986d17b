// What every mutant needs to be worth its run: the text that it breaks is there, once; so is the test that is to turn red;
// and no two break the same rule.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MUTANTS } from './all.ts';

const root = join(import.meta.dirname, '../..');

test('every mutant breaks something that stands in its file exactly once', () => {
  const astray = MUTANTS.filter(({ file, from, to }) => {
    const pieces = readFileSync(join(root, file), 'utf8').split(from).length - 1;
    return pieces !== 1 || from === to;
  });
  expect(astray.map(({ rule, file }) => `${file}: ${rule}`)).toEqual([]);
});

test('the test that is to turn red exists, and each rule has one mutant', () => {
  expect(MUTANTS.filter(({ caughtBy }) => !existsSync(join(root, caughtBy)))).toEqual([]);
  const rules = MUTANTS.map(({ rule }) => rule);
  expect(rules.filter((rule, index) => rules.indexOf(rule) !== index)).toEqual([]);
});
