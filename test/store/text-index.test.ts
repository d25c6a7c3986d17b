// The search index of the store: what it rules out, what it does not know, and that it comes, goes and comes back with the
// bodies, whatever becomes of derived.db.

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Connection } from '../../src/store/engine.ts';
import type { BodyId } from '../../src/store/rows.ts';
import type { Store, TextQuery } from '../../src/store/store.ts';
import { rowsBeside } from './beside.ts';
import { until } from './cases/harness.ts';
import { acceptance, account, deliver, dispatchTo, letter } from './mail.ts';
import { storeFolder } from './open-folder.ts';

const deriver = new URL('./deriver-texts.ts', import.meta.url);

async function bodiesOf(store: Store, ...texts: string[]): Promise<BodyId[]> {
  const [known] = await store.read.accounts();
  const alice = known?.id ?? (await account(store));
  const bodies: BodyId[] = [];
  for (const text of texts) {
    const { mailbox, uid } = await deliver(store, alice, letter(`about ${text}`, '', `${text}\r\n`));
    const [row] = (await store.read.outlines(mailbox, [uid])).rows;
    if (row) bodies.push(row.body);
  }
  return bodies;
}

/** Runs of bodies that are in the index, as the file has them. */
async function runs(folder: string): Promise<{ first: number; last: number }[]> {
  return (await rowsBeside(join(folder, 'derived.db'), 'SELECT first, last FROM text_done ORDER BY first')) ?? [];
}

async function indexed(folder: string): Promise<number> {
  return (await runs(folder)).reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

const body = (text: string): TextQuery => ({ within: 'body', text });

describe('the search index', { timeout: 60_000 }, () => {
  it('rules out what does not hold the strings, and only that', async () => {
    await using place = await storeFolder();
    const store = await place.open({ deriver });
    const [apple = 0 as BodyId, pear = 0 as BodyId, both = 0 as BodyId] = await bodiesOf(
      store,
      'apples',
      'pears',
      'apples, pears "quoted"',
    );
    await until(async () => (await indexed(place.folder)) === 3);
    await until(async () => (await store.read.possibleMatches([apple], body('APPLES'))) !== null);
    const all = [apple, pear, both];
    const ask = async (query: TextQuery) => [...((await store.read.possibleMatches(all, query)) ?? ['none'])];
    expect(await ask(body('APPLES'))).toEqual([apple, both]);
    expect(await ask(body('S "Q'))).toEqual([both]);
    expect(await ask({ within: 'header', text: 'ABOUT' })).toEqual(all);
    expect(await ask({ within: 'header', text: 'APPLES\r' })).toEqual([]);
    expect(await ask({ all: [body('APPLES'), body('PEARS')] })).toEqual([both]);
    expect(await ask({ any: [body('APPLES'), body('PEARS')] })).toEqual(all);
    expect(await ask({ all: [body('AP'), body('PEARS')] })).toEqual([pear, both]);
    // Two characters, or one that can be anything beside one that cannot: the index cannot tell.
    for (const query of [body('AP'), body('東京'), { any: [body('AP'), body('PEARS')] }, { all: [] }, { any: [] }]) {
      expect(await ask(query)).toEqual(['none']);
    }
    expect(await ask(body('😀😀😀'))).toEqual([]);
    expect(await ask(body('APPLES'.repeat(500)))).toEqual([]);
  });

  it('takes what it does not know for possible', async () => {
    await using place = await storeFolder();
    const store = await place.open({ deriver });
    const [known = 0 as BodyId] = await bodiesOf(store, 'apples');
    await until(async () => (await indexed(place.folder)) === 1);
    await until(async () => (await store.read.possibleMatches([known], body('PEARS'))) !== null);
    const unknown = 999 as BodyId;
    expect(await store.read.possibleMatches([unknown, known], body('PEARS'))).toEqual(new Set([unknown]));
  });

  it('is of what was delivered, not of what passes through, and goes with the bodies', async () => {
    await using place = await storeFolder();
    const store = await place.open({ deriver });
    await bodiesOf(store, 'one');
    await store.execute(await acceptance(store, letter('relayed'), [], dispatchTo('a@remote.test')));
    const [, last = 0 as BodyId] = await bodiesOf(store, 'two', 'three');
    await until(async () => (await indexed(place.folder)) === 3);
    expect(await runs(place.folder)).toEqual([
      { first: last - 3, last: last - 3 },
      { first: last - 1, last },
    ]);
    const [alice] = await store.read.accounts();
    const inbox = await store.read.mailboxByName(alice?.id ?? (0 as never), 'INBOX');
    await store.execute({ kind: 'expunge', mailbox: inbox?.id ?? (0 as never), uids: null, force: true, view: null });
    const sql = 'SELECT count(*) AS n FROM text_index WHERE text_index MATCH \'body : "TWO"\'';
    await until(async () => (await rowsBeside<{ n: number }>(join(place.folder, 'derived.db'), sql))?.[0]?.n === 0);
  });

  it.each([
    ['deleted', (path: string) => rm(path)],
    ['damaged', (path: string) => writeFile(path, 'this is no database'.repeat(500))],
  ])('is made again where derived.db was %s, and holes in it are filled', async (_, harm) => {
    await using place = await storeFolder();
    const store = await place.open({ deriver });
    const bodies = await bodiesOf(store, 'one', 'two', 'three');
    await until(async () => (await indexed(place.folder)) === 3);
    await store.close();
    await harm(join(place.folder, 'derived.db'));
    const again = await place.open({ deriver });
    await until(async () => (await indexed(place.folder)) === 3);
    await until(async () => (await again.read.possibleMatches(bodies, body('TWO'))) !== null);
    expect(await again.read.possibleMatches(bodies, body('TWO'))).toEqual(new Set([bodies[1]]));
    await again.close();
    const db = new Connection(join(place.folder, 'derived.db'));
    db.exec(
      'DELETE FROM text_index WHERE rowid = 2; DELETE FROM text_done; INSERT INTO text_done VALUES (1, 1), (3, 3)',
    );
    db.close();
    await place.open({ deriver });
    await until(async () => (await indexed(place.folder)) === 3);
    expect(await runs(place.folder)).toEqual([{ first: 1, last: 3 }]);
  });
});
