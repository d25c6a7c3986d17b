// Does a tree have the shape of the configuration: known keys only, tables and lists of tables where they belong? What the
// values are is the schema's business.

import { type Outline, outlineAt } from './outline.ts';
import type { Complaint } from './place.ts';
import { nearest } from './suggestion.ts';
import type { Document, Path } from './toml.ts';

/** Complaints about one document; whoever has so many will not read them. */
const MAX_COMPLAINTS = 50;
/** Characters of a key that a message repeats. */
const MAX_SHOWN = 40;

/** Everything that stands where it does not belong. */
export function complaintsOfShape({ tree, places }: Document, outline: Outline): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const complain = (path: Path, text: string) => complaints.push({ place: places.of(path), text });
  const look = (value: unknown, here: Outline, path: Path): void => {
    if (complaints.length >= MAX_COMPLAINTS) return;
    if (here.is === 'tables') {
      if (!Array.isArray(value)) complain(path, `${nameOf(path)} must be a list of tables: write [[${nameOf(path)}]]`);
      else for (const [index, each] of value.entries()) look(each, here.each, [...path, index]);
    } else if (here.is === 'table') {
      if (!isTable(value)) {
        const list = typeof path.at(-1) === 'number' ? nameOf(path.slice(0, -1)) : null;
        const header = list === null ? `[${nameOf(path)}]` : `[[${list}]]`;
        complain(path, `${nameOf(path)} must be a table: write ${header} on a line of its own`);
        return;
      }
      for (const [key, entry] of Object.entries(value)) {
        const known = Object.hasOwn(here.entries, key) ? here.entries[key] : undefined;
        if (known !== undefined) look(entry, known, [...path, key]);
        else if (complaints.length < MAX_COMPLAINTS) complain([...path, key], unknownKey(key, path, outline));
      }
    }
  };
  look(tree, outline, []);
  return complaints;
}

/** `listener[2].tls`, counted from 1 as people do. */
export function nameOf(path: Path): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key + 1}]` : index > 0 ? `.${key}` : key)).join('');
}

/** Tables of toml.ts have no prototype; lists and dates have one. */
function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null;
}

function unknownKey(key: string, above: Path, outline: Outline): string {
  const here = outlineAt(outline, above);
  const known = here?.is === 'table' ? Object.keys(here.entries) : [];
  const meant = nearest(key, known);
  const wrong = `there is no ${JSON.stringify(key.slice(0, MAX_SHOWN))}${above.length === 0 ? '' : ` in ${nameOf(above)}`}`;
  if (meant !== null) return `${wrong}; did you mean "${meant}"?`;
  // A key that stands under the wrong header is the commonest mistake of TOML.
  const atHome = homeOf(key, outline);
  return `${wrong}; ${atHome === null ? `known are ${known.join(', ')}` : `it belongs ${atHome}`}`;
}

/** Where a key exists, if that is one place only. */
function homeOf(key: string, outline: Outline): string | null {
  const homes: string[] = [];
  const walk = (node: Outline, header: string): void => {
    if (node.is === 'tables') walk(node.each, `[${header}]`);
    if (node.is !== 'table') return;
    for (const [name, entry] of Object.entries(node.entries)) {
      if (name === key) homes.push(header === '' ? 'at the top, before the first [table]' : `in [${header}]`);
      walk(entry, header === '' ? name : `${header.replace(/^\[|\]$/g, '')}.${name}`);
    }
  };
  walk(outline, '');
  return homes.length === 1 ? (homes[0] ?? null) : null;
}
