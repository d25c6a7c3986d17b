// How many connections one source and all sources together may hold at once. Memory is bounded by the connections that
// are open: a source that has none is forgotten.

import { sourceOf } from './source.ts';

export interface Admission {
  /** Counts a connection in, or says which limit it would break. */
  enter(address: string): 'total' | 'source' | null;
  /** Counts a connection out that was let in. */
  leave(address: string): void;
}

export function createAdmission(total: number, perSource: number): Admission {
  const held = new Map<string, number>();
  let all = 0;
  return {
    enter(address) {
      if (all >= total) return 'total';
      const source = sourceOf(address);
      const count = held.get(source) ?? 0;
      if (count >= perSource) return 'source';
      held.set(source, count + 1);
      all += 1;
      return null;
    },
    leave(address) {
      const source = sourceOf(address);
      const count = held.get(source) ?? 0;
      if (count === 0) return;
      if (count === 1) held.delete(source);
      else held.set(source, count - 1);
      all -= 1;
    },
  };
}
