// After a sync has failed the kernel may have dropped what was to be written (as Btrfs does at once, and others when they
// need the memory): what was acknowledged before is there at the next start, whatever has become of the rest of the log.

import { statSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
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

let folder: string;
let path: string;
let writer: Writer;
let reader: Connection;
let other: MessagePort;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-failed-sync-'));
  path = join(folder, 'mail.db');
  const channel = new MessageChannel();
  other = channel.port2;
  const beside = { epoch: join(folder, 'epoch'), ballast: join(folder, 'ballast') };
  const data = { path, ...beside, walCap: 67_108_864, diskReserve: 0, upkeep: channel.port1 };
  writer = new Writer(data, () => {}, Unreliable);
  reader = new Connection(path, { readOnly: true });
  expect(commit(account('alice@x.test'))).toEqual(['done']);
});

afterEach(async () => {
  other.close();
  await rm(folder, { recursive: true });
});

const account = (address: string) =>
  ({
    kind: 'put-account',
    address,
    aliases: [],
    quota: null,
    password: null,
    seeded: false,
    existing: 'fail',
  }) as const;
const chunks = (count: number) =>
  Array.from({ length: count }, (_, place) => {
    return { kind: 'stage', stage: 1, place, octets: new Uint8Array(65_536).fill(97) } as const;
  });

function commit(...commands: Request['command'][]): string[] {
  const { answers } = writer.commit(commands.map((command, at) => ({ id: at + 1, now: 1, command })));
  return answers.map((answer) => ('failure' in answer ? answer.failure.kind : 'done'));
}

/** Octets of the log. */
const logged = () => statSync(`${path}-wal`).size;

/** The end of the store, and who is in it at its next start. */
function reopened(): unknown[] {
  disk.fails = false;
  // The upkeep thread has done what was asked of it before.
  writer.checkpointed();
  writer.close();
  // Whoever could write is not the last.
  reader.close();
  const after = new Connection(path);
  expect(after.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' });
  const addresses = after.all('SELECT address FROM address');
  after.close();
  return addresses;
}

it('leaves mail.db as it is, and the log', async () => {
  expect(reader.all('SELECT address FROM address')).toEqual([{ address: 'alice@x.test' }]);
  const acknowledged = logged();
  // Not synced.
  expect(new Set(commit(...chunks(60)))).toEqual(new Set(['done']));
  disk.fails = true;
  expect(commit(account('bob@x.test'))).toEqual(['failed']);
  const dropped = logged() - acknowledged;
  const file = await open(`${path}-wal`, 'r+');
  await file.write(new Uint8Array(dropped), 0, dropped, acknowledged);
  await file.close();
  expect(reopened()).toEqual([{ address: 'alice@x.test' }]);
});

it('takes what has failed out of the log, so that it is not done at the next start after all', () => {
  const acknowledged = logged();
  disk.fails = true;
  // So much that some of it is in the log before the commit.
  expect(new Set(commit(...chunks(200)))).toEqual(new Set(['failed']));
  expect(logged()).toBe(acknowledged);
  expect(reopened()).toEqual([{ address: 'alice@x.test' }]);
});
