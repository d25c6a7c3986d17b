// After a sync has failed the kernel may have dropped what was to be written (as Btrfs does at once, and others when they
// need the memory): what was acknowledged before is there at the next start, whatever has become of the rest of the log.

import { statSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Connection } from '../../src/store/engine.ts';
import type { Request } from '../../src/store/protocol.ts';
import { Writer } from '../../src/store/writer/writer.ts';

const disk = { fails: false };

/** A database on a disk that may fail to sync. */
class Unreliable extends Connection {
  override run(...[sql, ...values]: Parameters<Connection['run']>): number {
    if (disk.fails && sql === 'COMMIT') throw Object.assign(new Error('disk I/O error'), { errcode: 1034 });
    return super.run(sql, ...values);
  }
}

it('leaves mail.db as it is, and the log', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-failed-sync-'));
  const path = join(folder, 'mail.db');
  const log = `${path}-wal`;
  const { port1: upkeep, port2: other } = new MessageChannel();
  const data = {
    path,
    epoch: join(folder, 'epoch'),
    ballast: join(folder, 'ballast'),
    walCap: 1_048_576,
    diskReserve: 0,
    upkeep,
  };
  const writer = new Writer(data, () => {}, Unreliable);
  const reader = new Connection(path, { readOnly: true });
  const accounts = () => reader.get('SELECT address FROM address');
  const commit = (command: Request['command']) => writer.commit([{ id: 1, now: 1, command }]).answers[0];
  const account = { aliases: [], quota: null, password: null, seeded: false, existing: 'fail' } as const;
  expect(commit({ kind: 'put-account', address: 'alice@x.test', ...account })).toHaveProperty('result');
  expect(accounts()).toEqual({ address: 'alice@x.test' });
  const acknowledged = statSync(log).size;
  // Not synced.
  for (let place = 0; place < 60; place++) {
    expect(commit({ kind: 'stage', stage: 1, place, octets: new Uint8Array(65_536).fill(97) })).toHaveProperty(
      'result',
    );
  }
  disk.fails = true;
  expect(commit({ kind: 'put-account', address: 'bob@x.test', ...account })).toHaveProperty('failure');
  const dropped = statSync(log).size - acknowledged;
  const file = await open(log, 'r+');
  await file.write(new Uint8Array(dropped), 0, dropped, acknowledged);
  await file.close();
  disk.fails = false;
  // The upkeep thread has done what was asked of it before.
  writer.checkpointed();
  writer.close();
  reader.close();
  other.close();
  const after = new Connection(path);
  expect(after.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' });
  expect(after.all('SELECT address FROM address')).toEqual([{ address: 'alice@x.test' }]);
  after.close();
  await rm(folder, { recursive: true });
});
