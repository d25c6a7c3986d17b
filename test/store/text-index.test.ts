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
  for (const characters of texts) {
    const text = Buffer.from(characters).toString('latin1'); // UTF-8, an octet a character
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

describe('the search index', () => {
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
    expect(await ask({ all: [] })).toEqual(['none']);
    expect(await ask({ any: [] })).toEqual(['none']);
    expect(await ask(body('😀😀😀'))).toEqual([]);
    expect(await ask(body('APPLES'.repeat(500)))).toEqual([]);
  });

  it('finds short strings by what they begin, also at the end of a text', async () => {
    await using place = await storeFolder();
    const store = await place.open({ deriver });
    // So many trigrams begin with one letter.
    const everywhere = Array.from({ length: 150 }, (_, at) => `q${String.fromCodePoint(0xac00 + at)}`).join('');
    const all = await bodiesOf(store, 'apples', 'pears zz', '東京 "', everywhere);
    await until(async () => (await indexed(place.folder)) === all.length);
    await until(async () => (await store.read.possibleMatches(all, body('APPLES'))) !== null);
    const [apple, pear, tokyo, last] = all;
    const ask = async (query: TextQuery) => [...((await store.read.possibleMatches(all, query)) ?? ['none'])];
    expect(await ask(body('AP'))).toEqual([apple]);
    expect(await ask(body('ZZ'))).toEqual([pear]);
    expect(await ask(body('東京'))).toEqual([tokyo]);
    expect(await ask(body('京'))).toEqual([tokyo]);
    expect(await ask(body('"'))).toEqual([tokyo]);
    expect(await ask(body('\n'))).toEqual(all);
    expect(await ask(body('\r\n'))).toEqual(all);
    expect(await ask(body('大阪'))).toEqual([]);
    expect(await ask({ any: [body('AP'), body('ZZ')] })).toEqual([apple, pear]);
    expect(await ask({ all: [body('AP'), body('ZZ')] })).toEqual([]);
    // In most of the mail, or so it seems: the index cannot tell.
    expect(await ask(body('Q'))).toEqual(['none']);
    expect(await ask({ any: [body('Q'), body('ZZ')] })).toEqual(['none']);
    expect(await ask({ all: [body('Q'), body('ZZ')] })).toEqual([pear]);
    expect(await ask(body('Q\uac00'))).toEqual([last]);
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
