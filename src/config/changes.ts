// What differs between two readings of the configuration, by the names that it has in the file. Never what it is or was: some
// settings are secrets.

import { isDeepStrictEqual } from 'node:util';
import { type Outline, outlineOfConfig } from './outline.ts';
import type { Settings } from './schema.ts';
import { nameOf } from './shape.ts';
import type { Path } from './toml.ts';

/** Names such as `hostname` and `queue.retry`, in the order of the schema; a list of tables, such as `listener`, is one. */
export function changedSettings(before: Settings, after: Settings): readonly string[] {
  return changes(outlineOfConfig(), before, after, []);
}

function changes(outline: Outline, before: unknown, after: unknown, path: Path): readonly string[] {
  if (outline.is !== 'table') return isDeepStrictEqual(before, after) ? [] : [nameOf(path)];
  return Object.entries(outline.entries).flatMap(([key, entry]) =>
    changes(entry, entryOf(before, key), entryOf(after, key), [...path, key]),
  );
}

function entryOf(table: unknown, key: string): unknown {
  // What the schema has as a table is an object, with its defaults or without.
  return (table as Readonly<Record<string, unknown>>)[key];
}
