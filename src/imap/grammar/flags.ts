// Flags on the wire (RFC 3501 §2.3.2, §9): system flags as bits, keywords as they were written. Pure.

import { Flag } from '../../store/rows.ts';
import { bad, no } from '../completion.ts';
import { LIMIT } from '../limits.ts';
import type { Scanner } from './scanner.ts';

export interface Flags {
  /** Bits of `Flag`. */
  readonly bits: number;
  readonly keywords: readonly string[];
}

const SYSTEM: readonly (readonly [string, number])[] = [
  ['\\Answered', Flag.Answered],
  ['\\Flagged', Flag.Flagged],
  ['\\Deleted', Flag.Deleted],
  ['\\Seen', Flag.Seen],
  ['\\Draft', Flag.Draft],
];
const BITS = new Map(SYSTEM.map(([name, bit]) => [name.toUpperCase(), bit]));

/** Every system flag that a client may change, in the order in which they are listed. */
export const SYSTEM_FLAGS = SYSTEM.map(([name]) => name).join(' ');

/** Names of system flags. */
export function namesOfFlags(bits: number): string[] {
  return SYSTEM.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name);
}

/** The text of each combination of system flags, made once. */
const TEXT = Array.from({ length: 32 }, (_, bits) => namesOfFlags(bits).join(' '));

/** flag-list with its parentheses. `recent`: \Recent is the session's to know. */
export function flagList(bits: number, keywords: readonly string[], recent: boolean): string {
  let text = TEXT[bits & 31] ?? '';
  if (recent) text += text === '' ? '\\Recent' : ' \\Recent';
  if (keywords.length > 0) text += (text === '' ? '' : ' ') + keywords.join(' ');
  return `(${text})`;
}

/** flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension
 * flag-extension = "\" atom, which nobody has registered: refused. \Recent cannot be set (RFC 3501 §2.3.2). */
function flag(scanner: Scanner, found: { bits: number; keywords: string[] }): void {
  if (scanner.accept('\\')) {
    const bit = BITS.get(`\\${scanner.atom('a flag').toUpperCase()}`);
    if (bit === undefined) throw bad('A flag with a backslash that cannot be set');
    found.bits |= bit;
    return;
  }
  const keyword = scanner.atom('a flag');
  if (keyword.length > LIMIT.keyword) throw no('A keyword is too long', 'LIMIT');
  if (found.keywords.length >= LIMIT.keywords) throw no('Too many keywords', 'LIMIT');
  const folded = keyword.toLowerCase();
  if (!found.keywords.some((other) => other.toLowerCase() === folded)) found.keywords.push(keyword);
}

/** flag-list = "(" [flag *(SP flag)] ")" */
export function flags(scanner: Scanner): Flags {
  const found = { bits: 0, keywords: [] };
  scanner.list(() => flag(scanner, found));
  return found;
}

/** store-att-flags: flag-list / (flag *(SP flag)) */
export function storeFlags(scanner: Scanner): Flags {
  if (scanner.atList) return flags(scanner);
  const found = { bits: 0, keywords: [] };
  do flag(scanner, found);
  while (scanner.accept(' '));
  return found;
}
