// The schema as a tree of names: which keys there are at a path, and which of them are values, tables and lists of
// tables. For the environment's variables and for "did you mean".

import * as v from 'valibot';
import { schema } from './schema.ts';
import type { Path } from './toml.ts';
import type { Kind } from './values.ts';

export type Outline =
  | { readonly is: 'value'; readonly kind: Kind }
  | { readonly is: 'table'; readonly entries: Readonly<Record<string, Outline>> }
  | { readonly is: 'tables'; readonly each: Outline };

/** The outline of the whole configuration. */
export function outlineOfConfig(): Outline {
  return outlineOf(schema);
}

/** The outline at a path; undefined where the schema has nothing. */
export function outlineAt(outline: Outline, path: Path): Outline | undefined {
  let here: Outline | undefined = outline;
  for (const key of path) {
    if (here?.is === 'tables') here = here.each;
    else if (here?.is === 'table' && Object.hasOwn(here.entries, key)) here = here.entries[key];
    else return undefined;
  }
  return here;
}

function outlineOf(node: v.GenericSchema): Outline {
  if ('wrapped' in node) return outlineOf(node.wrapped as v.GenericSchema); // v.optional's own field
  if ('item' in node) return { is: 'tables', each: outlineOf(node.item as v.GenericSchema) }; // v.array's
  if ('entries' in node) {
    const entries = Object.entries(node.entries as Record<string, v.GenericSchema>); // v.strictObject's
    return { is: 'table', entries: Object.fromEntries(entries.map(([name, entry]) => [name, outlineOf(entry)])) };
  }
  const { kind } = v.getMetadata(node) as { kind?: Kind }; // set by every value of values.ts
  return { is: 'value', kind: kind ?? 'text' };
}
