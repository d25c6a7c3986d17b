// Open views: \\Recent, and what an expunged message outlives.

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { AccountId, BodyId, MailboxId, Uid } from '../../../src/store/rows.ts';
import type { Store } from '../../../src/store/store.ts';
import { FakeClock } from '../../fake-clock.ts';
import { account, deliver, letter, mailboxOf } from '../mail.ts';
import { eachStore, type Harness, until } from './harness.ts';

async function rowOf(store: Store, mailbox: MailboxId, uid: Uid) {
  return (await store.read.messages(mailbox, [uid])).rows[0];
}

async function bodyIsThere(store: Store, body: BodyId): Promise<boolean> {
  return (await store.read.body(body, 0, 1)).length > 0;
}

/** Gives the store reason, and time, to free what it may. */
async function busy(store: Store, alice: AccountId): Promise<void> {
  for (let at = 0; at < 20; at++) {
    await store.execute({ kind: 'subscribe', account: alice, name: 'often', subscribed: at % 2 === 0 });
  }
}

export function viewCases(harness: Harness): void {
  describe('views and tombstones', () => {
    const given = eachStore(harness);

    async function expunged(store: Store) {
      const alice = await account(store);
      const { mailbox, uid } = await deliver(store, alice, letter('x'));
      const row = await rowOf(store, mailbox, uid);
      return { alice, mailbox, uid, body: row?.body ?? (0 as BodyId) };
    }

    const expunge = (store: Store, mailbox: MailboxId, uid: Uid) =>
      store.execute({ kind: 'expunge', mailbox, uids: [uid], force: true, view: null });

    it('keeps an expunged message until every view was told, then frees it', async () => {
      const { store } = given;
      const { alice, mailbox, uid, body } = await expunged(store);
      const [one, other] = [store.views.open(mailbox), store.views.open(mailbox)];
      await expunge(store, mailbox, uid);
      expect(await rowOf(store, mailbox, uid)).toMatchObject({ expunged: true });
      const { commit } = await store.read.uids(mailbox);
      store.views.acknowledge(one.view, commit);
      // Something happens, and the tombstone still stands for the other view.
      await busy(store, alice);
      expect(await rowOf(store, mailbox, uid)).toMatchObject({ expunged: true });
      expect(await bodyIsThere(store, body)).toBe(true);
      store.views.close(other.view);
      await until(async () => (await rowOf(store, mailbox, uid)) === undefined);
      await until(async () => !(await bodyIsThere(store, body)));
    });

    it('frees it at most an hour later', async () => {
      const { place } = given;
      await given.store.close();
      const clock = new FakeClock(1_000_000);
      const store = await place.open({ clock });
      const { alice, mailbox, uid } = await expunged(store);
      store.views.open(mailbox);
      await expunge(store, mailbox, uid);
      clock.advance(3_500_000);
      await busy(store, alice);
      expect(await rowOf(store, mailbox, uid)).toMatchObject({ expunged: true });
      // No command comes: the store looks at the clock by itself.
      clock.advance(200_000);
      await until(async () => (await rowOf(store, mailbox, uid)) === undefined);
    });

    it('keeps what was shown to a view that opened while much is expunged', async () => {
      const { store } = given;
      const alice = await account(store);
      for (let round = 0; round < 6; round++) {
        const { mailbox, uid } = await deliver(store, alice, letter('x'));
        // Long enough for the store to free something as soon as it has done a command.
        await sleep(250);
        const gone = expunge(store, mailbox, uid);
        await new Promise((resolve) => setImmediate(resolve));
        // The store is at it by now. Nobody waits for the view, and this thread does nothing more for a while.
        const { view } = store.views.open(mailbox);
        const reading = store.read.uids(mailbox);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
        await gone;
        for (const shown of (await reading).uids) {
          expect(await rowOf(store, mailbox, shown as Uid)).toBeDefined(); // of the store
        }
        store.views.close(view);
      }
    });

    it('keeps a body while a copy or the queue has it', async () => {
      const { store } = given;
      const { alice, mailbox, uid, body } = await expunged(store);
      const archive = (await mailboxOf(store, alice, 'Archive')).id;
      await store.execute({ kind: 'copy', from: mailbox, uids: [uid], to: archive, now: 1, view: null });
      await expunge(store, mailbox, uid);
      await until(async () => (await rowOf(store, mailbox, uid)) === undefined);
      expect(await bodyIsThere(store, body)).toBe(true);
      await store.execute({ kind: 'delete-mailbox', mailbox: archive });
      await until(async () => !(await bodyIsThere(store, body)));
    });

    it('keeps the messages of a deleted mailbox while a view has it open', async () => {
      const { store } = given;
      const alice = await account(store);
      const { mailbox, uid } = await deliver(store, alice, letter('x'), { mailbox: 'Junk' });
      const { view } = store.views.open(mailbox);
      await store.execute({ kind: 'delete-mailbox', mailbox });
      expect(await store.read.mailbox(mailbox)).toBeUndefined();
      await busy(store, alice);
      expect(await rowOf(store, mailbox, uid)).toBeDefined();
      store.views.close(view);
      await until(async () => (await rowOf(store, mailbox, uid)) === undefined);
    });

    it('frees everything of a removed account', async () => {
      const { store } = given;
      const { alice, mailbox, uid, body } = await expunged(store);
      await store.execute({ kind: 'remove-account', account: alice });
      expect(await store.read.account(alice)).toBeUndefined();
      expect(await store.read.mailboxes(alice)).toEqual([]);
      await until(async () => (await rowOf(store, mailbox, uid)) === undefined);
      await until(async () => !(await bodyIsThere(store, body)));
      const again = await account(store);
      expect(again).not.toBe(alice);
      await expect(store.execute({ kind: 'remove-account', account: alice })).rejects.toMatchObject({
        kind: 'missing',
      });
    });

    it('shortens an expunge log that grows too long, and forgets nothing of it', async () => {
      const { store } = given;
      const alice = await account(store);
      const { mailbox, uid } = await deliver(store, alice, letter('x'));
      let all: readonly Uid[] = [uid];
      while (all.length < 20_100) {
        await store.execute({ kind: 'copy', from: mailbox, uids: all, to: mailbox, now: 1, view: null });
        all = Array.from((await store.read.uids(mailbox)).uids) as Uid[]; // as the store names them
      }
      const { highestModSeq: since } = await mailboxOf(store, alice);
      const gone = all.filter((_, at) => at % 2 === 0).slice(0, 10_050);
      const expunged = { kind: 'expunge', mailbox, force: true, view: null } as const;
      const first = await store.execute({ ...expunged, uids: gone });
      const last = await store.execute({ ...expunged, uids: all.slice(-1) });
      const runs = async (from: typeof since) => (await store.read.vanishedSince(mailbox, from)).runs;
      await until(async () => (await runs(since)).length <= 10_000);
      const covered = new Set<number>();
      for (const run of await runs(since)) for (let each = run.first; each <= run.last; each++) covered.add(each);
      expect(gone.every((each) => covered.has(each))).toBe(true);
      expect(await runs(first.modSeq)).toEqual([{ first: all.at(-1), last: all.at(-1) }]);
      expect(await runs(last.modSeq)).toEqual([]);
    });

    it('finishes what a stop interrupted', async () => {
      const { place } = given;
      const { mailbox, uid, body } = await expunged(given.store);
      given.store.views.open(mailbox);
      await expunge(given.store, mailbox, uid);
      const staging = given.store.stage();
      await staging.write(new Uint8Array(600_000));
      await given.store.close();
      const store = await place.open();
      await until(async () => (await rowOf(store, mailbox, uid)) === undefined);
      await until(async () => !(await bodyIsThere(store, body)));
    });

    // RFC 3501 §2.3.2
    it('gives Recent to one session', async () => {
      const { store } = given;
      const alice = await account(store);
      const { mailbox } = await deliver(store, alice, letter('1'));
      const claim = async (upTo: number) =>
        (await store.execute({ kind: 'claim-recent', mailbox, upTo: upTo as Uid })).recentFrom; // of the store, or beyond
      // What has not come yet cannot be claimed.
      expect([await claim(9), await claim(9)]).toEqual([1, 2]);
      const { uid } = await deliver(store, alice, letter('2'));
      expect([await claim(uid), await claim(uid), await claim(1)]).toEqual([2, 3, 3]);
      expect(await store.read.mailbox(mailbox)).toMatchObject({ recentFrom: 3 });
    });
  });
}
