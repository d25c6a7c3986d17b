// The log stays under its cap while sessions read and write, and its checkpoints leave nothing out.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Connection } from '../../src/store/engine.ts';
import { acceptance, account, delivery, mailboxOf } from './mail.ts';
import { storeFolder } from './open-folder.ts';

const CAP = 4_194_304;

it('keeps the log under its cap, reads or not', async () => {
  await using place = await storeFolder();
  const store = await place.open({ walCap: CAP });
  const alice = await account(store);
  const inbox = (await mailboxOf(store, alice)).id;
  let largest = 0;
  let left = 1_200;
  const sender = async () => {
    while (left-- > 0) {
      await store.execute(await acceptance(store, new Uint8Array(40_000).fill(left), [delivery(alice)]));
      const { uids } = await store.read.uids(inbox);
      await store.read.messages(inbox, uids.slice(-50));
      largest = Math.max(largest, statSync(join(place.folder, 'mail.db-wal')).size);
    }
  };
  // No statement is open between the reads, or the log could not begin anew.
  await Promise.all([sender(), sender(), sender(), sender()]);
  // A busy machine looks late; without bounds it would be all that was written, twelve times the cap.
  expect(largest).toBeLessThan(3 * CAP);
  expect((await store.read.uids(inbox)).uids).toHaveLength(1_200);
  await store.close();
  const db = new Connection(join(place.folder, 'mail.db'));
  expect(db.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' });
  db.close();
});

it('goes on where a reader elsewhere holds an old state, and catches up afterwards', async () => {
  await using place = await storeFolder();
  const store = await place.open({ walCap: 1_048_576 });
  const alice = await account(store);
  const reader = new Connection(join(place.folder, 'mail.db'), { readOnly: true });
  reader.exec('BEGIN');
  expect(reader.get('SELECT count(*) AS n FROM message')).toEqual({ n: 0 });
  const send = async (count: number) => {
    for (let at = 0; at < count; at++) {
      await store.execute(await acceptance(store, new Uint8Array(40_000), [delivery(alice)]));
    }
  };
  await send(60);
  expect(reader.get('SELECT count(*) AS n FROM message')).toEqual({ n: 0 });
  reader.close();
  const held = statSync(join(place.folder, 'mail.db-wal')).size;
  await send(100);
  // The log was begun anew: it holds less than what was written since.
  expect(statSync(join(place.folder, 'mail.db-wal')).size).toBeLessThan(held);
  expect((await mailboxOf(store, alice)).messages).toBe(160);
});
