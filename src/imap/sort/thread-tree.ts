// Threads as trees, and the THREAD response that they make (RFC 5256 §4). A thread can be as deep as a mailbox is long,
// so that nothing here calls itself.

import type { Turn } from '../../platform/turn.ts';
import { type Comparison, type Sortable, sentDate, sorted } from './order.ts';

/** One place in a thread. Without a message it stands for one that is not there, or was not searched. */
export interface ThreadNode {
  readonly message: Sortable | null;
  children: ThreadNode[];
}

/** Messages between two looks at the turn; characters written at a time. */
const STEP = 1_024;
const PIECE = 16_384;

/** The message that a thread is sorted by: its own or, of one that is not there, its first child's. */
export function leading(node: ThreadNode): Sortable | null {
  return node.message ?? node.children[0]?.message ?? null;
}

/** RFC 5256 §2.2: by sent date, and by their place in the mailbox where that is the same. */
export const bySentDate: Comparison<ThreadNode> = (one, other) => {
  const a = leading(one);
  const b = leading(other);
  if (a === null || b === null) return 0;
  return sentDate(a) - sentDate(b) || a.uid - b.uid;
};

/** The nodes of these threads, each in front of its children. */
export function everyNode(roots: readonly ThreadNode[]): ThreadNode[] {
  const all = [...roots];
  for (let at = 0; at < all.length; at++) {
    for (const child of all[at]?.children ?? []) all.push(child);
  }
  return all;
}

/** Sorts each set of siblings below the roots, the youngest first (RFC 5256 §3, step 6). */
export async function sortChildren(roots: readonly ThreadNode[], turn: Turn): Promise<void> {
  const nodes = everyNode(roots);
  for (let at = nodes.length - 1; at >= 0; at--) {
    const node = nodes[at];
    if (node && node.children.length > 1) node.children = await sorted(node.children, bySentDate, turn);
    if (at % STEP === 0) await turn.pass();
  }
}

/**
 * thread-data without its name, in pieces: " " and the threads, or nothing.
 * thread-list = "(" (thread-members / thread-nested) ")"
 * thread-members = nz-number *(SP nz-number) [SP thread-nested]; thread-nested = 2*thread-list
 * @param number what the client calls a message
 */
export function* threadData(roots: readonly ThreadNode[], number: (uid: number) => number): Generator<string> {
  let text = roots.length > 0 ? ' ' : '';
  // What is still to be written, the next thing last: a thread or branch, or the end of one.
  const left: (ThreadNode | ')')[] = roots.toReversed();
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (next === ')') text += next;
    else {
      text += '(';
      left.push(')');
      let node: ThreadNode = next;
      let between = '';
      for (;;) {
        if (node.message) text += `${between}${number(node.message.uid)}`;
        between = node.message ? ' ' : between;
        const [only] = node.children;
        if (only === undefined || node.children.length > 1) break;
        node = only;
        if (text.length >= PIECE) {
          yield text;
          text = '';
        }
      }
      if (node.children.length > 1) {
        text += between;
        for (const child of node.children.toReversed()) left.push(child);
      }
    }
    if (text.length >= PIECE) {
      yield text;
      text = '';
    }
  }
  if (text !== '') yield text;
}
