// Names of annotations (RFC 5464 §3.2): paths without regard to case, `/private/…` or `/shared/…`. Pure.

import { bad } from '../completion.ts';
import { LIMIT } from '../limits.ts';
import type { Scanner } from './scanner.ts';

/** RFC 6154 §4: special uses of a mailbox, as LIST says them. */
export const SPECIAL_USE = '/private/specialuse';

export interface MetadataEntry {
  /** Lower case, with its prefix. */
  readonly entry: string;
  readonly shared: boolean;
}

/** Printable ASCII without "*" and "%". */
const ENTRY = /^[ -$&-)+-~]+$/;

/** entry = astring: no "*" or "%", nothing beyond printable ASCII, no empty component; at least two components, four below
 * `/private/vendor` and `/shared/vendor`.
 * @param below entries below it are asked for: then it may be shorter
 * @throws ImapRefusal BAD (RFC 5464 §3.2) */
export function metadataEntry(scanner: Scanner, below = false): MetadataEntry {
  const entry = scanner.astring().toString('latin1').toLowerCase();
  const [before, scope, ...parts] = entry.split('/');
  const least = below ? 0 : parts[0] === 'vendor' ? 3 : 1;
  const known = before === '' && (scope === 'private' || scope === 'shared');
  if (!known || parts.length < least || parts.includes('') || !ENTRY.test(entry)) {
    throw bad('That is no name of an annotation');
  }
  if (entry.length > LIMIT.metadataEntry) throw bad('The name of an annotation is too long');
  return { entry, shared: scope === 'shared' };
}

/** How far below an entry another one is; 0: it is the same; null: it is not below it, at no depth. */
export function depthBelow(entry: string, above: string): number | null {
  if (entry === above) return 0;
  if (!entry.startsWith(`${above}/`)) return null;
  return entry.slice(above.length).split('/').length - 1;
}
