// What the conformance suite needs of an engine: stores to open, and the same one again after a close. Another engine
// runs the same cases by giving its own harness.

import { afterEach, beforeEach } from 'vitest';
import type { Clock } from '../../../src/platform/clock.ts';
import type { Change, Store } from '../../../src/store/store.ts';

export interface Harness {
  /** A store of its own, empty. */
  readonly begin: () => Promise<OpenedStore>;
}

export interface OpenedStore extends AsyncDisposable {
  /** Opens the store (again). `clock` where a case holds time in hand. */
  open(options?: {
    readonly clock?: Clock;
    readonly stagingPerSession?: number;
    readonly stagingTotal?: number;
  }): Promise<Store>;
}

/** The store of each case, opened before it and removed behind it. */
export function eachStore(harness: Harness): { readonly store: Store; readonly place: OpenedStore } {
  const current: { store: Store | undefined; place: OpenedStore | undefined } = { store: undefined, place: undefined };
  beforeEach(async () => {
    current.place = await harness.begin();
    current.store = await current.place.open();
  });
  afterEach(async () => {
    await current.place?.[Symbol.asyncDispose]();
  });
  const there = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('No case is running');
    return value;
  };
  return {
    get store() {
      return there(current.store);
    },
    get place() {
      return there(current.place);
    },
  };
}

/** Waits until a condition holds, by whatever turns of the event loop it takes. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Collects the changes of a topic. */
export function recorded(store: Store, topic: Parameters<Store['follow']>[0]): Change[] {
  const changes: Change[] = [];
  store.follow(topic, (change) => changes.push(change));
  return changes;
}
