// A copy of the tree to break: the files that git knows or would, and a link to the packages.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mutant } from './mutant.ts';

const root = join(import.meta.dirname, '../..');

export class Tree implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'postern-mutants-'));

  constructor() {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    for (const path of new Set(listed.split('\0').filter(Boolean))) {
      // A file that git still lists may be gone from the disk.
      cpSync(join(root, path), join(this.folder, path), { recursive: true, force: true });
    }
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
  }

  /** Breaks a rule; what is returned mends it. @throws Error unless the text stands in the file exactly once */
  break({ file, from, to }: Mutant): Disposable {
    const path = join(this.folder, file);
    const whole = readFileSync(path, 'utf8');
    const count = whole.split(from).length - 1;
    if (count !== 1) throw new Error(`stands ${count} times in ${file}: ${from}`);
    writeFileSync(
      path,
      whole.replace(from, () => to),
    );
    return { [Symbol.dispose]: () => writeFileSync(path, whole) };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
