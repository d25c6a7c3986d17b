// The view against changes written by hand: what is told, when, and that numbers and UIDs always fit.

import { describe, expect, test } from 'vitest';
import { View } from '../../src/imap/view.ts';
import { Flag } from '../../src/store/rows.ts';
import type { Change } from '../../src/store/store.ts';

const OWN = 7;
let commit = 100;

/** Numbers stand for the store's branded ones. */
type Loose<T> = T extends number ? number : T;

function view(uids: number[], readOnly = false): View {
  commit = 100;
  const opened = { id: OWN, readOnly, uids: Uint32Array.from(uids), commit, keywords: ['known'] };
  return new View(opened as unknown as ConstructorParameters<typeof View>[0]); // plain numbers for branded ones
}

function change(
  kind: 'added' | 'flags' | 'expunged',
  uids: number[],
  more: Record<string, Loose<unknown>> = {},
): Change {
  commit++;
  return {
    kind,
    commit,
    mailbox: 1,
    account: 1,
    modSeq: commit,
    uids: Uint32Array.from(uids),
    flags: new Uint8Array(uids.length),
    keywords: null,
    view: null,
    ...more,
  } as unknown as Change; // plain numbers for branded ones
}

const uid = (number: number) => number as Parameters<View['flagsTold']>[0];

describe('RFC 3501 §7.3, §7.4', () => {
  test('arrivals are told by EXISTS, and have numbers only then', () => {
    const it = view([3, 5]);
    it.apply(change('added', [9]));
    expect(it.sequenceOf(uid(9))).toBe(0);
    expect(it.tell(false)).toMatchObject({ exists: 3, arrivedUpTo: 9, expunged: [] });
    expect(it.sequenceOf(uid(9))).toBe(3);
    expect(it.hasNews(true)).toBe(false);
  });

  test('EXPUNGE waits while it may not be told, and numbers hold still', () => {
    const it = view([3, 5, 9]);
    it.apply(change('expunged', [3, 9]));
    expect(it.hasNews(false)).toBe(false);
    expect(it.tell(false).expunged).toEqual([]);
    expect(it.uidOf(1)).toBe(3);
    expect(it.untoldExpunges).toBe(true);
    expect(it.tell(true)).toMatchObject({ expunged: [3, 1], acknowledge: commit });
    expect(it.uidOf(1)).toBe(5);
    expect(it.exists).toBe(1);
    expect(it.tell(true)).toMatchObject({ expunged: [], acknowledge: null });
  });

  test('what comes and goes between two reports was never there, but the store hears of it', () => {
    const it = view([3]);
    it.apply(change('added', [9, 10]));
    it.apply(change('expunged', [9]));
    expect(it.tell(true)).toMatchObject({ expunged: [], exists: 2, acknowledge: commit });
    it.apply(change('added', [11]));
    it.apply(change('expunged', [11]));
    expect(it.tell(true)).toMatchObject({ expunged: [], exists: null, acknowledge: commit });
  });

  test('changes that the view was opened with are passed over', () => {
    const it = view([3]);
    it.apply(change('added', [3], { commit: 100 }));
    expect(it.hasNews(true)).toBe(false);
    it.apply(change('added', [4], { commit: 101 }));
    it.apply(change('added', [5], { commit: 101 }));
    expect(it.tell(true).exists).toBe(3);
  });
});

