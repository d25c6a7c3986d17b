// What becomes of a body when its last queue entry goes: a small one that nobody else has is gone with it, in the same
// transaction; any other waits for whoever frees what is large, or stays.

import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Accept, Results } from '../../src/store/commands.ts';
import { Connection } from '../../src/store/engine.ts';
import { Limit } from '../../src/store/limits.ts';
import type { Request } from '../../src/store/protocol.ts';
import type { EntryId } from '../../src/store/rows.ts';
import { migrate } from '../../src/store/schema/migrations.ts';
import { Batch } from '../../src/store/writer/batch.ts';

let db: Connection;
let batch: Batch;
let unused: number[];
let freed: number[];

beforeEach(() => {
  db = new Connection(':memory:');
  migrate(db);
  unused = [];
  freed = [];
  batch = new Batch(db, {
    diskLow: () => false,
    makeRoom: () => false,
    stored: () => {},
    unused: (body) => unused.push(body),
    freed: (body) => freed.push(body),
    buried: () => {},
    doomed: () => {},
  });
  const account = { address: 'alice@x.test', aliases: [], quota: null, password: null, seeded: false } as const;
  run({ kind: 'put-account', ...account, existing: 'fail' });
});

afterEach(() => db.close());

function run(command: Request['command']): unknown {
  const [answer] = batch.run([{ id: 1, now: 1, command }]).answers;
  if (answer === undefined || !('result' in answer)) throw new Error(`not done: ${JSON.stringify(answer)}`);
  return answer.result;
}

/** A message of so many octets for two recipients elsewhere, and perhaps for alice. @returns its entries */
function accept(size: number, here: boolean): readonly EntryId[] {
  const prefix = new Uint8Array(0);
  const entry = { parameters: {}, destination: 'far.test', nextAt: 1, expiresAt: 9, warnAt: null };
  const command: Accept = {
    kind: 'accept',
    body: { stage: null, tail: new Uint8Array(size), size, lacking: 0 },
    facts: { headerSize: 0, messageId: null, references: [] },
    messageId: 'x',
    now: 1,
    deliveries: here
      ? [{ account: 1 as never, mailbox: 'INBOX', prefix, flags: 0, keywords: [], internalDate: 0 }]
      : [],
    dispatch: {
      prefix,
      reversePath: null,
      parameters: {},
      origin: { role: 'local', session: 's', remoteAddress: null, localPort: null, account: null, tls: null },
      entries: ['a', 'b'].map((localPart) => ({ ...entry, recipient: { localPart, domain: 'far.test' } })),
    },
  };
  return (run(command) as Results['accept']).entries; // of an accept
}

function settle(entry: EntryId): void {
  const then = { kind: 'done' } as const;
  run({ kind: 'settle', settlements: [{ entry, attempt: null, then }], reports: [] });
}

const rows = () => ({
  bodies: db.all<{ refs: number }>('SELECT refs FROM body').map(({ refs }) => refs),
  chunks: db.get<{ count: number }>('SELECT count(*) AS count FROM body_chunk')?.count,
});

it.each([0, 10, Limit.chunkOctets])('a body of %i octets goes with the last entry, and not before', (size) => {
  const [first, last] = accept(size, false);
  settle(first as EntryId); // two were accepted
  expect(rows()).toEqual({ bodies: [1], chunks: size === 0 ? 0 : 1 });
  settle(last as EntryId);
  expect(rows()).toEqual({ bodies: [], chunks: 0 });
  expect([unused, freed]).toEqual([[], [1]]);
});

it('a large one is left to be freed in steps', () => {
  for (const entry of accept(Limit.chunkOctets + 1, false)) settle(entry);
  expect(rows()).toEqual({ bodies: [0], chunks: 2 });
  expect([unused, freed]).toEqual([[1], []]);
});

it('one that a mailbox has, too, stays', () => {
  for (const entry of accept(10, true)) settle(entry);
  expect(rows()).toEqual({ bodies: [1], chunks: 1 });
  expect([unused, freed]).toEqual([[], []]);
});
