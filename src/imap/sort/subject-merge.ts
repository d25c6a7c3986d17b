// Step 5 of THREAD=REFERENCES (RFC 5256 §3): threads whose first messages have one base subject become one.

import type { Turn } from '../../platform/turn.ts';
import { addChild, leading, type ThreadNode } from './thread-tree.ts';

/** What one thread costs of a turn. */
const THREAD_COST = 128;

/** @param roots sorted by sent date, the children of dummies too. @returns the threads, in no order */
export async function mergeSubjects(roots: readonly ThreadNode[], turn: Turn): Promise<ThreadNode[]> {
  const table = new Map<string, ThreadNode>();
  for (const root of roots) {
    const subject = subjectOf(root);
    if (subject === '') continue;
    const known = table.get(subject);
    if (known === undefined || isBetter(root, known)) table.set(subject, root);
  }
  const threads = new Set(roots);
  for (const root of roots) {
    const subject = subjectOf(root);
    const known = table.get(subject);
    if (subject === '' || known === undefined || known === root) continue;
    threads.delete(root);
    if (known.message === null) {
      // A dummy takes the children of another one, or the message.
      for (const child of root.message === null ? root.children : [root]) addChild(known, child);
    } else if (isReply(root) && !isReply(known)) addChild(known, root);
    else {
      const dummy: ThreadNode = { message: null, children: [known, root] };
      threads.delete(known);
      threads.add(dummy);
      table.set(subject, dummy);
    }
    turn.spend(THREAD_COST);
    if (turn.over) await turn.pass();
  }
  return [...threads];
}

function subjectOf(root: ThreadNode): string {
  return leading(root)?.keys?.subject ?? '';
}

function isReply(node: ThreadNode): boolean {
  return node.message?.keys?.reply ?? false;
}

/** (B) (iv): does a thread stand for its subject rather than the one that does? */
function isBetter(root: ThreadNode, known: ThreadNode): boolean {
  if (known.message === null) return false;
  return root.message === null || (isReply(known) && !isReply(root));
}
