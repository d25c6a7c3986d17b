// Opening a store: its folder, its lock, its version, and reading it from beside.

import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Connection } from '../../src/store/engine.ts';
import { unsuitableFileSystem } from '../../src/store/exclusion.ts';
import { openReads } from '../../src/store/inspect.ts';
import { Limit } from '../../src/store/limits.ts';
import { migrate, migrations, schemaVersion } from '../../src/store/schema/migrations.ts';
import { FakeClock } from '../fake-clock.ts';
import { account, deliver, letter, mailboxOf } from './mail.ts';
import { storeFolder } from './open-folder.ts';

describe('opening a store', () => {
  it('makes the folder for its owner only, also where it was open to others', async () => {
    await using place = await storeFolder();
    await chmod(place.folder, 0o755);
    await place.open();
    expect((await stat(place.folder)).mode & 0o777).toBe(0o700);
  });

  it('says of a folder that cannot be made which it is', async () => {
    await using place = await storeFolder();
    await writeFile(join(place.folder, 'file'), '');
    const below = join(place.folder, 'file', 'data');
    await expect(place.open({ folder: below })).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(below),
    });
  });

  it.each([
    ['mail.db', 'a folder'],
    ['lock.db', 'a folder'],
    ['mail.db', 'no database'],
    ['epoch', 'a folder'],
  ])('says which it is where %s is %s', async (name, what) => {
    await using place = await storeFolder();
    const path = join(place.folder, name);
    await (what === 'a folder' ? mkdir(path) : writeFile(path, 'nonsense'.repeat(1_000)));
    const file = name === 'lock.db' ? path : join(place.folder, 'mail.db');
    await expect(place.open()).rejects.toMatchObject({ message: expect.stringContaining(file) });
    await rm(path, { recursive: true });
    await place.open();
  });

  it('gives up where its file was moved away under it, so that nothing is taken that would be lost', async () => {
    await using place = await storeFolder();
    const clock = new FakeClock();
    const store = await place.open({ clock });
    await account(store);
    const path = join(place.folder, 'mail.db');
    await rename(path, `${path}.old`);
    clock.advance(Limit.tick);
    await expect(store.failed).resolves.toMatchObject({ kind: 'failed', message: expect.stringContaining(path) });
    await expect(account(store, 'bob@example.test')).rejects.toMatchObject({ kind: 'failed' });
    await rename(`${path}.old`, path);
  });

  it('goes on where its file cannot be looked at', async () => {
    await using place = await storeFolder();
    const clock = new FakeClock();
    const store = await place.open({ clock });
    await account(store);
    const path = join(place.folder, 'mail.db');
    await rename(path, `${path}.old`);
    await symlink(path, path);
    clock.advance(Limit.tick);
    await account(store, 'bob@example.test');
    await rename(`${path}.old`, path);
  });

  it('leaves one file and no log behind when it is closed', async () => {
    await using place = await storeFolder();
    const store = await place.open();
    await account(store);
    await store.close();
    expect((await readdir(place.folder)).sort()).toEqual(['epoch', 'lock.db', 'mail.db']);
  });

  it('knows a store that was put back, and raises every UIDVALIDITY', async () => {
    await using place = await storeFolder();
    const path = join(place.folder, 'mail.db');
    const first = await place.open();
    const alice = await account(first);
    const before = await mailboxOf(first, alice);
    await first.close();
    const backup = await readFile(path);
    const second = await place.open();
    expect((await mailboxOf(second, alice)).uidValidity).toBe(before.uidValidity);
    const made = { kind: 'create-mailbox', account: alice, name: 'Later', specialUse: null } as const;
    const { mailbox } = await second.execute(made);
    const lost = await mailboxOf(second, alice, 'Later');
    await second.close();
    await writeFile(path, backup);
    const lines: string[] = [];
    const third = await place.open({ log: pino({ level: 'warn' }, { write: (line: string) => lines.push(line) }) });
    // Whoever put it back hears of it once.
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 40, part: 'store' }]);
    const after = await third.read.mailboxes(alice);
    for (const row of after) expect(row.uidValidity).toBeGreaterThan(lost.uidValidity);
    expect(new Set(after.map((row) => row.uidValidity)).size).toBe(after.length);
    expect((await third.execute(made)).mailbox).toBeGreaterThan(mailbox);
    await third.close();
    const fourth = await place.open();
    expect((await mailboxOf(fourth, alice)).uidValidity).toBe(after.find(({ name }) => name === 'INBOX')?.uidValidity);
  });

  it('knows a backup of the run that was killed behind it', async () => {
    await using place = await storeFolder();
    await using after = await storeFolder();
    const clock = new FakeClock();
    const store = await place.open({ clock });
    const alice = await account(store);
    const { uidValidity } = await mailboxOf(store, alice);
    const db = new Connection(join(place.folder, 'mail.db'));
    db.exec(`VACUUM INTO '${join(after.folder, 'mail.db')}'`);
    db.close();
    await deliver(store, alice, letter('lost'));
    clock.advance(Limit.tick);
    // Behind the tick.
    await deliver(store, alice, letter('later'));
    await copyFile(join(place.folder, 'epoch'), join(after.folder, 'epoch'));
    const restored = await after.open();
    expect((await mailboxOf(restored, alice)).uidValidity).toBeGreaterThan(uidValidity);
  });

  it('takes a store in a new folder for one that was put back, and not one that was stopped between two numbers', async () => {
    await using place = await storeFolder();
    const beside = join(place.folder, 'epoch');
    const first = await place.open();
    const alice = await account(first);
    const { uidValidity } = await mailboxOf(first, alice);
    await first.close();
    await writeFile(beside, `${(await readFile(beside, 'latin1')).trim()}\n1\n`);
    const second = await place.open();
    expect((await mailboxOf(second, alice)).uidValidity).toBe(uidValidity);
    await second.close();
    await rm(beside);
    const third = await place.open();
    expect((await mailboxOf(third, alice)).uidValidity).toBeGreaterThan(uidValidity);
  });

  it('is refused while another has it open, and possible afterwards', async () => {
    await using place = await storeFolder();
    const store = await place.open();
    await expect(place.open()).rejects.toMatchObject({ kind: 'refused' });
    await account(store);
    await store.close();
    const again = await place.open();
    expect(await again.read.accounts()).toHaveLength(1);
  });

  it('refuses a store of a newer version and leaves it alone', async () => {
    await using place = await storeFolder();
    await (await place.open()).close();
    const path = join(place.folder, 'mail.db');
    const db = new Connection(path);
    db.exec(`PRAGMA user_version = ${migrations.length + 1}`);
    db.close();
    await expect(place.open()).rejects.toMatchObject({ kind: 'refused' });
    await expect(openReads(place.folder)).rejects.toMatchObject({ kind: 'refused' });
    const after = new Connection(path);
    expect(schemaVersion(after)).toBe(migrations.length + 1);
    after.exec(`PRAGMA user_version = ${migrations.length}`);
    after.close();
    await place.open();
  });

  it('refuses a database of something else, and lets go of the lock', async () => {
    await using place = await storeFolder();
    const path = join(place.folder, 'mail.db');
    const db = new Connection(path);
    db.exec('CREATE TABLE other (x)');
    db.close();
    await expect(place.open()).rejects.toMatchObject({ kind: 'refused' });
    await rm(path);
    await place.open();
  });

  it('refuses reads when it is closed', async () => {
    await using place = await storeFolder();
    const store = await place.open();
    await store.close();
    await expect(store.read.accounts()).rejects.toMatchObject({ kind: 'closed' });
    await expect(store.read.summaries([])).resolves.toEqual(new Map());
  });

  it.each([
    [0x6969, 'NFS'],
    [0x65735546, 'FUSE or virtiofs'],
    [0x01021997, '9p'],
    [-0xacb2be, 'CIFS'],
    [0xef53, undefined],
    [0x01021994, undefined],
  ])('knows file system %d as %s', (type, name) => {
    expect(unsuitableFileSystem(type)).toBe(name);
  });
});

