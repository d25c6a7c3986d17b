// The change feed: order, commits, who hears what.

import { describe, expect, it } from 'vitest';
import { Flag, type Uid } from '../../../src/store/rows.ts';
import type { Change } from '../../../src/store/store.ts';
import { acceptance, account, deliver, delivery, flag, letter, mailboxOf } from '../mail.ts';
import { eachStore, type Harness, recorded } from './harness.ts';

export function feedCases(harness: Harness): void {
  describe('change feed', () => {
    const given = eachStore(harness);

    it('tells of a change before the command resolves, and in the order of commits', async () => {
      const { store } = given;
      const alice = await account(store);
      const inbox = await mailboxOf(store, alice);
      const order: string[] = [];
      const changes: Change[] = [];
      store.follow({ mailbox: inbox.id }, (change) => {
        changes.push(change);
        if (change.kind === 'added') order.push(`told ${change.uids[0]}`);
      });
      const commands = await Promise.all(
        Array.from({ length: 40 }, (_, at) => acceptance(store, letter(`${at}`), [delivery(alice)])),
      );
      await Promise.all(
        commands.map(async (command) => {
          const { placed } = await store.execute(command);
          order.push(`done ${placed[0]?.uid}`);
        }),
      );
      expect(changes.map((change) => (change.kind === 'added' ? change.uids[0] : 0))).toEqual(
        Array.from({ length: 40 }, (_, at) => at + 1),
      );
      for (let uid = 1; uid <= 40; uid++) {
        expect(order.indexOf(`told ${uid}`)).toBeLessThan(order.indexOf(`done ${uid}`));
      }
      const commits = changes.map((change) => change.commit);
      expect(commits).toEqual([...commits].sort((one, other) => one - other));
      // Many commands, few transactions.
      expect(new Set(commits).size).toBeLessThan(20);
    });

    it('has told of every change that a read shows when the read resolves', async () => {
      const { store } = given;
      const alice = await account(store);
      const inbox = await mailboxOf(store, alice);
      const changes = recorded(store, { mailbox: inbox.id });
      for (let round = 0; round < 50; round++) {
        const command = await acceptance(store, letter('x'), [delivery(alice)]);
        const sent = store.execute(command);
        for (let look = 0; look < 3; look++) {
          const { uids, commit, mailbox } = await store.read.uids(inbox.id);
          expect(changes.filter((change) => change.commit <= commit)).toHaveLength(uids.length);
          expect(mailbox.messages).toBe(uids.length);
        }
        await sent;
      }
    });

    it('names the view that a change came from', async () => {
      const { store } = given;
      const alice = await account(store);
      const { mailbox, uid } = await deliver(store, alice, letter('x'));
      const changes = recorded(store, { account: alice });
      const { view } = store.views.open(mailbox);
      await store.execute({
        kind: 'flags',
        mailbox,
        uids: [uid],
        mode: 'add',
        flags: Flag.Seen,
        keywords: ['a'],
        unchangedSince: null,
        view,
      });
      await store.execute({ kind: 'expunge', mailbox, uids: [uid], force: true, view });
      expect(changes).toMatchObject([
        { kind: 'flags', view, flags: Uint8Array.of(1), keywords: [['a']] },
        { kind: 'expunged', view, uids: Uint32Array.of(uid) },
      ]);
    });

    it('stops when asked, and survives a listener that throws', async () => {
      const { store } = given;
      const alice = await account(store);
      const inbox = await mailboxOf(store, alice);
      store.follow({ mailbox: inbox.id }, () => {
        throw new Error('on purpose');
      });
      let told = 0;
      const stop = store.follow({ mailbox: inbox.id }, () => {
        told += 1;
      });
      await deliver(store, alice, letter('x'));
      stop();
      stop();
      await deliver(store, alice, letter('y'));
      expect(told).toBe(1);
    });

    it('keeps the shared UIDs of a mailbox current, and old arrays as they were', async () => {
      const { store } = given;
      const alice = await account(store);
      const inbox = (await mailboxOf(store, alice)).id;
      const seen: { uids: Uint32Array; copy: number[] }[] = [];
      let alive: number[] = [];
      for (let round = 1; round <= 30; round++) {
        const { uid } = await deliver(store, alice, letter('x'));
        alive.push(uid);
        if (round % 5 === 0) {
          const gone = [alive[1] ?? 0, alive[3] ?? 0];
          alive = alive.filter((one) => !gone.includes(one));
          await store.execute({ kind: 'expunge', mailbox: inbox, uids: gone as Uid[], force: true, view: null });
        }
        if (round % 7 === 0) await flag(store, inbox, [(alive[0] ?? 0) as Uid], Flag.Seen);
        const { uids } = await store.read.uids(inbox);
        expect([...uids]).toEqual(alive);
        seen.push({ uids, copy: [...uids] });
      }
      for (const { uids, copy } of seen) expect([...uids]).toEqual(copy);
      expect((await store.read.opening(inbox)).firstUnseen).toBe(alive[1]);
      const [one, other] = await Promise.all([store.read.uids(inbox), store.read.uids(inbox)]);
      expect(one.uids).toBe(other.uids);
    });
  });
}
