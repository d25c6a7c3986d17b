// derived.db: filled behind the back of accept, computed on a miss, and made anew whenever it does not fit.

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Connection } from '../../src/store/engine.ts';
import type { BodyId } from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';
import { rowsBeside } from './beside.ts';
import { until } from './cases/harness.ts';
import { acceptance, account, deliver, delivery, dispatchTo, letter } from './mail.ts';
import { storeFolder } from './open-folder.ts';

const deriver = new URL('./deriver.ts', import.meta.url);
const later = new URL('./deriver-2.ts', import.meta.url);
const large = new URL('./deriver-large.ts', import.meta.url);

async function bodyOf(store: Store, content: Uint8Array): Promise<BodyId> {
  const [known] = await store.read.accounts();
  const alice = known?.id ?? (await account(store));
  const { mailbox, uid } = await deliver(store, alice, content);
  return (await store.read.messages(mailbox, [uid])).rows[0]?.body ?? (0 as BodyId);
}

const text = (octets: Uint8Array | undefined) => Buffer.from(octets ?? []).toString();

const kept = (folder: string) => one(folder, 'SELECT count(*) AS n FROM summary');

/** A number out of derived.db; -1 where it cannot be read. */
async function one(folder: string, sql: string): Promise<number> {
  const rows = await rowsBeside<{ n: number }>(join(folder, 'derived.db'), sql);
  return rows?.[0]?.n ?? -1;
}

