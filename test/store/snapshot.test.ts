// A read that fails says why, and the next one begins anew.

import { expect, it } from 'vitest';
import { Connection } from '../../src/store/engine.ts';
import { Snapshots } from '../../src/store/reads/snapshot.ts';

it.each([
  ['where SQLite has ended the transaction', true],
  ['where it has not', false],
])('tells what a read failed with %s, and reads on', (_, ended) => {
  const db = new Connection(':memory:');
  const snapshots = new Snapshots(db, () => undefined);
  const failing = () =>
    snapshots.read(() => {
      // As SQLite does by itself where the disk cannot be read.
      if (ended) db.run('ROLLBACK');
      throw new Error('disk I/O error');
    });
  expect(failing).toThrow('disk I/O error');
  expect(db.inTransaction).toBe(false);
  expect(snapshots.read(() => db.get('SELECT 1 AS one'))).toEqual({ one: 1 });
  db.close();
});
