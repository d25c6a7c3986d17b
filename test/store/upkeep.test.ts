// The upkeep by itself, with a clock in hand: when summaries are made, and what becomes of a derived.db that cannot be
// opened, or that does not fit any more.

import { statSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Connection } from '../../src/store/engine.ts';
import { storeFiles } from '../../src/store/folder.ts';
import type { FromUpkeep } from '../../src/store/protocol.ts';
import type { BodyId } from '../../src/store/rows.ts';
import { Upkeep } from '../../src/store/upkeep/upkeep.ts';
import { FakeClock } from '../fake-clock.ts';
import { rowsBeside } from './beside.ts';
import { account, deliver, letter } from './mail.ts';
import { storeFolder } from './open-folder.ts';

/** An upkeep of an empty store, and what it says to the front. */
async function upkeepOf(folder: string) {
  const { mail, derived } = storeFiles(folder);
  const said: FromUpkeep['kind'][] = [];
  const clock = new FakeClock();
  const channel = new MessageChannel();
  const deriver = new URL('./deriver.ts', import.meta.url).href;
  const upkeep = new Upkeep({ mail, derived, deriver, writer: channel.port1 }, clock, ({ kind }) => said.push(kind));
  const close = () => {
    upkeep.close();
    channel.port1.close();
  };
  return { upkeep, derived, said, clock, [Symbol.dispose]: close };
}

const summary = (body: number) => ({ kind: 'keep', summaries: [[body as BodyId, Uint8Array.of(1)]] }) as const;
const count = 'SELECT count(*) AS n FROM summary';

describe('summaries', () => {
  it('wait until nothing is delivered for a moment, but not for ever', async () => {
    await using place = await storeFolder();
    const store = await place.open();
    const alice = await account(store);
    for (const subject of ['one', 'two', 'three']) await deliver(store, alice, letter(subject));
    await store.close();
    using parts = await upkeepOf(place.folder);
    await parts.upkeep.start();
    const delivered = (body: number) => parts.upkeep.fromWriter({ kind: 'stored', bodies: [body as BodyId] });
    const kept = async () => (await rowsBeside<{ n: number }>(parts.derived, count))?.[0]?.n;
    delivered(1);
    for (let ms = 0; ms < 10_000; ms += 100) {
      parts.clock.advance(100);
      delivered(2);
    }
    expect(await kept()).toBe(0);
    parts.clock.advance(2_000);
    expect(await kept()).toBe(2);
    for (let ms = 0; ms < 70_000; ms += 100) {
      parts.clock.advance(100);
      delivered(3);
    }
    expect(await kept()).toBe(3);
  });
});

describe('derived.db', () => {
  it('forgets also what was freed before it was open', async () => {
    await using place = await storeFolder();
    await (await place.open()).close();
    {
      using parts = await upkeepOf(place.folder);
      await parts.upkeep.start();
      for (const body of [1, 2, 3]) parts.upkeep.fromFront(summary(body));
    }
    using parts = await upkeepOf(place.folder);
    parts.upkeep.fromWriter({ kind: 'freed', bodies: [1 as BodyId] });
    await parts.upkeep.start();
    expect(await rowsBeside(parts.derived, count)).toEqual([{ n: 2 }]);
    parts.upkeep.fromWriter({ kind: 'freed', bodies: [3 as BodyId] });
    expect(await rowsBeside(parts.derived, 'SELECT body FROM summary')).toEqual([{ body: 2 }]);
  });

  it('that cannot be opened is tried again after a pause', async () => {
    await using place = await storeFolder();
    await (await place.open()).close();
    const derived = join(place.folder, 'derived.db');
    await mkdir(derived);
    using parts = await upkeepOf(place.folder);
    await parts.upkeep.start();
    parts.clock.advance(60_000);
    expect(new Set(parts.said)).toEqual(new Set(['warning']));
    expect(parts.said.length).toBeLessThan(10);
    // Nor does it matter what else fails meanwhile.
    const mail = new Connection(join(place.folder, 'mail.db'));
    mail.exec('ALTER TABLE meta RENAME TO away');
    parts.clock.advance(60_000);
    mail.exec('ALTER TABLE away RENAME TO meta');
    mail.close();
    expect(new Set(parts.said)).toEqual(new Set(['warning']));
    await rmdir(derived);
    parts.clock.advance(60_000);
    expect(parts.said.at(-1)).toBe('open');
    parts.upkeep.fromFront(summary(1));
    expect(await rowsBeside(derived, count)).toEqual([{ n: 1 }]);
  });

  it('that does not fit any more is made anew when the front has let go of it, and not before', async () => {
    await using place = await storeFolder();
    await (await place.open()).close();
    using parts = await upkeepOf(place.folder);
    await parts.upkeep.start();
    expect(parts.said).toEqual(['open']);
    const { ino } = statSync(parts.derived);
    const other = new Connection(parts.derived);
    other.exec('DROP TABLE summary; UPDATE about SET deriver = 99');
    other.close();
    for (let body = 1; body < 5; body++) parts.upkeep.fromFront(summary(body));
    parts.clock.advance(60_000);
    expect(parts.said.filter((kind) => kind !== 'warning')).toEqual(['open', 'unfit']);
    expect(statSync(parts.derived).ino).toBe(ino);
    parts.upkeep.fromFront({ kind: 'released' });
    expect(parts.said.filter((kind) => kind !== 'warning')).toEqual(['open', 'unfit', 'open']);
    parts.upkeep.fromFront(summary(7));
    expect(await rowsBeside(parts.derived, count)).toEqual([{ n: 1 }]);
  });
});
