// How much one step of freeing does: the writer takes no command meanwhile.

import { afterEach, beforeEach, expect, it } from 'vitest';
import { Connection } from '../../src/store/engine.ts';
import { Limit } from '../../src/store/limits.ts';
import type { Request } from '../../src/store/protocol.ts';
import { Flag } from '../../src/store/rows.ts';
import { migrate } from '../../src/store/schema/migrations.ts';
import { Batch } from '../../src/store/writer/batch.ts';
import { Sweep } from '../../src/store/writer/sweep.ts';

const MESSAGES = 2 * Limit.sweepRows;

let db: Connection;
let batch: Batch;
let sweep: Sweep;

beforeEach(() => {
  db = new Connection(':memory:');
  migrate(db);
  batch = new Batch(db, {
    diskLow: () => false,
    makeRoom: () => false,
    stored: () => {},
    unused: (body) => sweep.unused(body),
    freed: () => {},
    buried: (mailbox) => sweep.buried(mailbox, batch.numbers.commit, 1),
    doomed: () => sweep.doomed(),
  });
  sweep = new Sweep(db, batch.views);
  const account = { address: 'alice@x.test', aliases: [], quota: null, password: null, seeded: false } as const;
  run({ kind: 'put-account', ...account, existing: 'fail' });
  const body = { stage: null, tail: new Uint8Array(8), size: 8, lacking: 0 };
  const facts = { headerSize: 0, messageId: null, references: [] };
  const message = { body, facts, flags: 0, keywords: [], internalDate: 0, internalZone: 0 };
  run({ kind: 'append', mailbox, now: 1, messages: Array.from({ length: MESSAGES }, () => message), view: null });
});

afterEach(() => db.close());

const mailbox = 1 as never;
const uids = Array.from({ length: MESSAGES }, (_, at) => (at + 1) as never);

function run(command: Request['command']): void {
  const [answer] = batch.run([{ id: 1, now: 1, command }]).answers;
  if (answer === undefined || !('result' in answer)) throw new Error(`not done: ${JSON.stringify(answer)}`);
}

const left = (table: 'message' | 'mailbox_seen' | 'body') =>
  db.get<{ count: number }>(`SELECT count(*) AS count FROM ${table}`)?.count;

/** Another account sees all messages. */
function see(): void {
  const seen = { mode: 'add', flags: Flag.Seen, keywords: [], unchangedSince: null, view: null } as const;
  run({ kind: 'flags', mailbox, uids, ...seen, seenBy: 9 as never });
}

it('frees expunged messages by the dozen, and one by one where others have seen them', () => {
  run({ kind: 'expunge', mailbox, uids: uids.slice(0, Limit.sweepRows), force: true, view: null });
  sweep.step(1);
  expect(left('message')).toBe(Limit.sweepRows);
  see();
  run({ kind: 'expunge', mailbox, uids: null, force: true, view: null });
  while (left('body') !== Limit.sweepRows) sweep.step(1);
  sweep.step(1);
  expect([left('message'), left('mailbox_seen')]).toEqual([Limit.sweepRows - 1, Limit.sweepRows - 1]);
  while (sweep.step(1));
  expect([left('message'), left('mailbox_seen'), left('body')]).toEqual([0, 0, 0]);
});

it('frees those of a mailbox that is gone in the same steps', () => {
  see();
  run({ kind: 'remove-account', account: 1 as never });
  while (left('message') === MESSAGES) sweep.step(1);
  expect([left('message'), left('mailbox_seen')]).toEqual([MESSAGES - 1, MESSAGES - 1]);
  while (sweep.step(1));
  expect([left('message'), left('mailbox_seen'), left('body')]).toEqual([0, 0, 0]);
});
