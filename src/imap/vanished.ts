// Which UIDs are gone, as runs (RFC 7162 §3.2.10): what the store's log says, cut to what the client asked about, without
// what still stands. Pure; a run costs the same whatever its length.

import { placeOf } from '../store/ascending.ts';
import type { UidRun } from '../store/store.ts';
import { LIMIT } from './limits.ts';
import { Ranges } from './ranges.ts';

/** Runs in ascending order, apart from each other. */
export function orderly(runs: readonly UidRun[]): readonly UidRun[] {
  const joined = new Ranges();
  for (const { first, last } of runs.toSorted((a, b) => a.first - b.first)) joined.add(first, last);
  return [...joined];
}

/** What is in both. @param some @param others orderly */
export function common(some: readonly UidRun[], others: readonly UidRun[]): readonly UidRun[] {
  const found: UidRun[] = [];
  for (let a = 0, b = 0; ; ) {
    const one = some[a];
    const other = others[b];
    if (!one || !other) return found;
    const first = Math.max(one.first, other.first);
    const last = Math.min(one.last, other.last);
    if (first <= last) found.push({ first, last });
    if (one.last < other.last) a++;
    else b++;
  }
}

/** What of `runs`, which are orderly, is not among these UIDs, which ascend. */
export function without(runs: readonly UidRun[], uids: Uint32Array): readonly UidRun[] {
  const found: UidRun[] = [];
  let at = 0;
  for (const run of runs) {
    let { first } = run;
    at = placeOf(uids, first, at);
    for (; (uids[at] ?? Number.POSITIVE_INFINITY) <= run.last; at++) {
      const uid = uids[at] ?? 0;
      if (first < uid) found.push({ first, last: uid - 1 });
      first = uid + 1;
    }
    if (first <= run.last) found.push({ first, last: run.last });
  }
  return found;
}

/** expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids: as many lines as it takes, none for no runs. */
export function* vanishedLines(runs: readonly UidRun[], earlier: boolean): Generator<string> {
  for (let at = 0; at < runs.length; at += LIMIT.page) {
    const part = runs.slice(at, at + LIMIT.page);
    const set = part.map(({ first, last }) => (first === last ? `${first}` : `${first}:${last}`)).join(',');
    yield `* VANISHED ${earlier ? '(EARLIER) ' : ''}${set}`;
  }
}
