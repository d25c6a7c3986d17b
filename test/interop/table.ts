// The table at the end of an interop run: which programs, in which version, with how many cases. A vitest reporter.

import type { Reporter, TestModule } from 'vitest/node';

interface Row {
  readonly program: string;
  readonly version: string;
  passed: number;
  failed: number;
  /** Left out because the program is missing. */
  skipped: number;
}

export class ProgramTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = new Map<string, Row>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { program, version } = test.meta();
        if (program === undefined) continue;
        const row = rows.get(program) ?? { program, version: version ?? 'missing', passed: 0, failed: 0, skipped: 0 };
        const { state } = test.result();
        if (state === 'passed' || state === 'failed' || state === 'skipped') row[state]++;
        rows.set(program, row);
      }
    }
    const sorted = [...rows.values()].sort((one, other) => one.program.localeCompare(other.program));
    const cells = sorted.map((row) => [row.program, row.version, ...[row.passed, row.failed, row.skipped].map(String)]);
    const lines = [['program', 'version', 'passed', 'failed', 'left out'], ...cells];
    const width = (column: number): number => Math.max(...lines.map((line) => (line[column] ?? '').length));
    const widths = lines[0]?.map((_, column) => width(column)) ?? [];
    const text = lines.map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
    console.log(`\n${text.join('\n')}\n`);
  }
}
