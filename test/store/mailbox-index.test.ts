// The index of UIDs where it does not look at the disk. What it makes of changes is shown by the cases of every store.

import { describe, expect, test } from 'vitest';
import { Connection } from '../../src/store/engine.ts';
import { Limit } from '../../src/store/limits.ts';
import { MailboxIndex } from '../../src/store/reads/mailbox-index.ts';
import type { AccountId, Commit, MailboxId, ModSeq } from '../../src/store/rows.ts';
import type { Change } from '../../src/store/store.ts';

// Numbers as a store gives them out.
const common = { commit: 1 as Commit, account: 1 as AccountId };
const created = (mailbox: number): Change => ({
  ...common,
  kind: 'mailbox-created',
  mailbox: mailbox as MailboxId,
  name: `box ${mailbox}`,
});
const added = (mailbox: number, modSeq: number, uids: readonly number[]): Change => ({
  ...common,
  kind: 'added',
  mailbox: mailbox as MailboxId,
  modSeq: modSeq as ModSeq,
  uids: Uint32Array.from(uids),
  flags: new Uint8Array(uids.length),
  keywords: null,
  view: null,
});

/** A database without tables: whatever is read from it throws. */
function nothing(): Connection & Disposable {
  return Object.assign(new Connection(':memory:'), {
    [Symbol.dispose](this: Connection) {
      this.close();
    },
  });
}

const uidsOf = (index: MailboxIndex, db: Connection, mailbox: number, modSeq: number): number[] => [
  ...index.get(db, mailbox as MailboxId, modSeq as ModSeq).uids,
];

describe('MailboxIndex', () => {
  test('knows a mailbox from its creation on without reading it', () => {
    using db = nothing();
    const index = new MailboxIndex();
    index.apply(created(1));
    index.apply(added(1, 5, [1, 2]));
    index.apply(added(1, 6, [3]));
    expect(uidsOf(index, db, 1, 6)).toEqual([1, 2, 3]);
  });

  test('reads one that has changed since', () => {
    using db = nothing();
    const index = new MailboxIndex();
    index.apply(created(1));
    index.apply(added(1, 5, [1, 2]));
    expect(() => uidsOf(index, db, 1, 6)).toThrow('no such table: message');
  });

  test('forgets what was used longest ago, also where all are empty', () => {
    using db = nothing();
    const index = new MailboxIndex();
    index.apply(created(1));
    index.apply(added(1, 5, [1]));
    for (let mailbox = 2; mailbox <= Limit.indexedMessages / 100; mailbox++) index.apply(created(mailbox));
    expect(() => uidsOf(index, db, 1, 5)).toThrow('no such table: message');
  });
});
