// The configuration file as a plain tree, and the line of every key in it. Knows TOML (v1.0.0), not what the keys mean.
// Tables have no prototype, so that no key (`__proto__`, `constructor`) is anything but a key.

import { type AST, parseTOML } from 'toml-eslint-parser';
import { ConfigError, type Place } from './place.ts';

export type Path = readonly (string | number)[];

export type Table = Record<string, unknown>;

/** Where each path of a tree was written. */
export interface Places {
  /** The place of the path, or of the nearest one above it. */
  of(path: Path): Place;
  /** Also for the paths above it that have none: `tls.folder = …` makes a `tls`. */
  set(path: Path, place: Place): void;
  /** Of the path and all under it: other values take their place. */
  forget(path: Path): void;
}

export interface Document {
  readonly tree: Table;
  readonly places: Places;
}

/** Keys above one another; no setting is deeper than three. */
const MAX_DEPTH = 16;

/** Reads TOML. @throws ConfigError with the line of what is no TOML */
export function readToml(text: string, file: string): Document {
  const document: Document = { tree: newTable(), places: createPlaces({ file, line: 0 }) };
  for (const node of parse(text, file).body[0].body) {
    if (node.type === 'TOMLKeyValue') {
      addPair(document, node, []);
    } else {
      const place = placeOf(document, node);
      checkDepth(node.resolvedKey, place);
      // `[tls]` may follow on `[tls.more]`, which has made it.
      if (valueAt(document.tree, node.resolvedKey) === undefined) setValue(document.tree, node.resolvedKey, newTable());
      document.places.set(node.resolvedKey, place);
      for (const pair of node.body) addPair(document, pair, node.resolvedKey);
    }
  }
  return document;
}

export function newTable(): Table {
  return Object.create(null);
}

/** Puts a value into a tree, with the tables and lists above it. A number in the path is a place in a list. */
export function setValue(tree: Table, path: Path, value: unknown): void {
  // A table or a list, which take their own kind of key.
  let here = tree as Record<string | number, unknown>;
  for (const [index, key] of path.slice(0, -1).entries()) {
    const next = here[key];
    if (typeof next !== 'object' || next === null) here[key] = typeof path[index + 1] === 'number' ? [] : newTable();
    here = here[key] as Record<string | number, unknown>; // as above
  }
  here[path.at(-1) ?? ''] = value;
}

function valueAt(tree: Table, path: Path): unknown {
  let here: unknown = tree;
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Record<string | number, unknown>)[key]; // a table or a list
  }
  return here;
}

function parse(text: string, file: string): AST.TOMLProgram {
  try {
    return parseTOML(text, { tomlVersion: '1.0.0' });
  } catch (cause) {
    // The parser's ParseError, or the end of the stack.
    const { lineNumber = 0, message } = cause as Error & { lineNumber?: number };
    const why = cause instanceof RangeError ? 'nested too deeply' : `not TOML: ${message.toLowerCase()}`;
    throw new ConfigError([{ place: { file, line: lineNumber }, text: why }], { cause });
  }
}

function addPair(document: Document, node: AST.TOMLKeyValue, above: Path): void {
  const place = placeOf(document, node);
  const path = [...above, ...node.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value))];
  checkDepth(path, place);
  document.places.set(path, place);
  if (node.value.type === 'TOMLInlineTable') {
    setValue(document.tree, path, newTable());
    for (const pair of node.value.body) addPair(document, pair, path);
  } else {
    setValue(document.tree, path, readValue(document, node.value, path));
  }
}

function readValue(document: Document, node: AST.TOMLContentNode, path: Path): unknown {
  if (node.type === 'TOMLArray') {
    const list: unknown[] = [];
    for (const [index, element] of node.elements.entries()) {
      const at = [...path, index];
      const place = placeOf(document, element);
      checkDepth(at, place);
      document.places.set(at, place);
      list.push(readValue(document, element, at));
    }
    return list;
  }
  if (node.type !== 'TOMLInlineTable') return node.value;
  const inner: Document = { tree: newTable(), places: under(document.places, path) };
  for (const pair of node.body) addPair(inner, pair, []);
  return inner.tree;
}

/** Places of a tree that stands at a path of another. */
function under(places: Places, above: Path): Places {
  return {
    of: (path) => places.of([...above, ...path]),
    set: (path, place) => places.set([...above, ...path], place),
    forget: (path) => places.forget([...above, ...path]),
  };
}

function checkDepth(path: Path, place: Place): void {
  if (path.length > MAX_DEPTH) throw new ConfigError([{ place, text: 'nested too deeply' }]);
}

function placeOf({ places }: Document, node: { readonly loc: AST.SourceLocation }): Place {
  return { file: places.of([]).file, line: node.loc.start.line };
}

function createPlaces(whole: Place): Places {
  const known = new Map<string, Place>();
  const key = (path: Path) => path.join('\0');
  return {
    of(path) {
      for (let length = path.length; length > 0; length -= 1) {
        const place = known.get(key(path.slice(0, length)));
        if (place !== undefined) return place;
      }
      return whole;
    },
    set(path, place) {
      for (let length = 1; length < path.length; length += 1) {
        const above = key(path.slice(0, length));
        if (!known.has(above)) known.set(above, place);
      }
      known.set(key(path), place);
    },
    forget(path) {
      const whole = key(path);
      for (const each of known.keys()) if (each === whole || each.startsWith(`${whole}\0`)) known.delete(each);
    },
  };
}
