// Changes of the queue, joined for those who follow it: nothing that somebody waits for may get lost in it.

import { expect, it } from 'vitest';
import type { Commit } from '../../src/store/rows.ts';
import type { Change } from '../../src/store/store.ts';
import { joinQueueChanges } from '../../src/store/writer/queue-changes.ts';

const NOW = 1_000;
const commit = 1 as Commit;

const queue = (nextAt: number, destinations: readonly string[], byHand = false): Change => ({
  commit,
  kind: 'queue',
  nextAt,
  destinations,
  byHand,
});

it('joins what is due, and what was settled, each by its earliest time', () => {
  const changes = [
    queue(900, ['a.test']),
    queue(Number.POSITIVE_INFINITY, []),
    queue(1_000, ['b.test', 'a.test']),
    queue(5_000, []),
  ];
  expect(joinQueueChanges(changes, NOW)).toEqual([queue(900, ['a.test', 'b.test']), queue(5_000, [])]);
});

it('keeps apart what falls due later, what was done by hand, and all else', () => {
  const directory: Change = { commit, kind: 'directory' };
  const changes = [
    directory,
    queue(2_000, ['a.test']),
    queue(3_000, ['b.test']),
    queue(0, [], true),
    queue(0, [], true),
  ];
  expect(joinQueueChanges(changes, NOW)).toEqual(changes);
});