describe('flags', () => {
  test('the last state is told, with new keywords before it', () => {
    const it = view([3, 5]);
    it.apply(change('flags', [5], { flags: Uint8Array.of(Flag.Seen) }));
    it.apply(change('flags', [5], { flags: Uint8Array.of(Flag.Flagged), keywords: [['new']] }));
    const news = it.tell(false);
    expect(news.keywords).toEqual(['known', 'new']);
    expect(news.flags).toMatchObject([{ sequence: 2, uid: 5, state: { flags: Flag.Flagged, keywords: ['new'] } }]);
    expect(it.tell(false)).toMatchObject({ keywords: null, flags: [] });
  });

  test('our own change is told by its command; it joins an older one that waits', () => {
    const it = view([3, 5]);
    it.apply(change('flags', [3], { flags: Uint8Array.of(Flag.Seen), view: OWN }));
    expect(it.hasNews(true)).toBe(false);
    it.apply(change('flags', [5], { flags: Uint8Array.of(Flag.Flagged) }));
    it.apply(change('flags', [5], { flags: Uint8Array.of(Flag.Flagged | Flag.Seen), view: OWN }));
    expect(it.tell(false).flags).toMatchObject([{ uid: 5, state: { flags: Flag.Flagged | Flag.Seen } }]);
  });

  test('what was just told is no news, what came later is', () => {
    const it = view([3, 5]);
    it.apply(change('flags', [3, 5]));
    it.flagsTold(uid(3), commit as never); // a branded number
    it.flagsTold(uid(5), (commit - 1) as never);
    expect(it.tell(false).flags).toMatchObject([{ uid: 5 }]);
  });

  test('expunged messages and such as were not told have no flags to tell', () => {
    const it = view([3]);
    it.apply(change('flags', [3]));
    it.apply(change('expunged', [3]));
    it.apply(change('added', [4]));
    it.apply(change('flags', [4]));
    expect(it.tell(true).flags).toEqual([]);
  });

  test('too many are read again from the store', () => {
    const it = view(Array.from({ length: 5000 }, (_, i) => i + 1));
    it.apply(change('flags', [5000]));
    const first = commit;
    it.apply(
      change(
        'flags',
        Array.from({ length: 4000 }, (_, i) => i + 1),
      ),
    );
    const news = it.tell(false);
    expect(news.flags).toEqual([]);
    expect(news.reread).toBe(first - 1);
  });
});

describe('numbers', () => {
  const set = (first: number | '*', last: number | '*' = first) => [{ first, last }];

  test('of sequences', () => {
    const it = view([3, 5, 9]);
    expect([...it.resolveSequences([...set(3), ...set('*', 2), ...set(1)])]).toEqual([3, 5, 9]);
    expect([...it.resolveSequences(set(2, '*'))]).toEqual([5, 9]);
    expect(() => it.resolveSequences(set(4))).toThrow(expect.objectContaining({ name: 'ImapRefusal' }));
    expect(() => view([]).resolveSequences(set(1, '*'))).toThrow(expect.objectContaining({ name: 'ImapRefusal' }));
  });

  test('of UIDs', () => {
    const it = view([3, 5, 9]);
    expect([...it.resolveUids([...set(4, 100), ...set(3)])]).toEqual([3, 5, 9]);
    expect([...it.resolveUids(set(20, '*'))]).toEqual([9]);
    expect([...it.resolveUids(set(6, 8))]).toEqual([]);
    expect([...view([]).resolveUids(set(1, '*'))]).toEqual([]);
  });

  test('the array that the store gave is never written to', () => {
    const shared = Uint32Array.of(3, 5, 9);
    const it = view([]);
    const opened = { id: OWN, readOnly: false, uids: shared, commit, keywords: [] };
    const other = new View(opened as unknown as ConstructorParameters<typeof View>[0]); // plain numbers
    other.apply(change('added', [10, 11]));
    other.tell(true);
    other.apply(change('expunged', [5, 10]));
    other.tell(true);
    expect([...other.all]).toEqual([3, 9, 11]);
    expect([...shared]).toEqual([3, 5, 9]);
    expect(it.exists).toBe(0);
  });

  test('recent ones are counted among those that are there', () => {
    const it = view([3, 5, 9]);
    it.markRecent(5, 20);
    expect(it.recent).toBe(2);
    expect([it.isRecent(uid(3)), it.isRecent(uid(5))]).toEqual([false, true]);
    it.apply(change('expunged', [9]));
    it.tell(true);
    expect(it.recent).toBe(1);
  });
});
