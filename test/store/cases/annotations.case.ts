// Annotations: whose they are, how many there may be, and what becomes of them.

import { describe, expect, it } from 'vitest';
import { Limit } from '../../../src/store/limits.ts';
import type { AccountId, MailboxId } from '../../../src/store/rows.ts';
import type { Store } from '../../../src/store/store.ts';
import { account, mailboxOf } from '../mail.ts';
import { eachStore, type Harness, recorded } from './harness.ts';

const note = (text: string) => new Uint8Array(Buffer.from(text));

async function set(
  store: Store,
  mailbox: MailboxId | null,
  by: AccountId,
  entries: Readonly<Record<string, string | null>>,
): Promise<void> {
  await store.execute({
    kind: 'annotate',
    mailbox,
    account: by,
    entries: Object.entries(entries).map(([entry, value]) => ({
      entry,
      shared: entry.startsWith('/shared'),
      value: value === null ? null : note(value),
    })),
    origin: null,
  });
}

async function seen(store: Store, mailbox: MailboxId | null, by: AccountId): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const head of await store.read.annotations(mailbox, by)) {
    const value = await store.read.annotation(mailbox, by, head);
    expect(value?.length).toBe(head.octets);
    found[head.entry] = Buffer.from(value ?? []).toString();
  }
  return found;
}

export function annotationCases(harness: Harness): void {
  describe('annotations', () => {
    const given = eachStore(harness);

    it('shows shared ones to all, private ones to whose they are', async () => {
      const { store } = given;
      const alice = await account(store);
      const bob = await account(store, 'bob@example.test');
      const { id: inbox } = await mailboxOf(store, alice);
      await set(store, inbox, alice, { '/shared/a': '1', '/private/a': '2' });
      await set(store, inbox, bob, { '/shared/b': '3', '/private/a': '4' });
      await set(store, null, bob, { '/private/a': '5' });
      expect(await seen(store, inbox, alice)).toEqual({ '/private/a': '2', '/shared/a': '1', '/shared/b': '3' });
      expect(await seen(store, inbox, bob)).toEqual({ '/private/a': '4', '/shared/a': '1', '/shared/b': '3' });
      expect(await seen(store, null, alice)).toEqual({});
      await set(store, inbox, alice, { '/private/a': null, '/shared/b': null, '/shared/a': '6' });
      expect(await seen(store, inbox, alice)).toEqual({ '/shared/a': '6' });
      await store.execute({ kind: 'remove-account', account: bob });
      expect(await seen(store, null, bob)).toEqual({});
      expect(await seen(store, inbox, bob)).toEqual({ '/shared/a': '6' });
    });

    it('bounds them, and then changes nothing', async () => {
      const { store } = given;
      const alice = await account(store);
      const { id: inbox } = await mailboxOf(store, alice);
      const many = Object.fromEntries(Array.from({ length: Limit.annotations }, (_, n) => [`/private/${n}`, 'x']));
      await set(store, inbox, alice, many);
      await expect(set(store, inbox, alice, { '/private/0': 'y', '/private/more': 'y' })).rejects.toMatchObject({
        kind: 'quota',
      });
      expect(await seen(store, inbox, alice)).toEqual(many);
      await set(store, inbox, alice, { '/shared/more': 'y', '/private/0': 'y' });
      await set(store, inbox, alice, { '/private/1': null, '/private/more': 'y' });
    });

    it('tells who follows, and moves a special use', async () => {
      const { store } = given;
      const alice = await account(store);
      const { id: sent } = await mailboxOf(store, alice, 'Sent');
      const { id: inbox } = await mailboxOf(store, alice);
      const changes = recorded(store, { kind: 'annotated' });
      await store.execute({
        kind: 'annotate',
        mailbox: inbox,
        account: alice,
        entries: [{ entry: '/shared/a', shared: true, value: note('x') }],
        specialUse: 'Sent',
        origin: 'me',
      });
      expect(changes).toMatchObject([
        { mailbox: sent, name: 'Sent', entries: [], specialUse: true, origin: null },
        { mailbox: inbox, name: 'INBOX', entries: [{ entry: '/shared/a', shared: true }], origin: 'me' },
      ]);
      expect((await store.read.mailbox(sent))?.specialUse).toBe(null);
      expect((await store.read.mailbox(inbox))?.specialUse).toBe('Sent');
    });

    it('raises the highest MODSEQ of the mailbox', async () => {
      const { store } = given;
      const alice = await account(store);
      const { id: inbox } = await mailboxOf(store, alice);
      const highest = async () => (await store.read.mailbox(inbox))?.highestModSeq ?? 0;
      const changes = recorded(store, { mailbox: inbox });
      const before = await highest();
      await set(store, inbox, alice, { '/shared/a': '1' });
      expect(await highest()).toBeGreaterThan(before);
      expect(changes).toMatchObject([{ kind: 'annotated', modSeq: await highest() }]);
      expect((await store.read.uids(inbox)).mailbox.highestModSeq).toBe(await highest());
      await set(store, null, alice, { '/private/a': '1' });
      expect(changes).toHaveLength(1);
    });
  });
}