describe('summaries', () => {
  it('are computed when they are asked for, and kept without being asked for', async () => {
    await using place = await storeFolder();
    const store = await place.open({ deriver });
    const body = await bodyOf(store, letter('one'));
    const found = await store.read.summaries([body, 999 as BodyId]);
    expect([...found.keys()]).toEqual([body]);
    expect(text(found.get(body))).toMatch(/^24 Subject: one/);
    await bodyOf(store, letter('two'));
    await until(async () => (await kept(place.folder)) === 2);
  });

  it('are not made of what only passes through', async () => {
    await using place = await storeFolder();
    const store = await place.open({ deriver });
    await store.execute(await acceptance(store, letter('relayed'), [], dispatchTo('a@remote.test')));
    const body = await bodyOf(store, letter('delivered'));
    await until(async () => (await kept(place.folder)) > 0);
    expect(await one(place.folder, 'SELECT min(body) AS n FROM summary')).toBe(body);
  });

  it('of a large body are derived elsewhere, octet for octet', async () => {
    await using place = await storeFolder();
    const store = await place.open({ deriver });
    const body = await bodyOf(store, letter('large', '', 'x'.repeat(700_000)));
    const found = await store.read.summaries([body]);
    expect(text(found.get(body))).toMatch(/^7000\d\d Subject: large/);
  });

  it('that are large come a few at a time', async () => {
    await using place = await storeFolder();
    const store = await place.open({ deriver: large });
    const bodies: BodyId[] = [];
    for (let at = 0; at < 7; at++) bodies.push(await bodyOf(store, letter('x')));
    for (const asked of ['computed', 'kept']) {
      const sizes: number[] = [];
      for (let at = 0; at < bodies.length; ) {
        const found = await store.read.summaries(bodies.slice(at));
        expect([...found.keys()], asked).toEqual(bodies.slice(at, at + found.size));
        sizes.push(found.size);
        at += found.size;
      }
      expect(sizes).toEqual([3, 3, 1]);
      await until(async () => (await kept(place.folder)) === bodies.length);
    }
  });

  it.each([
    ['deleted', (path: string) => rm(path)],
    ['damaged', (path: string) => writeFile(path, 'this is no database'.repeat(500))],
    ['cut short', (path: string) => writeFile(path, '')],
  ])('come back where derived.db was %s', async (_, harm) => {
    await using place = await storeFolder();
    const store = await place.open({ deriver });
    const body = await bodyOf(store, letter('one'));
    await until(async () => (await kept(place.folder)) === 1);
    await store.close();
    await harm(join(place.folder, 'derived.db'));
    const again = await place.open({ deriver });
    expect((await again.read.summaries([body])).size).toBe(1);
    await bodyOf(again, letter('two'));
    await until(async () => (await kept(place.folder)) >= 1);
  });

  it('are given while derived.db is damaged under the server', async () => {
    await using place = await storeFolder();
    const store = await place.open({ deriver });
    const bodies = [await bodyOf(store, letter('one')), await bodyOf(store, letter('two'))];
    await until(async () => (await kept(place.folder)) === 2);
    await writeFile(join(place.folder, 'derived.db'), 'this is no database'.repeat(500));
    await writeFile(join(place.folder, 'derived.db-wal'), '');
    for (let round = 0; round < 5; round++) {
      bodies.push(await bodyOf(store, letter('more')));
      expect((await store.read.summaries(bodies)).size).toBe(bodies.length);
    }
  });

  it('are made anew by a deriver of another version', async () => {
    await using place = await storeFolder();
    const store = await place.open({ deriver });
    const body = await bodyOf(store, letter('one'));
    await until(async () => (await kept(place.folder)) === 1);
    await store.close();
    const again = await place.open({ deriver: later });
    await until(async () => (await one(place.folder, 'SELECT deriver AS n FROM about')) === 2);
    expect((await again.read.summaries([body])).get(body)).toEqual(Uint8Array.of(2));
  });

  it('are thrown away where mail.db is older than they are', async () => {
    await using place = await storeFolder();
    const store = await place.open({ deriver });
    await bodyOf(store, letter('one'));
    await until(async () => (await kept(place.folder)) === 1);
    await store.close();
    const db = new Connection(join(place.folder, 'mail.db'));
    db.exec('UPDATE meta SET commit_number = 0');
    db.close();
    await place.open({ deriver });
    await until(async () => (await kept(place.folder)) === 0);
  });

  it('of what was lost with a backup are never those of what came since, also where that is as much', async () => {
    await using place = await storeFolder();
    const path = join(place.folder, 'mail.db');
    const first = await place.open({ deriver });
    await bodyOf(first, letter('kept'));
    await first.close();
    const backup = await readFile(path);
    const second = await place.open({ deriver });
    const lost = await bodyOf(second, letter('lost'));
    await until(async () => (await one(place.folder, 'SELECT max(body) AS n FROM summary')) === lost);
    await second.close();
    await writeFile(path, backup);
    // Whoever looks at no summaries, or is faster than they are, is as far again before they are looked at.
    const third = await place.open();
    const body = await bodyOf(third, letter('new'));
    await third.close();
    const fourth = await place.open({ deriver });
    const last = await bodyOf(fourth, letter('last'));
    await until(async () => (await one(place.folder, 'SELECT max(body) AS n FROM summary')) === last);
    expect(text((await fourth.read.summaries([body])).get(body))).toMatch(/Subject: new/);
  });

  it('go with their bodies', async () => {
    await using place = await storeFolder();
    const store = await place.open({ deriver });
    const alice = await account(store);
    const { placed } = await store.execute(await acceptance(store, letter('x'), [delivery(alice)]));
    await until(async () => (await kept(place.folder)) === 1);
    const [one] = placed;
    await store.execute({
      kind: 'expunge',
      mailbox: one?.mailbox ?? (0 as never),
      uids: null,
      force: true,
      view: null,
    });
    await until(async () => (await kept(place.folder)) === 0);
  });

  it('fail where the deriver cannot be used, and nothing else does', async () => {
    await using place = await storeFolder();
    const store = await place.open({ deriver: new URL('./no-such-module.ts', import.meta.url) });
    const body = await bodyOf(store, letter('one'));
    await expect(store.read.summaries([body])).rejects.toThrow();
    expect((await store.read.accounts()).length).toBe(1);
  });
});
