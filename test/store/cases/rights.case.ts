// Rights: lists that are kept, inherited and forgotten, and \Seen of those who do not hold the mailbox.

import { describe, expect, it } from 'vitest';
import { type AccountId, Flag, type MailboxId, type Uid } from '../../../src/store/rows.ts';
import type { Store } from '../../../src/store/store.ts';
import { account, deliver, letter, mailboxOf } from '../mail.ts';
import { eachStore, type Harness, recorded } from './harness.ts';

const BOB = 'bob@example.test';

async function give(store: Store, mailbox: MailboxId, identifier: string, rights: string | null): Promise<void> {
  await store.execute({ kind: 'set-rights', mailbox, identifier, rights, mode: 'replace', unset: '' });
}

async function two(store: Store): Promise<{ alice: AccountId; bob: AccountId; inbox: MailboxId }> {
  const alice = await account(store);
  const bob = await account(store, BOB);
  return { alice, bob, inbox: (await mailboxOf(store, alice)).id };
}

export function rightCases(harness: Harness): void {
  describe('rights', () => {
    const given = eachStore(harness);

    it('keeps a list, tells of it, and finds what is shared', async () => {
      const { store } = given;
      const { alice, bob, inbox } = await two(store);
      const changes = recorded(store, { mailbox: inbox });
      await give(store, inbox, BOB, 'rl');
      await store.execute({
        kind: 'set-rights',
        mailbox: inbox,
        identifier: BOB,
        rights: 'ri',
        mode: 'add',
        unset: '',
      });
      await store.execute({
        kind: 'set-rights',
        mailbox: inbox,
        identifier: 'alice@example.test',
        rights: 'x',
        mode: 'remove',
        unset: 'lrx',
      });
      const list = [
        { identifier: 'alice@example.test', rights: 'lr' },
        { identifier: BOB, rights: 'ilr' },
      ];
      expect(await store.read.rights(inbox)).toEqual(list);
      expect(changes.at(-1)).toMatchObject({ kind: 'rights', name: 'INBOX', rights: list });
      expect(await store.read.sharedWith(bob, ['anyone', BOB])).toMatchObject([
        { mailbox: { id: inbox }, owner: 'alice@example.test', rights: list },
      ]);
      expect(await store.read.sharedWith(alice, ['anyone', BOB])).toEqual([]);
      expect([...(await store.read.rightsWithin(alice)).keys()]).toEqual([inbox]);
    });

    it('inherits from the name above, and keeps nothing of what is gone', async () => {
      const { store } = given;
      const { alice, bob } = await two(store);
      const make = async (name: string) =>
        (await store.execute({ kind: 'create-mailbox', account: alice, name, specialUse: null })).mailbox;
      const top = await make('a');
      await give(store, top, BOB, 'lr');
      const low = await make('a/b/c');
      expect(await store.read.rights(low)).toEqual([{ identifier: BOB, rights: 'lr' }]);
      await store.execute({ kind: 'rename-mailbox', mailbox: low, name: 'z', now: 1 });
      expect(await store.read.rights(low)).toEqual([{ identifier: BOB, rights: 'lr' }]);
      await store.execute({ kind: 'delete-mailbox', mailbox: low });
      expect(await store.read.rights(await make('z'))).toEqual([]);
      await give(store, top, `-${BOB}`, 'r');
      await store.execute({ kind: 'remove-account', account: bob });
      expect(await store.read.rights(top)).toEqual([]);
      expect(await store.read.accountNamed(BOB)).toBe(undefined);
    });

    it('bounds a list', async () => {
      const { store } = given;
      const { inbox } = await two(store);
      for (let n = 0; n < 200; n++) await give(store, inbox, `${n}@example.test`, 'l');
      await expect(give(store, inbox, 'more@example.test', 'l')).rejects.toMatchObject({ kind: 'quota' });
      await give(store, inbox, '0@example.test', 'lr');
      await give(store, inbox, '0@example.test', null);
      await give(store, inbox, 'more@example.test', 'l');
    });
  });

  describe('\\Seen of others', () => {
    const given = eachStore(harness);

    it('is changed beside the flags of all, and told to those whose it is', async () => {
      const { store } = given;
      const { alice, bob, inbox } = await two(store);
      await deliver(store, alice, letter('one'));
      await deliver(store, alice, letter('two'));
      const { uids } = await store.read.uids(inbox);
      const changes = recorded(store, { mailbox: inbox });
      const change = { kind: 'flags', mailbox: inbox, keywords: [], unchangedSince: null, view: null } as const;
      const all = Array.from(uids) as Uid[];
      const first = all.slice(0, 1);
      const before = await store.read.mailbox(inbox);
      const seen = await store.execute({ ...change, uids: first, mode: 'add', flags: Flag.Seen, seenBy: bob });
      expect([...seen.flags]).toEqual([Flag.Seen]);
      expect(changes).toMatchObject([{ kind: 'seen', by: bob, modSeq: seen.modSeq }]);
      const after = await store.read.mailbox(inbox);
      expect(after?.unseen).toBe(2);
      expect(after?.highestModSeq).toBeGreaterThan(before?.highestModSeq ?? 0);
      expect([...(await store.read.seenBy(inbox, bob))]).toEqual(first);
      expect([...(await store.read.seenBy(inbox, alice))]).toEqual([]);
      const both = Flag.Flagged | Flag.Seen;
      await store.execute({
        ...change,
        uids: all,
        mode: 'replace',
        flags: both,
        only: { flags: Flag.Flagged, keywords: false },
      });
      const { rows } = await store.read.messages(inbox, uids);
      expect(rows.map(({ flags }) => flags)).toEqual([Flag.Flagged, Flag.Flagged]);
      const third = await store.execute({ ...change, uids: all, mode: 'replace', flags: 0, seenBy: bob });
      expect([...third.flags]).toEqual([0, 0]);
      expect([...(await store.read.seenBy(inbox, bob))]).toEqual([]);
      expect(changes.map(({ kind }) => kind)).toEqual(['seen', 'flags', 'flags', 'seen']);
    });

    it('goes along with copies, both ways', async () => {
      const { store } = given;
      const { alice, bob, inbox } = await two(store);
      await deliver(store, alice, letter('one'));
      const { id: theirs } = await mailboxOf(store, bob);
      const { uids } = await store.read.uids(inbox);
      const all = Array.from(uids) as Uid[];
      const change = { kind: 'flags', mailbox: inbox, keywords: [], unchangedSince: null, view: null } as const;
      await store.execute({ ...change, uids: all, mode: 'add', flags: Flag.Seen | Flag.Deleted, seenBy: bob });
      const copy = { kind: 'copy', from: inbox, uids: all, now: 1, view: null } as const;
      await store.execute({ ...copy, to: theirs, seenFrom: bob, keep: { flags: Flag.Seen, keywords: true } });
      await store.execute({ ...copy, to: theirs });
      const own = await store.read.messages(theirs, (await store.read.uids(theirs)).uids);
      expect(own.rows.map(({ flags }) => flags)).toEqual([Flag.Seen, Flag.Deleted]);
      const back = { kind: 'copy', from: theirs, uids: own.rows.slice(0, 1).map(({ uid }) => uid), now: 1 } as const;
      const { to } = await store.execute({ ...back, to: inbox, seenTo: bob, view: null });
      expect([...(await store.read.seenBy(inbox, bob))]).toEqual([...uids, ...to]);
      expect((await store.read.mailbox(inbox))?.unseen).toBe(2);
    });
  });
}
