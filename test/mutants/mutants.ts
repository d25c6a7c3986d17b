// npm run test:mutants: breaks one named rule after another in copies of the tree, and fails unless each turns a test red.
// Words behind the command choose rules that have them in their name.

import { availableParallelism } from 'node:os';
import { MUTANTS } from './all.ts';
import type { Mutant } from './mutant.ts';
import { Tree } from './tree.ts';
import { runTests } from './verdict.ts';

/** Copies of the tree that are worked on at once. */
const TREES = Math.min(2, availableParallelism());

const words = process.argv.slice(2);
const chosen = words.length === 0 ? MUTANTS : MUTANTS.filter(({ rule }) => words.some((word) => rule.includes(word)));

/** Unbroken, the tests that are to turn red are green: else red would mean nothing. @throws Error */
async function requireGreen(tree: Tree, mutants: readonly Mutant[]): Promise<void> {
  const kinds = Object.values(
    Object.groupBy(mutants, ({ caughtBy }) => (caughtBy.endsWith('.fsync.ts') ? 'fsync' : '')),
  );
  for (const kind of kinds) {
    const files = [...new Set(kind?.map(({ caughtBy }) => caughtBy))];
    const patterns = [...new Set(kind?.map(({ test }) => test))];
    const { failed, trouble } = await runTests(
      tree.folder,
      files,
      patterns.map((pattern) => `(?:${pattern})`).join('|'),
    );
    if (failed.length > 0 || trouble !== '') throw new Error(`red without any mutant: ${failed.join('; ')}${trouble}`);
  }
}

/** Breaks a rule and runs the tests. @returns whether one turned red, and a line for the table */
async function judge(tree: Tree, mutant: Mutant): Promise<{ readonly caught: boolean; readonly line: string }> {
  const { rule, caughtBy, test } = mutant;
  try {
    using _broken = tree.break(mutant);
    const { failed, trouble, ms } = await runTests(tree.folder, [caughtBy], test);
    const caught = failed.length > 0;
    const what = caught ? `${caughtBy}: ${failed[0]}` : trouble === '' ? `SURVIVED ${caughtBy}` : `BROKEN ${trouble}`;
    return {
      caught,
      line: `${caught ? '✓' : '✗'} ${rule.padEnd(70)} ${(ms / 1000).toFixed(1).padStart(5)} s  ${what}`,
    };
  } catch (error) {
    return { caught: false, line: `✗ ${rule.padEnd(70)} ERROR ${error instanceof Error ? error.message : error}` };
  }
}

let passed = 0;
let failed = 0;
const waiting = [...chosen];
const trees = Array.from({ length: TREES }, () => new Tree());
try {
  await requireGreen(trees[0] ?? new Tree(), chosen);
  await Promise.all(
    trees.map(async (tree) => {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const { caught, line } = await judge(tree, mutant);
        if (caught) passed++;
        else failed++;
        console.log(line);
      }
    }),
  );
} finally {
  for (const tree of trees) tree[Symbol.dispose]();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
