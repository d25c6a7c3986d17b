// Corpora of valid and invalid input: text files with one case a line, fields split by tabs, comments behind `# `.

import { readFileSync } from 'node:fs';

/** The cases of `corpora/NAME.txt`, each as its fields. */
export function corpus(name: string): string[][] {
  const text = readFileSync(new URL(`corpora/${name}.txt`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# '))
    .map((line) => line.split('\t'));
}
