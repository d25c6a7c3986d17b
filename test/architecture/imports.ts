// The import table of the house and the search for cycles.

import type { Import } from './source-tree.ts';

/** Who may import whom. Everyone may import itself; config, cli and the wiring know everybody. */
const table: Readonly<Record<string, readonly string[]>> = {
  formats: [],
  platform: [],
  sasl: ['formats'],
  smtp: ['formats', 'platform', 'sasl'],
  directory: ['formats', 'platform'],
  trust: ['formats', 'platform'],
  store: ['formats', 'platform'],
  mda: ['formats', 'directory', 'store'],
  mta: ['formats', 'platform', 'smtp', 'directory', 'trust', 'mda', 'store'],
  msa: ['formats', 'platform', 'smtp', 'sasl', 'directory', 'trust', 'mta'],
  imap: ['formats', 'platform', 'sasl', 'directory', 'store'],
  pop3: ['formats', 'platform', 'sasl', 'directory', 'store'],
  config: ['formats', 'platform'],
};

/** As types only, beyond the table: the directory is handed the store that it reads accounts from; an agent may name
 * the options that the configuration holds for it. */
const types: Readonly<Record<string, readonly string[]>> = {
  directory: ['store', 'config'],
  mta: ['config'],
  msa: ['config', 'store'],
  smtp: ['config'],
  imap: ['config'],
};

/** `src/imap/view.ts` is of `imap`; files right under src/ are the wiring. */
export const part = (path: string): string => /^src\/([^/]+)\//.exec(path)?.[1] ?? 'wiring';

export function mayImport(from: string, to: string, typeOnly: boolean): boolean {
  if (from === to || from === 'wiring' || from === 'cli') return true;
  if (table[from] === undefined) return false;
  return table[from].includes(to) || (typeOnly && (types[from]?.includes(to) ?? false));
}

/** Each cycle once, as `a → b → a`. */
export function cyclesOf(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to, local } of imports) {
    if (local) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (file: string, trail: readonly string[]): void => {
    const seen = trail.indexOf(file);
    if (seen >= 0) cycles.push([...trail.slice(seen), file].join(' → '));
    if (seen >= 0 || done.has(file)) return;
    for (const other of next.get(file) ?? []) walk(other, [...trail, file]);
    done.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  return cycles;
}