describe('migrations', () => {
  it('lead from version 1 on, one transaction a step', async () => {
    await using place = await storeFolder();
    const store = await place.open();
    const alice = await account(store);
    await deliver(store, alice, letter('kept'));
    await store.close();
    const db = new Connection(join(place.folder, 'mail.db'));
    const [first = ''] = migrations;
    const known = [first, ...migrations.slice(1), 'ALTER TABLE account ADD COLUMN note TEXT'];
    migrate(db, known);
    expect(schemaVersion(db)).toBe(known.length);
    expect(db.all('SELECT note FROM account')).toHaveLength(1);
    // A step that fails leaves the version before it.
    expect(() => migrate(db, [...known, 'CREATE TABLE half (x); CREATE TABLE account (y)'])).toThrow();
    expect(schemaVersion(db)).toBe(known.length);
    expect(db.all("SELECT name FROM sqlite_schema WHERE name = 'half'")).toEqual([]);
    expect(() => migrate(db, [first])).toThrow(expect.objectContaining({ kind: 'refused' }));
    db.close();
  });
});

describe('version 6', () => {
  it('takes over what was counted before it', async () => {
    await using place = await storeFolder();
    const path = join(place.folder, 'mail.db');
    const db = new Connection(path);
    migrate(db, migrations.slice(0, 5));
    db.run(
      'INSERT INTO tls_result (day, domain, policy, policy_text, host, address, failure, sessions) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      ...['2026-01-02', 'a.test', 'sts', '["mode: testing"]', 'mx.a.test', '192.0.2.1', '', 7],
    );
    db.close();
    const store = await place.open();
    expect(await store.read.receivers.tlsResults('2026-01-02', 'a.test')).toEqual([
      {
        day: '2026-01-02',
        domain: 'a.test',
        policy: 'sts',
        policyDomain: 'a.test',
        policyText: ['mode: testing'],
        host: 'mx.a.test',
        address: '192.0.2.1',
        sender: null,
        failure: null,
        reason: null,
        sessions: 7,
      },
    ]);
  });
});

