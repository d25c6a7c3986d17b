// Accept: one body, its deliveries and its queue entries, all of them or none.

import { describe, expect, it } from 'vitest';
import { Flag } from '../../../src/store/rows.ts';
import {
  acceptance,
  account,
  bodyOctets,
  deliver,
  delivery,
  dispatchTo,
  letter,
  mailboxOf,
  octets,
  stage,
} from '../mail.ts';
import { eachStore, type Harness, recorded } from './harness.ts';

export function acceptCases(harness: Harness): void {
  describe('accept', () => {
    const given = eachStore(harness);

    it('puts one body into every mailbox and the queue', async () => {
      const { store } = given;
      const alice = await account(store);
      const bob = await account(store, 'bob@example.test');
      const content = letter('to all');
      const { placed, entries } = await store.execute(
        await acceptance(
          store,
          content,
          [
            delivery(alice, { prefix: octets('Delivered-To: alice\r\n'), flags: Flag.Seen, keywords: ['$Work'] }),
            delivery(bob, { mailbox: 'Junk' }),
          ],
          dispatchTo('carol@remote.test', 'dave@other.test'),
        ),
      );
      expect(placed.map((one) => one.uid)).toEqual([1, 1]);
      expect(entries).toHaveLength(2);
      const inbox = await mailboxOf(store, alice);
      const junk = await mailboxOf(store, bob, 'Junk');
      expect([placed[0]?.mailbox, placed[1]?.mailbox]).toEqual([inbox.id, junk.id]);
      const first = (await store.read.messages(inbox.id, [1 as never])).rows[0];
      const second = (await store.read.messages(junk.id, [1 as never])).rows[0];
      expect(first?.body).toBe(second?.body);
      expect(first).toMatchObject({ flags: Flag.Seen, keywords: ['$Work'], size: content.length + 21 });
      expect(first?.headerSize).toBe(second === undefined ? 0 : second.headerSize + 21);
      expect(first?.emailId).not.toBe(second?.emailId);
      const transit = await store.read.queue.entry(entries[0] ?? (0 as never));
      expect(transit?.transit).toMatchObject({ body: first?.body, messageId: 'test', size: content.length });
      expect(inbox).toMatchObject({ messages: 1, unseen: 0, octets: content.length + 21, keywords: ['$Work'] });
      expect(junk).toMatchObject({ messages: 1, unseen: 1 });
    });

    it('puts what one account gets twice into one thread', async () => {
      const { store } = given;
      const alice = await account(store);
      const to = [delivery(alice), delivery(alice, { mailbox: 'Junk' })];
      const { placed } = await store.execute(await acceptance(store, letter('no Message-ID'), to));
      const rows = await Promise.all(placed.map(({ mailbox, uid }) => store.read.messages(mailbox, [uid])));
      expect(new Set(rows.map((page) => page.rows[0]?.threadId)).size).toBe(1);
    });

    it('falls back to INBOX where the mailbox is gone', async () => {
      const { store } = given;
      const alice = await account(store);
      const placed = await deliver(store, alice, letter('x'), { mailbox: 'No/Such' });
      expect(placed.mailbox).toBe((await mailboxOf(store, alice)).id);
    });

    it('does nothing at all where one recipient is impossible', async () => {
      const { store } = given;
      const alice = await account(store);
      const changes = recorded(store, { account: alice });
      const command = await acceptance(
        store,
        letter('x'),
        [delivery(alice), delivery(999 as never)],
        dispatchTo('a@b.test'),
      );
      await expect(store.execute(command)).rejects.toMatchObject({ kind: 'missing' });
      expect(changes).toEqual([]);
      expect((await mailboxOf(store, alice)).messages).toBe(0);
      expect(await store.read.queue.size()).toBe(0);
      expect((await deliver(store, alice, letter('y'))).uid).toBeGreaterThan(0);
    });

    it('keeps any octets as they came, across chunk borders', async () => {
      const { store } = given;
      const alice = await account(store);
      const all = Uint8Array.from({ length: 256 }, (_, at) => at);
      for (const size of [0, 1, 65_535, 65_536, 65_537, 262_144, 1_048_576, 1_048_577, 1_300_001]) {
        const content = Uint8Array.from({ length: size }, (_, at) => all[(at * 7 + (at >> 8)) % 256] ?? 0);
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < size; at += 50_021) pieces.push(content.slice(at, at + 50_021));
        const body = await stage(store, ...pieces);
        const { placed } = await store.execute({
          kind: 'accept',
          body,
          facts: { headerSize: 0, messageId: null, references: [] },
          messageId: 'x',
          now: 1,
          deliveries: [delivery(alice)],
          dispatch: null,
        });
        const [one] = placed;
        const page = await store.read.messages(one?.mailbox ?? (0 as never), [one?.uid ?? (0 as never)]);
        const row = page.rows[0];
        expect(row?.size).toBe(size);
        const back = await bodyOctets(store, row?.body ?? (0 as never), size);
        expect(Buffer.compare(back, content)).toBe(0);
        const part = await store.read.body(row?.body ?? (0 as never), 65_530, 20);
        expect(Buffer.compare(part, content.subarray(65_530, 65_550))).toBe(0);
      }
    });

    it('refuses a prefix over its limit, and a body that is not whole', async () => {
      const { store } = given;
      const alice = await account(store);
      const long = await acceptance(store, letter('x'), [delivery(alice, { prefix: new Uint8Array(5_000) })]);
      await expect(store.execute(long)).rejects.toMatchObject({ kind: 'refused' });
      const good = await acceptance(store, letter('x'), [delivery(alice)]);
      const half = { ...good, body: { ...good.body, size: good.body.size + 1 } };
      await expect(store.execute(half)).rejects.toMatchObject({ kind: 'failed' });
    });

    it('needs no body where there is nothing to do', async () => {
      const { store } = given;
      const command = await acceptance(store, letter('x'), []);
      expect(await store.execute(command)).toEqual({ placed: [], entries: [] });
    });

    it('accepts once what has a key, until that is forgotten', async () => {
      const { store } = given;
      const alice = await account(store);
      const bring = async (once: string) =>
        store.execute({
          ...(await acceptance(store, letter('x'), [delivery(alice)], dispatchTo('a@b.test'))),
          once,
        });
      expect((await bring('one')).placed).toHaveLength(1);
      expect(await bring('one')).toEqual({ placed: [], entries: [] });
      expect((await bring('two')).placed).toHaveLength(1);
      expect((await mailboxOf(store, alice)).messages).toBe(2);
      expect(await store.read.queue.size()).toBe(2);
      await store.execute({ kind: 'forget-once', keys: ['one'], but: true });
      expect((await bring('one')).placed).toEqual([]);
      expect((await bring('two')).placed).toHaveLength(1);
      await store.execute({ kind: 'forget-once', keys: ['one'], but: false });
      expect((await bring('one')).placed).toHaveLength(1);
      expect((await bring('two')).placed).toEqual([]);
    });

    it('keeps no key of what it did not accept', async () => {
      const { store } = given;
      const alice = await account(store);
      const wrong = await acceptance(store, letter('x'), [delivery(999 as never)]);
      await expect(store.execute({ ...wrong, once: 'key' })).rejects.toMatchObject({ kind: 'missing' });
      const right = await acceptance(store, letter('x'), [delivery(alice)]);
      expect((await store.execute({ ...right, once: 'key' })).placed).toHaveLength(1);
    });

    it('accepts over quota, and append does not', async () => {
      const { store } = given;
      const alice = await account(store, 'alice@example.test', 30);
      await deliver(store, alice, letter('quite a long message'));
      expect(await store.read.account(alice)).toMatchObject({ usedMessages: 1, quota: 30 });
      const inbox = await mailboxOf(store, alice);
      const body = await stage(store, letter('x'));
      const facts = { headerSize: 3, messageId: null, references: [] };
      const message = { body, facts, flags: 0, keywords: [], internalDate: 0, internalZone: 0 };
      await expect(
        store.execute({ kind: 'append', mailbox: inbox.id, now: 1, messages: [message], view: null }),
      ).rejects.toMatchObject({ kind: 'quota' });
      await expect(
        store.execute({ kind: 'copy', from: inbox.id, uids: [1 as never], to: inbox.id, now: 1, view: null }),
      ).rejects.toMatchObject({ kind: 'quota' });
      const archive = await mailboxOf(store, alice, 'Archive');
      const moved = await store.execute({
        kind: 'move',
        from: inbox.id,
        uids: [1 as never],
        to: archive.id,
        now: 1,
        view: null,
      });
      expect([...moved.to]).toEqual([1]);
    });
  });
}
