// Mailboxes: hierarchy, names, UIDVALIDITY.

import { describe, expect, it } from 'vitest';
import type { AccountId, MailboxId } from '../../../src/store/rows.ts';
import type { Store } from '../../../src/store/store.ts';
import { account, deliver, letter, mailboxOf } from '../mail.ts';
import { eachStore, type Harness, recorded } from './harness.ts';

async function names(store: Store, owner: AccountId): Promise<readonly string[]> {
  const rows = await store.read.mailboxes(owner);
  return rows.map((row) => (row.selectable ? row.name : `(${row.name})`));
}

async function make(store: Store, owner: AccountId, name: string): Promise<MailboxId> {
  const made = await store.execute({ kind: 'create-mailbox', account: owner, name, specialUse: null });
  return made.mailbox;
}

const FIRST = ['Archive', 'Drafts', 'INBOX', 'Junk', 'Sent', 'Trash'];

export function mailboxCases(harness: Harness): void {
  describe('mailboxes', () => {
    const given = eachStore(harness);

    it('gives an account its first mailboxes, subscribed', async () => {
      const { store } = given;
      const alice = await account(store);
      const rows = await store.read.mailboxes(alice);
      expect(rows.map((row) => row.name)).toEqual(FIRST);
      expect(rows.map((row) => row.specialUse)).toEqual(['Archive', 'Drafts', null, 'Junk', 'Sent', 'Trash']);
      expect(rows.every((row) => row.subscribed)).toBe(true);
      expect(await store.read.subscriptions(alice)).toEqual(FIRST);
      expect(new Set(rows.map((row) => row.objectId)).size).toBe(6);
    });

    // RFC 3501 §6.3.3
    it('creates missing names above, and refuses what exists or has no sense', async () => {
      const { store } = given;
      const alice = await account(store);
      await make(store, alice, 'a/b/c');
      expect(await names(store, alice)).toEqual([...FIRST, 'a', 'a/b', 'a/b/c'].sort());
      await expect(make(store, alice, 'a/b')).rejects.toMatchObject({ kind: 'exists' });
      await expect(make(store, alice, 'inbox')).rejects.toMatchObject({ kind: 'exists' });
      for (const bad of ['', '/', 'a//b', '/a', 'a/', 'a\0b', 'x'.repeat(1_001), '\ud800', `${'a/'.repeat(60)}b`]) {
        await expect(make(store, alice, bad)).rejects.toMatchObject({ kind: 'refused' });
      }
      await make(store, alice, 'A');
      await make(store, alice, 'inbox/below');
      expect(await store.read.mailboxByName(alice, 'InBox/below')).toMatchObject({ name: 'INBOX/below' });
      await expect(make(store, 999 as AccountId, 'x')).rejects.toMatchObject({ kind: 'missing' });
    });

    it('bounds the mailboxes of an account, those above a new name included', async () => {
      const { store } = given;
      const alice = await account(store);
      const mailbox = await make(store, alice, 'x');
      const rename = async (to: number) => {
        const name = `${to}/${'a/'.repeat(48)}x`;
        await store.execute({ kind: 'rename-mailbox', mailbox, name, now: 1 });
      };
      let renamed = 0;
      const all = Array.from({ length: 250 }, (_, to) => rename(to).then(() => renamed++));
      const failed = (await Promise.allSettled(all)).filter((each) => each.status === 'rejected');
      expect(failed.length).toBe(250 - renamed);
      expect(failed[0]?.reason).toMatchObject({ kind: 'limit' });
      const rows = await store.read.mailboxes(alice);
      expect(rows.length).toBe(7 + 49 * renamed);
      expect(rows.length).toBeLessThanOrEqual(10_000);
      // What adds none is done at the bound, too.
      await store.execute({ kind: 'rename-mailbox', mailbox, name: '0/y', now: 1 });
    });

    // RFC 6154 §3
    it('gives a special use to one mailbox', async () => {
      const { store } = given;
      const alice = await account(store);
      await store.execute({ kind: 'create-mailbox', account: alice, name: 'Everything', specialUse: 'All' });
      expect(await mailboxOf(store, alice, 'Everything')).toMatchObject({ specialUse: 'All' });
      await expect(
        store.execute({ kind: 'create-mailbox', account: alice, name: 'More', specialUse: 'All' }),
      ).rejects.toMatchObject({ kind: 'refused' });
    });

    // RFC 3501 §6.3.4
    it('deletes a mailbox, or leaves a bare name where others are below', async () => {
      const { store } = given;
      const alice = await account(store);
      const outer = await make(store, alice, 'outer');
      const inner = await make(store, alice, 'outer/inner');
      await store.execute({ kind: 'delete-mailbox', mailbox: outer });
      expect(await names(store, alice)).toEqual([...FIRST, '(outer)', 'outer/inner']);
      const bare = await mailboxOf(store, alice, 'outer');
      await expect(store.execute({ kind: 'delete-mailbox', mailbox: bare.id })).rejects.toMatchObject({
        kind: 'refused',
      });
      const claim = store.execute({ kind: 'claim-recent', mailbox: bare.id, upTo: 1 as never });
      await expect(claim).rejects.toMatchObject({ kind: 'missing' });
      await store.execute({ kind: 'delete-mailbox', mailbox: inner });
      expect(await names(store, alice)).toEqual(FIRST);
      const inbox = await mailboxOf(store, alice);
      await expect(store.execute({ kind: 'delete-mailbox', mailbox: inbox.id })).rejects.toMatchObject({
        kind: 'refused',
      });
    });

    // RFC 3501 §2.3.1.1
    it('never repeats a UIDVALIDITY, and a name that comes again has a higher one', async () => {
      const { store } = given;
      const alice = await account(store);
      const seen: number[] = [];
      for (let round = 0; round < 3; round++) {
        const made = await make(store, alice, 'again');
        seen.push((await mailboxOf(store, alice, 'again')).uidValidity);
        await store.execute({ kind: 'delete-mailbox', mailbox: made });
      }
      const old = await make(store, alice, 'old');
      await make(store, alice, 'again');
      const gone = await mailboxOf(store, alice, 'again');
      seen.push(gone.uidValidity);
      await store.execute({ kind: 'delete-mailbox', mailbox: gone.id });
      // An older mailbox takes the name of a newer one.
      await store.execute({ kind: 'rename-mailbox', mailbox: old, name: 'again', now: 1 });
      seen.push((await mailboxOf(store, alice, 'again')).uidValidity);
      expect(seen).toEqual([...new Set(seen)].sort((one, other) => one - other));
    });

    // RFC 3501 §6.3.5
    it('renames a mailbox with what is below, keeping its identity', async () => {
      const { store } = given;
      const alice = await account(store);
      const changes = recorded(store, { account: alice });
      const tree = await make(store, alice, 'tree');
      await make(store, alice, 'tree/leaf');
      await make(store, alice, 'treetop');
      const before = await mailboxOf(store, alice, 'tree/leaf');
      await store.execute({ kind: 'rename-mailbox', mailbox: tree, name: 'wood/oak', now: 1 });
      expect(await names(store, alice)).toEqual([...FIRST, 'treetop', 'wood', 'wood/oak', 'wood/oak/leaf']);
      const after = await mailboxOf(store, alice, 'wood/oak/leaf');
      expect(after).toMatchObject({ id: before.id, objectId: before.objectId, uidValidity: before.uidValidity });
      expect(changes.filter((change) => change.kind === 'mailbox-renamed')).toMatchObject([
        { mailbox: tree, name: 'wood/oak' },
        { mailbox: before.id, name: 'wood/oak/leaf' },
      ]);
      await expect(
        store.execute({ kind: 'rename-mailbox', mailbox: tree, name: 'treetop', now: 1 }),
      ).rejects.toMatchObject({ kind: 'exists' });
      await expect(
        store.execute({ kind: 'rename-mailbox', mailbox: tree, name: 'wood/oak/x', now: 1 }),
      ).rejects.toMatchObject({ kind: 'refused' });
    });

    // RFC 3501 §6.3.5
    it('renames INBOX by moving its messages', async () => {
      const { store } = given;
      const alice = await account(store);
      await make(store, alice, 'INBOX/child');
      await deliver(store, alice, letter('1'));
      await deliver(store, alice, letter('2'), { flags: 1 });
      const inbox = await mailboxOf(store, alice);
      await store.execute({ kind: 'rename-mailbox', mailbox: inbox.id, name: 'Old', now: 7 });
      expect(await mailboxOf(store, alice)).toMatchObject({ id: inbox.id, messages: 0, uidNext: 3, unseen: 0 });
      expect(await mailboxOf(store, alice, 'Old')).toMatchObject({ messages: 2, unseen: 1 });
      expect(await names(store, alice)).toContain('INBOX/child');
    });

    it('knows of any name whether others are below it, and whether it is subscribed', async () => {
      const { store } = given;
      const [alice, bob] = [await account(store), await account(store, 'bob@example.test')];
      for (const name of ['a/b', 'c', 'c-d', 'c.d', 'c0', 'ü']) await make(store, alice, name);
      await make(store, bob, 'c/d');
      await store.execute({ kind: 'subscribe', account: alice, name: 'x/y', subscribed: true });
      const about = async (name: string) => {
        const { hasChildren, isSubscribed } = await store.read.aboutName(alice, name);
        return `${hasChildren ? 'children' : ''} ${isSubscribed ? 'subscribed' : ''}`.trim();
      };
      const names = ['a', 'a/b', 'c', 'x', 'x/y', 'INBOX', 'ü', '', '/'];
      expect(await Promise.all(names.map(about))).toEqual([
        'children',
        '',
        '',
        '',
        'subscribed',
        'subscribed',
        '',
        '',
        '',
      ]);
    });

    it('lists mailboxes without their keywords: 10,000 times 33 KB would hold everybody up', async () => {
      const { store } = given;
      const alice = await account(store);
      await deliver(store, alice, letter('x'), { keywords: ['$Work'] });
      const inbox = await mailboxOf(store, alice);
      expect(inbox.keywords).toEqual(['$Work']);
      const { keywords: _, ...inShort } = inbox;
      expect((await store.read.mailboxes(alice)).find(({ id }) => id === inbox.id)).toEqual(inShort);
      const { id: mailbox } = inbox;
      const right = { identifier: 'anyone', rights: 'l', mode: 'replace', unset: '' } as const;
      await store.execute({ kind: 'set-rights', mailbox, ...right });
      const bob = await account(store, 'bob@example.test');
      expect((await store.read.sharedWith(bob, ['anyone']))[0]?.mailbox).toEqual(inShort);
    });

    it('subscribes names, also those of no mailbox', async () => {
      const { store } = given;
      const alice = await account(store);
      const changes = recorded(store, { account: alice });
      const subscribe = (name: string, subscribed: boolean) =>
        store.execute({ kind: 'subscribe', account: alice, name, subscribed });
      await subscribe('nowhere', true);
      await subscribe('nowhere', true);
      await subscribe('inbox', false);
      expect(await store.read.subscriptions(alice)).toEqual(['Archive', 'Drafts', 'Junk', 'Sent', 'Trash', 'nowhere']);
      expect(await mailboxOf(store, alice)).toMatchObject({ subscribed: false });
      expect(changes).toMatchObject([
        { kind: 'subscription', mailbox: null, name: 'nowhere' },
        { kind: 'subscription', name: 'INBOX' },
      ]);
    });
  });
}
