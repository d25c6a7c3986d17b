// Golden pairs: a message and what FETCH makes of it, a text file each. `== message` (and `== prefix`, what stands in front
// of it for its recipient) hold lines that end in CRLF, or in nothing where a backslash ends them; `\r`, `\n`, `\0`,
// `\xHH` and `\\` are octets. What follows are FETCH items and their values in the same spelling.

import { readdirSync, readFileSync } from 'node:fs';

export interface Golden {
  readonly name: string;
  readonly title: string;
  readonly prefix: Buffer;
  readonly message: Buffer;
  /** Items as a client asks for them, and binary text of the value. */
  readonly items: readonly (readonly [item: string, value: string])[];
}

const FOLDER = new URL('golden/', import.meta.url);

export function goldenPairs(): Golden[] {
  return readdirSync(FOLDER)
    .toSorted()
    .map((name) => golden(name.replace(/\.txt$/, ''), readFileSync(new URL(name, FOLDER), 'utf8')));
}

function golden(name: string, text: string): Golden {
  const [title = '', ...sections] = text.split(/^== /m);
  const items = sections.map((section) => {
    const lineEnd = section.indexOf('\n');
    return [section.slice(0, lineEnd), octetsOf(section.slice(lineEnd + 1))] as const;
  });
  const octets = (wanted: string): Buffer => Buffer.from(items.find(([item]) => item === wanted)?.[1] ?? '', 'latin1');
  return {
    name,
    title: title.trim(),
    prefix: octets('prefix'),
    message: octets('message'),
    items: items.filter(([item]) => item !== 'prefix' && item !== 'message'),
  };
}

const NAMED: Readonly<Record<string, string>> = { r: '\r', n: '\n', 0: '\0', '\\': '\\' };

/** Binary text: a line end is CRLF, and a backslash before one takes it away. */
function octetsOf(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/\\\n|\n|\\x([0-9a-f]{2})|\\([rn0\\])/g, (found, hex: string | undefined, letter: string | undefined) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (letter !== undefined) return NAMED[letter] ?? '';
      return found === '\n' ? '\r\n' : '';
    });
}
