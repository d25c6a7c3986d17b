// THREAD=ORDEREDSUBJECT (RFC 5256 §3): messages with one base subject, as the children of the first of them.

import type { Turn } from '../../platform/turn.ts';
import { sorted } from './merge-sort.ts';
import { inOrder, type Sortable, type SortCriterion } from './order.ts';
import { addChild, bySentDate, type ThreadNode, threadNode } from './thread-tree.ts';

const BY_SUBJECT: readonly SortCriterion[] = [
  { key: 'SUBJECT', reverse: false },
  { key: 'DATE', reverse: false },
];

export async function orderedSubject(messages: readonly Sortable[], turn: Turn): Promise<ThreadNode[]> {
  const threads: ThreadNode[] = [];
  for (const message of await inOrder(messages, BY_SUBJECT, turn)) {
    const thread = threads.at(-1);
    if (thread?.message?.keys?.subject === message.keys?.subject && thread) addChild(thread, threadNode(message));
    else threads.push(threadNode(message));
  }
  return sorted(threads, bySentDate, turn);
}
