// Which messages a set names that a client has written: a set of sequence numbers or of UIDs, or `$` (RFC 3501 §9,
// sequence-set; RFC 5182 §2.1). Pure; the answer is UIDs, ascending, each once.

import { bad } from './completion.ts';
import type { MessageSet, SetBound, SetRange } from './search/keys.ts';
import type { UidList } from './uid-list.ts';

/** What the client knows: its messages, and what `$` stands for, ascending. */
interface Known {
  readonly uids: UidList;
  readonly saved: () => Uint32Array;
}

/** Sequence numbers, both included, from the lower to the higher, however they were written (RFC 3501 §9, seq-range). Where
 * the second is lower, there are none in it. */
type Range = readonly [first: number, last: number];

/** Of a set of sequence numbers. @throws ImapRefusal BAD for a number that no message has, which is also `*` in an empty
 * mailbox (RFC 3501 §9, seq-number) */
export function namedBySequence(set: MessageSet, known: Known): Uint32Array {
  const largest = known.uids.length;
  const number = (bound: SetBound) => {
    const sequence = bound === '*' ? largest : bound;
    if (sequence < 1 || sequence > largest) throw bad('There is no message with that sequence number');
    return sequence;
  };
  return named(set, known, ({ first, last }) => ordered(number(first), number(last)));
}

/** Of a set of UIDs: those that the client does not know are passed over (RFC 3501 §6.4.8). */
export function namedByUid(set: MessageSet, known: Known): Uint32Array {
  const { uids } = known;
  const largest = uids.last;
  const number = (bound: SetBound) => (bound === '*' ? largest : bound);
  return named(set, known, ({ first, last }) => {
    const [low, high] = ordered(number(first), number(last));
    return [uids.countBelow(low) + 1, uids.countBelow(high + 1)];
  });
}

function named(set: MessageSet, { uids, saved }: Known, range: (written: SetRange) => Range): Uint32Array {
  if (set === 'saved') return saved();
  if ('besideSaved' in set) return union(within(uids, set.besideSaved.map(range)), saved());
  return within(uids, set.map(range));
}

function ordered(a: number, b: number): Range {
  return a <= b ? [a, b] : [b, a];
}

function union(a: Uint32Array, b: Uint32Array): Uint32Array {
  return Uint32Array.from(new Set([...a, ...b])).sort();
}

/** The UIDs of ranges that overlap or not. */
function within(uids: UidList, ranges: readonly Range[]): Uint32Array {
  const parts: Uint32Array[] = [];
  let done = 0;
  let length = 0;
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (last <= done || last < first) continue;
    const part = uids.slice(Math.max(first, done + 1), last);
    parts.push(part);
    length += part.length;
    done = last;
  }
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const all = new Uint32Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