describe('reading from beside', () => {
  it('sees what a running server commits, and a store at rest', async () => {
    await using place = await storeFolder();
    await expect(openReads(place.folder)).rejects.toMatchObject({ kind: 'missing' });
    const store = await place.open();
    const alice = await account(store);
    {
      await using reader = await openReads(place.folder);
      expect(await reader.read.accounts()).toHaveLength(1);
      await deliver(store, alice, letter('x'));
      const inbox = await mailboxOf(store, alice);
      expect([...(await reader.read.uids(inbox.id)).uids]).toEqual([1]);
      expect((await reader.read.summaries([1 as never])).size).toBe(0);
    }
    await store.close();
    await using reader = await openReads(place.folder);
    expect(await reader.read.account(alice)).toMatchObject({ usedMessages: 1 });
  });

  it('leaves a store of an older version, and a file that is none, as they are', async () => {
    await using place = await storeFolder();
    await (await place.open()).close();
    const path = join(place.folder, 'mail.db');
    const setVersion = (version: number) => {
      const db = new Connection(path);
      db.exec(`PRAGMA user_version = ${version}`);
      db.close();
    };
    setVersion(migrations.length - 1);
    await expect(openReads(place.folder)).rejects.toMatchObject({ kind: 'refused' });
    setVersion(migrations.length);
    await (await openReads(place.folder)).close();
    const kept = await readFile(path);
    await writeFile(path, 'something else');
    await expect(openReads(place.folder)).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringContaining(path),
    });
    expect(await readFile(path, 'utf8')).toBe('something else');
    await writeFile(path, kept);
  });
});
