// The configuration file as a plain tree, and the line of every key in it. Knows TOML (v1.0.0), not what the keys mean.

import { type AST, getStaticTOMLValue, parseTOML } from 'toml-eslint-parser';
import { ConfigError, type Place } from './place.ts';

export type Path = readonly (string | number)[];

/** Where each path of a tree was written. */
export interface Places {
  /** The place of the path, or of the nearest one above it. */
  of(path: Path): Place;
  set(path: Path, place: Place): void;
}

export interface Document {
  readonly tree: Record<string, unknown>;
  readonly places: Places;
}

/** Reads TOML. @throws ConfigError with the line of what is no TOML */
export function readToml(text: string, file: string): Document {
  let program: AST.TOMLProgram;
  try {
    program = parseTOML(text, { tomlVersion: '1.0.0' });
  } catch (cause) {
    const { lineNumber = 0, message } = cause as SyntaxError & { lineNumber?: number }; // the parser's ParseError
    throw new ConfigError([{ place: { file, line: lineNumber }, text: `not TOML: ${message.toLowerCase()}` }], {
      cause,
    });
  }
  const places = createPlaces({ file, line: 0 });
  const note = (path: Path, line: number) => places.set(path, { file, line });
  for (const node of program.body[0].body) {
    if (node.type === 'TOMLKeyValue') noteKeyValue(node, [], note);
    else {
      note(node.resolvedKey, node.loc.start.line);
      for (const pair of node.body) noteKeyValue(pair, node.resolvedKey, note);
    }
  }
  // A TOML document is a table, whose values are of TOML's types.
  return { tree: getStaticTOMLValue(program) as Record<string, unknown>, places };
}

export function createPlaces(whole: Place): Places {
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
      known.set(key(path), place);
    },
  };
}

function noteKeyValue(node: AST.TOMLKeyValue, above: Path, note: (path: Path, line: number) => void): void {
  const path = [...above, ...node.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value))];
  note(path, node.loc.start.line);
  noteValue(node.value, path, note);
}

function noteValue(node: AST.TOMLContentNode, path: Path, note: (path: Path, line: number) => void): void {
  if (node.type === 'TOMLInlineTable') {
    for (const pair of node.body) noteKeyValue(pair, path, note);
  } else if (node.type === 'TOMLArray') {
    for (const [index, element] of node.elements.entries()) {
      note([...path, index], element.loc.start.line);
      noteValue(element, [...path, index], note);
    }
  }
}
