// What a transaction tells of the queue, in as few changes as say it: a commit of a hundred entries that are settled wakes
// their follower once.

import type { Change } from '../store.ts';

type QueueChange = Extract<Change, { kind: 'queue' }>;

/**
 * The changes with those of the queue joined that mean the same to whoever follows them: what is due now, and what was
 * only settled. The others stand for themselves, since each has a time of its own.
 * @param now ms since the epoch
 */
export function joinQueueChanges(changes: readonly Change[], now: number): readonly Change[] {
  const others: Change[] = [];
  const settled: QueueChange[] = [];
  const due: QueueChange[] = [];
  for (const change of changes) {
    if (change.kind !== 'queue' || change.byHand) others.push(change);
    else if (change.destinations.length === 0) settled.push(change);
    else if (change.nextAt <= now) due.push(change);
    else others.push(change);
  }
  return [...others, ...joined(due), ...joined(settled)];
}

function joined(changes: readonly QueueChange[]): readonly QueueChange[] {
  const [first] = changes;
  if (first === undefined || changes.length === 1) return changes;
  const nextAt = Math.min(...changes.map((change) => change.nextAt));
  const destinations = [...new Set(changes.flatMap((change) => change.destinations))];
  return [{ ...first, nextAt, destinations }];
}
