// The project's own files as the architecture test sees them: what is tracked, what imports what. Reads, judges nothing.

import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

const root = join(import.meta.dirname, '../..');

export interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  readonly from: string;
  /** Path from the root of a file of ours, or the specifier of a package. */
  readonly to: string;
  readonly local: boolean;
  readonly typeOnly: boolean;
}

/** Every text file that git tracks or would track (new files that are not ignored), sorted by path. */
export function trackedFiles(): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const paths = [...new Set(listed.split('\0').filter((path) => path !== ''))].sort();
  return paths
    .filter((path) => statSync(join(root, path), { throwIfNoEntry: false })?.isFile())
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter((file) => !file.text.includes('\0'));
}

/** The TypeScript and JavaScript of the project itself. */
export const isCode = (file: SourceFile): boolean => /^(?:src|test)\/.*\.(?:ts|js|mjs)$/.test(file.path);
export const isSource = (file: SourceFile): boolean => isCode(file) && file.path.startsWith('src/');

/** Static imports, re-exports and `import()` of a file. Strings that merely look like one do not occur in our code. */
export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  const clause = /^\s*(import|export)\s+(type\s+)?(?:[\w*\s{},$]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;
  for (const [, , type, statically, dynamically] of file.text.matchAll(clause)) {
    const specifier = statically ?? dynamically ?? '';
    const local = specifier.startsWith('.');
    const to = local ? posix.normalize(posix.join(dirname(file.path), specifier)) : specifier;
    found.push({ from: file.path, to, local, typeOnly: type !== undefined });
  }
  return found;
}

/** A file without its comments and the contents of its strings, line by line the same: for rules about code only. */
export function codeOf(text: string): string {
  const token = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;
  return text.replace(token, (found) => {
    if (found.startsWith('/')) return found.replace(/[^\n]/g, ' ');
    return `${found.charAt(0)}${' '.repeat(Math.max(0, found.length - 2))}${found.charAt(0)}`;
  });
}
