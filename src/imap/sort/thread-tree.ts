// Threads as trees, and the THREAD response that they make (RFC 5256 §4). A thread can be as deep as a mailbox is long,
// so that nothing here calls itself.

import type { Turn } from '../../platform/turn.ts';
import { type Comparison, sorted } from './merge-sort.ts';
import { type Sortable, sentDate } from './order.ts';

/** One place in a thread. Without a message it stands for one that is not there, or was not searched. */
export interface ThreadNode {
  message: Sortable | null;
  children: readonly ThreadNode[];
}

/** What one node costs of a turn; characters written at a time. */
const NODE_COST = 16;
const PIECE = 16_384;

/** Most messages have no answer: they share this. */
export const NO_CHILDREN: readonly ThreadNode[] = [];

export function threadNode(message: Sortable | null): ThreadNode {
  return { message, children: NO_CHILDREN };
}

export function addChild(parent: ThreadNode, child: ThreadNode): void {
  const [only, more] = parent.children;
  // Most have one or two, and an array that has grown has room for seventeen.
  if (only === undefined) parent.children = [child];
  else if (more === undefined) parent.children = [only, child];
  // Whoever has children has an array of its own.
  else (parent.children as ThreadNode[]).push(child);
}

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
    const children = all[at]?.children ?? NO_CHILDREN;
    // for…of makes an iterator for each of them.
    for (let child = 0; child < children.length; child++) all.push(children[child] as ThreadNode); // it is there
  }
  return all;
}

/** Sorts each set of siblings below the roots, the youngest first (RFC 5256 §3, step 6). */
export async function sortChildren(roots: readonly ThreadNode[], turn: Turn): Promise<void> {
  const nodes = everyNode(roots);
  for (let at = nodes.length - 1; at >= 0; at--) {
    const node = nodes[at];
    turn.spend(NODE_COST * (1 + (node?.children.length ?? 0)));
    // Answers mostly came in the order in which they were sent.
    if (node && !isSorted(node.children)) node.children = await sorted(node.children, bySentDate, turn);
    if (turn.over) await turn.pass();
  }
}

function isSorted(nodes: readonly ThreadNode[]): boolean {
  for (let at = 1; at < nodes.length; at++) {
    if (bySentDate(nodes[at - 1] as ThreadNode, nodes[at] as ThreadNode) > 0) return false; // they are there
  }
  return true;
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
