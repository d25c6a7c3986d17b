// The environment over the file: `POSTERN_` and the path of a setting in capitals sets it, `POSTERN_ACCOUNT_1` and its
// like stand for tables of which there may be several. The names come from the schema; any other one is refused.

import type { Outline } from './outline.ts';
import { type Complaint, ConfigError, type Place } from './place.ts';
import { nearest } from './suggestion.ts';
import { type Document, newTable, type Path, setValue } from './toml.ts';
import type { Kind } from './values.ts';

const PREFIX = 'POSTERN_';

/** Read elsewhere: the file's name, and the password for verbs that ask for one. */
const OTHER_VARIABLES: readonly string[] = ['POSTERN_CONFIG', 'POSTERN_PASSWORD'];

/** What Kubernetes and Docker links set for services that are called "postern", or "postern-imap". */
const SERVICE_LINK =
  /^POSTERN_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP)(?:_(?:ADDR|PORT|PROTO))?)$/;
/** The same, known only by what it holds: `POSTERN_PORT=tcp://10.0.0.1:25` is theirs, `POSTERN_PORT=25` is a mistake. */
const PORT_LINK = /^POSTERN_(?:\w+_)?PORT=(?:tcp|udp):\/\//;

interface Variable {
  readonly path: Path;
  readonly outline: Outline;
}

/** Every variable by its name; those of several tables end in `_n`. */
export function variablesOf(outline: Outline): ReadonlyMap<string, Variable> {
  const variables = new Map<string, Variable>();
  const walk = (path: Path, node: Outline): void => {
    if (node.is === 'table') {
      for (const [name, entry] of Object.entries(node.entries)) walk([...path, name], entry);
    } else {
      const name = PREFIX + path.join('_').toUpperCase();
      variables.set(node.is === 'tables' ? `${name}_n` : name, { path, outline: node });
    }
  };
  walk([], outline);
  return variables;
}

/**
 * Lays the environment over a document, in place. An empty variable counts as absent, so that `VAR=${VAR:-}` in a
 * compose file does no harm. Tables from the environment take the place of all the file's of that kind.
 * @throws ConfigError
 */
export function overlayEnvironment(
  document: Document,
  outline: Outline,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const variables = variablesOf(outline);
  const complaints: Complaint[] = [];
  const tables = new Map<string, { readonly path: Path; readonly each: Outline; readonly from: [string, number][] }>();
  for (const [name, given] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || given === undefined || given === '') continue;
    if (OTHER_VARIABLES.includes(name) || SERVICE_LINK.test(name) || PORT_LINK.test(`${name}=${given}`)) continue;
    const number = /_(\d{1,4})$/.exec(name)?.[1];
    const variable = variables.get(name) ?? variables.get(name.replace(/_\d{1,4}$/, '_n'));
    if (variable?.outline.is === 'value') {
      place(document, variable.path, read(given, variable.outline.kind), variablePlace(name));
    } else if (variable?.outline.is === 'tables' && number !== undefined) {
      const key = variable.path.join('.');
      const table = tables.get(key) ?? { path: variable.path, each: variable.outline.each, from: [] };
      table.from.push([name, Number(number)]);
      tables.set(key, table);
    } else {
      const meant = nearest(name, [...variables.keys(), ...OTHER_VARIABLES]);
      complaints.push({
        place: variablePlace(name),
        text: `there is no such setting${meant === null ? '' : `; did you mean ${meant}?`}`,
      });
    }
  }
  for (const { path, each, from } of tables.values()) {
    from.sort(([, first], [, second]) => first - second);
    document.places.forget(path);
    place(document, path, [], variablePlace(from[0]?.[0] ?? ''));
    for (const [index, [name]] of from.entries()) {
      const at = [...path, index];
      place(document, at, newTable(), variablePlace(name));
      for (const [key, text] of pairsOf(env[name] ?? '', name, complaints)) {
        const known = each.is === 'table' ? Object.keys(each.entries) : [];
        const entry = each.is === 'table' && Object.hasOwn(each.entries, key) ? each.entries[key] : undefined;
        if (entry === undefined && nearest(key, known) === null) {
          // As in pairsOf: it is shown only where it looks like a key.
          const text = `has an unknown key; known are ${known.join(', ')}; write a semicolon within a value as "\\;"`;
          complaints.push({ place: variablePlace(name), text });
          continue;
        }
        place(document, [...at, key], read(text, entry?.is === 'value' ? entry.kind : 'text'), variablePlace(name));
      }
    }
  }
  if (complaints.length > 0) throw new ConfigError(complaints);
}

function variablePlace(name: string): Place {
  return { file: name, line: 0 };
}

/** Text as the type that TOML would have; what does not fit stays text, for the schema to refuse. */
function read(text: string, kind: Kind): unknown {
  const trimmed = text.trim();
  if (kind === 'number' && /^-?\d{1,15}$/.test(trimmed)) return Number(trimmed);
  if (kind === 'boolean' && /^(?:true|yes|on|1)$/i.test(trimmed)) return true;
  if (kind === 'boolean' && /^(?:false|no|off|0)$/i.test(trimmed)) return false;
  if (kind === 'list') return trimmed.split(',').map((item) => item.trim());
  return text;
}

/** `address=…;password=…`; a backslash takes `;` and itself literally. */
function pairsOf(text: string, name: string, complaints: Complaint[]): [string, string][] {
  const parts = text.match(/(?:\\.|[^;\\]|\\$)+/gs) ?? [];
  const pairs = new Map<string, string>();
  const complain = (wrong: string) => complaints.push({ place: variablePlace(name), text: wrong });
  for (const part of parts) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    const key = part.slice(0, equals).trim();
    // What is wrong is not shown: it may be the end of a password with a semicolon in it.
    if (equals < 1) complain('must be "key=value;key=value"; write a semicolon within a value as "\\;"');
    else if (pairs.has(key)) complain('has a key twice; write a semicolon within a value as "\\;"');
    else pairs.set(key, part.slice(equals + 1).replace(/\\([;\\])/g, '$1'));
  }
  return [...pairs];
}

function place({ tree, places }: Document, path: Path, value: unknown, where: Place): void {
  setValue(tree, path, value);
  places.set(path, where);
}
