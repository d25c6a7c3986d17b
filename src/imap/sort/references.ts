// THREAD=REFERENCES (RFC 5256 §3) and THREAD=REFS (draft-ietf-morg-inthread): who answers whom, as the References of the
// messages say, however broken they are. The steps are those of the RFC.

import type { Turn } from '../../platform/turn.ts';
import { sorted } from './merge-sort.ts';
import type { Sortable } from './order.ts';
import { mergeSubjects } from './subject-merge.ts';
import { addChild, bySentDate, everyNode, NO_CHILDREN, sortChildren, type ThreadNode } from './thread-tree.ts';

/** A message on its way into a thread, or one that is only spoken of. */
class Link implements ThreadNode {
  message: Sortable | null;
  children = NO_CHILDREN;
  parent: Link | null = null;
  /** How many have this as their parent. */
  offspring = 0;

  constructor(message: Sortable | null) {
    this.message = message;
  }
}

/** What one message costs of a turn, beside its references and the ancestors that were looked at. */
const MESSAGE_COST = 256;
const LINK_COST = 16;

export async function references(messages: readonly Sortable[], turn: Turn): Promise<ThreadNode[]> {
  const roots = await pruned(await linked(messages, turn), turn);
  // Step 4: the children of a dummy are sorted, for the first of them stands for it.
  for (const root of roots) {
    if (root.message === null) root.children = await sorted(root.children, bySentDate, turn);
  }
  const threads = await mergeSubjects(await sorted(roots, bySentDate, turn), turn);
  await sortChildren(threads, turn);
  return sorted(threads, bySentDate, turn);
}

/** As REFERENCES, but no subject joins threads, and the thread to which something came last stands last. */
export async function refs(messages: readonly Sortable[], turn: Turn): Promise<ThreadNode[]> {
  const roots = await pruned(await linked(messages, turn), turn);
  await sortChildren(roots, turn);
  const latest = new Map<ThreadNode, number>();
  for (const root of roots) {
    let newest = Number.NEGATIVE_INFINITY;
    for (const { message } of everyNode([root])) newest = Math.max(newest, message?.internalDate ?? newest);
    latest.set(root, newest);
  }
  const arrival = (node: ThreadNode) => latest.get(node) ?? 0;
  return sorted(roots, (one, other) => arrival(one) - arrival(other) || bySentDate(one, other), turn);
}

/** Step 1. Messages come in the order of their numbers, so that the first one with an identifier has it. */
async function linked(messages: readonly Sortable[], turn: Turn): Promise<Link[]> {
  const links: Link[] = [];
  const byId = new Map<string, Link>();
  const make = (message: Sortable | null): Link => {
    const link = new Link(message);
    links.push(link);
    return link;
  };
  const named = (id: string): Link => {
    const known = byId.get(id);
    if (known) return known;
    const link = make(null);
    byId.set(id, link);
    return link;
  };
  for (const message of messages) {
    const id = message.keys?.id ?? '';
    let own = id === '' ? make(message) : named(id);
    if (own.message === null) own.message = message;
    // The identifier is taken: this one has none.
    else if (own.message !== message) own = make(message);
    // (A) Each reference is the parent of the next one, unless that has a parent.
    let last: Link | null = null;
    for (const reference of message.keys?.references ?? []) {
      const link = named(reference);
      if (last && link.parent === null) attach(link, last, turn);
      last = link;
      turn.spend(LINK_COST);
    }
    // (B) The last reference is the parent of the message, whatever others have said.
    if (own.parent) own.parent.offspring -= 1;
    own.parent = null;
    if (last) attach(own, last, turn);
    turn.spend(MESSAGE_COST);
    if (turn.over) await turn.pass();
  }
  return links;
}

/** Makes a link between a child without parent and a parent, but no loop. */
function attach(child: Link, parent: Link, turn: Turn): void {
  if (child === parent) return;
  if (child.offspring > 0) {
    for (let above = parent.parent; above; above = above.parent) {
      if (above === child) return;
      turn.spend(1);
    }
  }
  child.parent = parent;
  parent.offspring += 1;
}

/** Steps 2 and 3: the threads, without dummies but where one holds several messages together at the top. */
async function pruned(links: readonly Link[], turn: Turn): Promise<ThreadNode[]> {
  const roots: ThreadNode[] = [];
  for (const link of links) {
    if (link.parent) addChild(link.parent, link);
    else roots.push(link);
  }
  const all = everyNode(roots);
  for (let at = all.length - 1; at >= 0; at--) {
    const node = all[at];
    if (node?.children.some(isDummy)) node.children = node.children.flatMap(withoutDummy);
    turn.spend(LINK_COST);
    if (turn.over) await turn.pass();
  }
  return roots.flatMap((root) => (root.message === null && root.children.length < 2 ? root.children : [root]));
}

function isDummy(node: ThreadNode): boolean {
  return node.message === null;
}

function withoutDummy(node: ThreadNode): readonly ThreadNode[] {
  return isDummy(node) ? node.children : [node];
}
