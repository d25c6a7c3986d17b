// Runs tests in a copy of the tree and reads what came of them: red is a test that failed, not a file that broke.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** ms that a run of one test file may take, and more for each further one: a test that hangs ends before that, and is red. */
const PATIENCE = { first: 240_000, further: 15_000 } as const;

export interface Verdict {
  readonly passed: number;
  /** Full names of the tests that failed. */
  readonly failed: readonly string[];
  /** What else went wrong; empty where nothing did. */
  readonly trouble: string;
  readonly ms: number;
}

/** Runs the tests of these files whose names match. */
export async function runTests(folder: string, files: readonly string[], pattern: string): Promise<Verdict> {
  const began = performance.now();
  const results = join(folder, 'results.json');
  await rm(results, { force: true });
  const config = files.every((file) => file.endsWith('.fsync.ts')) ? 'vitest.fsync.config.ts' : 'vitest.config.ts';
  const child = spawn(
    process.execPath,
    [
      ...['node_modules/vitest/vitest.mjs', 'run', '--config', config, '--no-cache', '--silent', '--bail', '1'],
      ...['--reporter', 'json', '--outputFile', results, ...(pattern === '' ? [] : ['-t', pattern]), ...files],
    ],
    // A group of its own, so that what it starts can be ended with it.
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  const patience = PATIENCE.first + PATIENCE.further * (files.length - 1);
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-2_000);
  });
  const timer = setTimeout(() => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'), patience);
  const [code, signal] = await once(child, 'exit');
  clearTimeout(timer);
  const ms = performance.now() - began;
  if (signal !== null) return { passed: 0, failed: [], trouble: `ended by ${signal} after ${Math.round(ms)} ms`, ms };
  const report = parse(await readFile(results, 'utf8').catch(() => '{}'));
  const failed = report.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
  const passed = report.filter(({ status }) => status === 'passed').length;
  const trouble = failed.length > 0 || (code === 0 && passed > 0) ? '' : `exit code ${code}, ${passed} passed: ${said}`;
  return { passed, failed, trouble, ms };
}

interface TestResult {
  readonly status: string;
  readonly fullName: string;
}

function parse(text: string): readonly TestResult[] {
  // The shape that vitest gives its JSON report.
  const { testResults = [] } = JSON.parse(text) as { testResults?: { assertionResults: TestResult[] }[] };
  return testResults.flatMap(({ assertionResults }) => assertionResults);
}
