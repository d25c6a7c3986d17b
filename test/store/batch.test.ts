// Group commit seen from inside: savepoints, a disk that is full, a transaction that is lost.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandKind, CommandOf } from '../../src/store/commands.ts';
import { Connection } from '../../src/store/engine.ts';
import { Limit } from '../../src/store/limits.ts';
import type { Answer, Request } from '../../src/store/protocol.ts';
import { Flag } from '../../src/store/rows.ts';
import { migrate } from '../../src/store/schema/migrations.ts';
import { Batch } from '../../src/store/writer/batch.ts';

/** A database on a disk that fails to sync. */
class Unsynced extends Connection {
  override run(...[sql, ...values]: Parameters<Connection['run']>): number {
    if (sql === 'COMMIT') throw Object.assign(new Error('disk I/O error'), { errcode: 1034 });
    return super.run(sql, ...values);
  }
}

const facts = { headerSize: 0, messageId: null, references: [] };

describe('a batch', () => {
  let db: Connection;
  let batch: Batch;
  let lastId = 0;
  let low = false;
  /** Pages that can be had once the disk is full. */
  let ballast = 0;
  const unused: number[] = [];

  function begin(path: string, Kind = Connection): void {
    db = new Kind(path);
    migrate(db);
    batch = new Batch(db, {
      diskLow: () => low,
      makeRoom() {
        if (ballast === 0) return false;
        limitPages(ballast);
        ballast = 0;
        return true;
      },
      stored: () => {},
      unused: (body) => unused.push(body),
      freed: () => {},
      buried: () => {},
      doomed: () => {},
    });
  }

  beforeEach(() => {
    unused.length = 0;
    low = false;
    ballast = 0;
    begin(':memory:');
    expect(run(account('alice@x.test'))).toMatchObject([{ result: { account: 1 } }]);
  });

  afterEach(() => db.close());

  function request(command: Request['command']): Request {
    lastId += 1;
    return { id: lastId, now: 1, command };
  }

  function run(...commands: Request['command'][]): readonly Answer[] {
    return batch.run(commands.map(request)).answers;
  }

  function account(address: string): CommandOf<'put-account'> {
    return { kind: 'put-account', address, aliases: [], quota: null, password: null, seeded: false, existing: 'fail' };
  }

  function accept(size: number, stage: number | null = null, staged = 0): CommandOf<CommandKind> {
    const internalDate = 0;
    const prefix = new Uint8Array(0);
    return {
      kind: 'accept',
      body: { stage, tail: new Uint8Array(size), size: size + staged, lacking: 0 },
      facts,
      messageId: 'x',
      now: 1,
      deliveries: [{ account: 1 as never, mailbox: 'INBOX', prefix, flags: 0, keywords: [], internalDate }],
      dispatch: null,
    };
  }

  /** The disk has so many pages more. */
  function limitPages(more: number): void {
    const pages = db.get<{ page_count: number }>('PRAGMA page_count')?.page_count ?? 0;
    db.exec(`PRAGMA max_page_count = ${pages + more}`);
  }

  const count = (table: string) => db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)?.n;
  const kinds = (answers: readonly Answer[]) =>
    answers.map((answer) => ('failure' in answer ? answer.failure.kind : 'done'));

  it('does the good commands and undoes the bad ones', () => {
    const commit = batch.numbers.commit;
    const answers = run(accept(10), account('alice@x.test'), accept(10));
    expect(kinds(answers)).toEqual(['done', 'exists', 'done']);
    expect(count('message')).toBe(2);
    expect(batch.numbers.commit).toBe(commit + 1);
  });

  it('makes no commit where nothing changed', () => {
    const commit = batch.numbers.commit;
    run(account('alice@x.test'));
    run({ kind: 'expunge', mailbox: 1 as never, uids: null, force: false, view: null });
    expect(batch.numbers.commit).toBe(commit);
  });

  it('answers full where the disk is, keeps what was there, and spares the commands beside', () => {
    limitPages(20);
    const answers = run(accept(100), accept(400_000), accept(100));
    expect(kinds(answers)).toEqual(['done', 'full', 'done']);
    expect(count('message')).toBe(2);
    expect(count('body')).toBe(2);
    expect(db.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' });
    expect(db.inTransaction).toBe(false);
    db.exec('PRAGMA max_page_count = 100000');
    const [answer] = run(accept(400_000));
    expect(answer).toMatchObject({ result: { placed: [{ uid: expect.any(Number) }] } });
    const uids = db.all<{ uid: number }>('SELECT uid FROM message').map((row) => row.uid);
    expect(new Set(uids).size).toBe(3);
  });

  it.each([0, 20])('does again what a full disk has stopped, %d pages into it, once there is room', (before) => {
    ballast = 200;
    limitPages(before);
    const commit = batch.numbers.commit;
    const answers = run(accept(100), accept(400_000), account('bob@x.test'), accept(100));
    expect(kinds(answers)).toEqual(['done', 'done', 'done', 'done']);
    expect([count('message'), count('account'), batch.numbers.commit]).toEqual([3, 2, commit + 1]);
    // There is no more where that came from.
    expect(kinds(run(accept(1_000_000), accept(100)))).toEqual(['full', 'done']);
    expect(db.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' });
  });

  it('takes no more octets where the disk is nearly full, and lets go of those it has', () => {
    const chunk = (place: number) => ({ kind: 'stage', stage: 1, place, octets: new Uint8Array(65_536) }) as const;
    run(chunk(0), accept(10));
    low = true;
    const expunge = { kind: 'expunge', mailbox: 1 as never, uids: null, force: true, view: null } as const;
    const report = { ...accept(10), kind: 'accept' } as CommandOf<'accept'>; // a spread of a union
    const settle = { kind: 'settle', settlements: [], reports: [report] } as const;
    const answers = run(accept(1, 1, 65_536), chunk(1), accept(10), settle, expunge);
    expect(kinds(answers)).toEqual(['full', 'full', 'full', 'done', 'done']);
    expect(unused).toHaveLength(1);
    expect(count('message')).toBe(2);
    low = false;
    expect(kinds(run(accept(10)))).toEqual(['done']);
  });

  it('never accepts a body of which a chunk was lost', () => {
    const chunk = (place: number) => ({ kind: 'stage', stage: 1, place, octets: new Uint8Array(65_536) }) as const;
    expect(kinds(run(chunk(0)))).toEqual(['done']);
    limitPages(4);
    expect(kinds(run(chunk(1)))).toEqual(['full']);
    db.exec('PRAGMA max_page_count = 100000');
    expect(kinds(run(chunk(2)))).toEqual(['full']);
    expect(kinds(run(accept(0, 1, 3 * 65_536)))).toEqual(['full']);
    expect(batch.stages.size).toBe(0);
    expect(unused).toHaveLength(1);
    expect(kinds(run(accept(0, 1, 65_536)))).toEqual(['failed']);
  });

  it('never accepts a body of which the first chunk was lost', () => {
    const chunk = (place: number) => ({ kind: 'stage', stage: 1, place, octets: new Uint8Array(65_536) }) as const;
    low = true;
    expect(kinds(run(chunk(0)))).toEqual(['full']);
    low = false;
    expect(kinds(run(chunk(1)))).toEqual(['full']);
    expect(kinds(run(accept(0, 1, 2 * 65_536)))).toEqual(['full']);
    expect([count('message'), count('body_chunk')]).toEqual([0, 0]);
    expect(batch.stages.size).toBe(0);
  });

  it('syncs what is answered, and only that', () => {
    const depth = () => db.get<{ synchronous: number }>('PRAGMA synchronous')?.synchronous;
    const [FULL, NORMAL] = [2, 1];
    const chunk = (place: number) => ({ kind: 'stage', stage: 3, place, octets: new Uint8Array(65_536) }) as const;
    run(chunk(0));
    expect(depth()).toBe(NORMAL);
    run(accept(1));
    expect(depth()).toBe(FULL);
    batch.runUnsynced(() => {});
    expect(depth()).toBe(NORMAL);
    run(chunk(1), { kind: 'claim-recent', mailbox: 1 as never, upTo: 1 as never }, accept(1, 3, 2 * 65_536));
    expect(depth()).toBe(FULL);
  });

  it('does nothing more when a sync has failed', () => {
    db.close();
    begin(':memory:', Unsynced);
    expect(kinds(run(account('alice@x.test'), account('bob@x.test')))).toEqual(['failed', 'failed']);
    expect(batch.broken).toMatchObject({ kind: 'failed' });
    expect(count('account')).toBe(0);
    expect(kinds(run(account('alice@x.test')))).toEqual(['failed']);
    expect(kinds(run({ kind: 'discard', stage: 1 }))).toEqual(['failed']);
    expect(db.inTransaction).toBe(false);
  });

  it('does nothing more when a sync has failed beside the commands', () => {
    batch.distrust(Object.assign(new Error('database is locked'), { errcode: 5 }));
    expect(batch.broken).toBeUndefined();
    batch.distrust(Object.assign(new Error('disk I/O error'), { errcode: 1034 }));
    expect(kinds(run(accept(1)))).toEqual(['failed']);
    expect(count('message')).toBe(0);
  });

  it('counts the names of annotations with what they hold', () => {
    const [mailbox, other] = [1 as never, 2 as never];
    const note = (entry: string): CommandOf<'annotate'> => ({
      kind: 'annotate',
      mailbox,
      account: 1 as never,
      entries: [{ entry, shared: false, value: new Uint8Array(0) }],
      origin: null,
    });
    // In another mailbox; the names of these have four digits.
    const rows = Limit.annotationsOctets / Limit.annotationOctets - 1;
    for (let at = 0; at < rows; at++) {
      db.run(
        'INSERT INTO mailbox_annotation (mailbox, account, entry, value) VALUES (?, 1, ?, zeroblob(?))',
        other,
        `${at}`.padStart(4, '0'),
        Limit.annotationOctets,
      );
    }
    const left = Limit.annotationOctets - 4 * rows;
    const name = (character: string) => `/private/${character.repeat(left / 2)}`;
    expect(kinds(run(note(name('a')), note(name('b'))))).toEqual(['done', 'quota']);
  });

  it('changes and expunges every other message of many, each in about the time that it took to append them', async () => {
    const [PAGES, PAGE] = [30, 2_000];
    const folder = await mkdtemp(join(tmpdir(), 'postern-batch-'));
    db.close();
    begin(join(folder, 'mail.db'));
    db.exec('PRAGMA journal_mode = WAL');
    run(account('alice@x.test'));
    const body = { stage: null, tail: new Uint8Array(8), size: 8, lacking: 0 };
    const message = { body, facts, flags: 0, keywords: [], internalDate: 0, internalZone: 0 };
    const messages = Array.from({ length: PAGE }, () => message);
    const append = { kind: 'append', mailbox: 1 as never, now: 1, messages, view: null } as const;
    const cpu = (action: () => void) => {
      const before = process.cpuUsage();
      action();
      return process.cpuUsage(before).user;
    };
    const appending = cpu(() => {
      for (let page = 0; page < PAGES; page++) run(append);
    });
    const uids = Array.from({ length: (PAGES * PAGE) / 2 }, (_, at) => (2 * at + 1) as never);
    const changed = { mode: 'add', flags: Flag.Seen, keywords: [], unchangedSince: null } as const;
    let answers: readonly Answer[] = [];
    const changing = cpu(() => {
      answers = run({ kind: 'flags', mailbox: 1 as never, uids, ...changed, view: null });
    });
    expect(kinds(answers)).toEqual(['done']);
    const expunging = cpu(() => {
      answers = run({ kind: 'expunge', mailbox: 1 as never, uids, force: true, view: null });
    });
    expect(kinds(answers)).toEqual(['done']);
    expect(count('vanished')).toBe(uids.length);
    // Whatever looks through the others for each takes many times as much.
    for (const took of [changing, expunging]) expect(took).toBeLessThan(3 * appending);
    db.close();
    await rm(folder, { recursive: true });
  });

  it('takes a body in chunks and the command that links it in one transaction', () => {
    const chunk = (place: number) => ({ kind: 'stage', stage: 7, place, octets: new Uint8Array(65_536) }) as const;
    expect(kinds(run(chunk(0), chunk(1), accept(5, 7, 2 * 65_536)))).toEqual(['done', 'done', 'done']);
    expect(db.all('SELECT size, refs FROM body')).toEqual([{ size: 131_077, refs: 1 }]);
    expect(count('body_chunk')).toBe(3);
  });
});
