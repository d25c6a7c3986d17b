// Threads (RFC 8474 §5.2): a message belongs to the thread of the nearest ancestor that its account knows, or of a reply
// that came before it. Message-IDs are kept as hashes; a collision joins two threads and does no other harm.

import { Limit } from '../limits.ts';
import type { AccountId, BodyFacts } from '../rows.ts';
import type { Work } from './work.ts';

/** The thread of a message in an account. @param fresh the number that a new thread gets */
export function threadOf(work: Work, account: AccountId, facts: BodyFacts, fresh: number): number {
  const own = facts.messageId === null ? null : hash(facts.messageId);
  if (facts.references.length === 0) {
    // The hot path: one statement for a message that answers none.
    if (own === null || remember(work, account, own, fresh)) return fresh;
    return lookUp(work, account, own) ?? fresh;
  }
  const ancestors = nearest(facts.references).map(hash);
  let thread: number | undefined;
  for (const reference of own === null ? ancestors : [...ancestors, own]) {
    thread = lookUp(work, account, reference);
    if (thread !== undefined) break;
  }
  thread ??= fresh;
  if (own !== null) remember(work, account, own, thread);
  // The root and the parent stand for ancestors that may still come, and join their other answers to this one.
  const [parent] = ancestors;
  const root = ancestors.at(-1);
  if (parent !== undefined) remember(work, account, parent, thread);
  if (root !== undefined && root !== parent) remember(work, account, root, thread);
  return thread;
}

/** The nearest ancestors, nearest first, and the root. */
function nearest(references: readonly string[]): readonly string[] {
  const back = [...references].reverse();
  const root = back.at(-1);
  if (back.length <= Limit.threadLookups || root === undefined) return back;
  return [...back.slice(0, Limit.threadLookups - 1), root];
}

function lookUp(work: Work, account: AccountId, reference: number): number | undefined {
  return work.db.get<{ thread: number }>(
    'SELECT thread FROM thread_reference WHERE account = ? AND reference = ?',
    account,
    reference,
  )?.thread;
}

/** @returns whether the Message-ID was new */
function remember(work: Work, account: AccountId, reference: number, thread: number): boolean {
  return (
    work.db.run(
      'INSERT OR IGNORE INTO thread_reference (account, reference, thread) VALUES (?, ?, ?)',
      account,
      reference,
      thread,
    ) > 0
  );
}

/** 52 bits of a text: two runs of FNV-1a side by side, from different starts. */
function hash(text: string): number {
  let high = 0x811c9dc5;
  let low = 0x1b873593;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x85ebca6b);
  }
  return ((high ^ (high >>> 15)) & 0xfffff) * 0x1_0000_0000 + ((low ^ (low >>> 13)) >>> 0);
}
