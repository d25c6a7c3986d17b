// Messages: flags, MODSEQ, copies, moves, expunges, quota.

import { describe, expect, it } from 'vitest';
import { Flag, type Uid } from '../../../src/store/rows.ts';
import { account, deliver, flag, letter, mailboxOf, octets, stage } from '../mail.ts';
import { eachStore, type Harness, recorded } from './harness.ts';

const uid = (number: number) => number as Uid;
const uids = (...numbers: number[]) => numbers.map(uid);

export function messageCases(harness: Harness): void {
  describe('messages', () => {
    const given = eachStore(harness);

    async function filled(messages: number) {
      const { store } = given;
      const alice = await account(store);
      for (let at = 1; at <= messages; at++) await deliver(store, alice, letter(`${at}`));
      return { store, alice, inbox: (await mailboxOf(store, alice)).id };
    }

    it('knows the size of a message as whole lines, also of its copies, and of a whole maildrop', async () => {
      const { store, alice, inbox } = await filled(1);
      const prefix = octets('Return-Path: <>\r\n');
      await deliver(store, alice, octets('Subject: x\n\n.\r\nno end'), { prefix });
      const { rows } = await store.read.messages(inbox, uids(1, 2));
      const lines = 'Return-Path: <>\r\nSubject: x\r\n\r\n.\r\nno end\r\n'.length;
      expect(rows.map(({ size, lineSize }) => lineSize - size)).toEqual([0, 4]);
      expect(rows[1]?.lineSize).toBe(lines);
      await store.execute({ kind: 'copy', from: inbox, uids: uids(2), to: inbox, now: 9, view: null });
      const octetsOf = async () => (await store.read.maildrop(inbox)).lineOctets;
      expect(await octetsOf()).toBe((rows[0]?.size ?? 0) + 2 * lines);
      await store.execute({ kind: 'expunge', mailbox: inbox, uids: uids(2), force: true, view: null });
      expect(await octetsOf()).toBe((rows[0]?.size ?? 0) + lines);
    });

    it('replaces a message by another, both or neither', async () => {
      const { store, alice, inbox } = await filled(2);
      const drafts = (await mailboxOf(store, alice, 'Drafts')).id;
      const changes = recorded(store, { account: alice });
      const replace = async (old: number) => {
        const content = letter('new');
        const facts = { headerSize: 0, messageId: null, references: [] };
        const label = { flags: 0, keywords: [], internalDate: 0, internalZone: 0 };
        const messages = [{ ...label, body: await stage(store, content), facts }];
        const replaces = { mailbox: inbox, uid: uid(old) };
        return await store.execute({ kind: 'append', mailbox: drafts, now: 9, messages, replaces, view: null });
      };
      expect((await replace(1)).uids).toEqual([1]);
      expect(changes.map(({ kind }) => kind)).toEqual(['added', 'expunged']);
      expect(new Set(changes.map(({ commit }) => commit)).size).toBe(1);
      await expect(replace(1)).rejects.toMatchObject({ kind: 'missing' });
      await expect(replace(9)).rejects.toMatchObject({ kind: 'missing' });
      expect(await store.read.mailbox(inbox)).toMatchObject({ messages: 1 });
      expect(await store.read.mailbox(drafts)).toMatchObject({ messages: 1, uidNext: 2 });
    });

    it('changes flags, counts them, and tells what stands afterwards', async () => {
      const { store, inbox } = await filled(3);
      const changes = recorded(store, { mailbox: inbox });
      const first = await flag(store, inbox, uids(1, 3, 9), Flag.Seen | Flag.Deleted, ['Urgent']);
      expect([...first.uids]).toEqual([1, 3]);
      expect([...first.flags]).toEqual([9, 9]);
      expect(first.keywords).toEqual([['Urgent'], ['Urgent']]);
      expect(await store.read.mailbox(inbox)).toMatchObject({ unseen: 1, deleted: 2, keywords: ['Urgent'] });
      // Again: nothing changes, and nothing is told.
      const again = await flag(store, inbox, uids(1, 3), Flag.Seen, ['URGENT']);
      expect([...again.flags]).toEqual([9, 9]);
      expect(changes).toHaveLength(1);
      const removed = await store.execute({
        kind: 'flags',
        mailbox: inbox,
        uids: uids(3, 2, 1),
        mode: 'remove',
        flags: Flag.Deleted,
        keywords: ['urgent'],
        unchangedSince: null,
        view: null,
      });
      expect([...removed.uids]).toEqual([3, 2, 1]);
      expect([...removed.flags]).toEqual([1, 0, 1]);
      expect(changes.at(-1)).toMatchObject({ kind: 'flags', uids: Uint32Array.of(3, 1), keywords: null });
      const replaced = await store.execute({
        kind: 'flags',
        mailbox: inbox,
        uids: uids(1),
        mode: 'replace',
        flags: Flag.Answered,
        keywords: ['a', 'b', 'A'],
        unchangedSince: null,
        view: null,
      });
      expect([replaced.flags[0], replaced.keywords]).toEqual([Flag.Answered, [['a', 'b']]]);
      expect((await store.read.messages(inbox, uids(1))).rows[0]).toMatchObject({ flags: 2, keywords: ['a', 'b'] });
    });

    // RFC 3501 §7.4.1
    it('changes what is gone for a view that has not been told, unless it asks for what is unchanged', async () => {
      const { store, inbox } = await filled(2);
      const { view } = store.views.open(inbox);
      await store.execute({ kind: 'expunge', mailbox: inbox, uids: uids(1), force: true, view: null });
      const change = { kind: 'flags', mailbox: inbox, uids: uids(1), mode: 'add', keywords: [], view } as const;
      const before = await store.read.mailbox(inbox);
      const after = await store.execute({ ...change, flags: Flag.Seen | Flag.Deleted, unchangedSince: null });
      expect([[...after.uids], after.flags[0]]).toEqual([[1], Flag.Seen | Flag.Deleted]);
      expect((await store.read.messages(inbox, uids(1))).rows[0]).toMatchObject({
        flags: after.flags[0],
        expunged: true,
      });
      const { messages, unseen, highestModSeq } = (await store.read.mailbox(inbox)) ?? {};
      expect({ messages, unseen }).toEqual({ messages: 1, unseen: before?.unseen });
      expect(highestModSeq).toBe(after.modSeq);
      const conditional = await store.execute({ ...change, flags: Flag.Flagged, unchangedSince: after.modSeq });
      expect([conditional.uids.length, conditional.modified.length]).toEqual([0, 0]);
    });

    // RFC 7162 §3.1.3
    it('changes many side by side, and none between them that was not named, had the flag, or is gone', async () => {
      const { store, inbox } = await filled(9);
      await flag(store, inbox, uids(2), Flag.Flagged);
      await flag(store, inbox, uids(3, 8), Flag.Seen, ['mine']);
      store.views.open(inbox);
      await store.execute({ kind: 'expunge', mailbox: inbox, uids: uids(5), force: true, view: null });
      const after = await flag(store, inbox, uids(1, 2, 3, 4, 5, 6, 8, 9), Flag.Flagged);
      expect([...after.uids]).toEqual([1, 2, 3, 4, 6, 8, 9]);
      const { rows } = await store.read.messages(inbox, uids(1, 2, 3, 4, 5, 6, 7, 8, 9));
      expect(rows.map(({ flags }) => flags)).toEqual([4, 4, 5, 4, 0, 4, 0, 5, 4]);
      expect(rows.map(({ modSeq }) => modSeq === after.modSeq)).toEqual([
        true,
        false,
        true,
        true,
        false,
        true,
        false,
        true,
        true,
      ]);
      expect(rows.map(({ keywords }) => keywords.length)).toEqual([0, 0, 1, 0, 0, 0, 0, 1, 0]);
      const less = { mailbox: inbox, uids: uids(3, 4, 6), flags: Flag.Flagged, keywords: [], unchangedSince: null };
      await store.execute({ ...less, kind: 'flags', mode: 'remove', view: null });
      await store.execute({ ...less, kind: 'flags', mode: 'replace', uids: uids(1, 2), flags: Flag.Draft, view: null });
      const again = await store.read.messages(inbox, uids(1, 2, 3, 4, 5, 6, 7, 8, 9));
      expect(again.rows.map(({ flags }) => flags)).toEqual([16, 16, 1, 0, 0, 0, 0, 5, 4]);
    });

    it('leaves messages that were changed since', async () => {
      const { store, inbox } = await filled(2);
      const before = await store.read.messages(inbox, uids(1, 2));
      const since = before.rows[1]?.modSeq ?? (0 as never);
      await flag(store, inbox, uids(2), Flag.Seen);
      const result = await store.execute({
        kind: 'flags',
        mailbox: inbox,
        uids: uids(1, 2),
        mode: 'add',
        flags: Flag.Flagged,
        keywords: [],
        unchangedSince: since,
        view: null,
      });
      expect([[...result.uids], [...result.modified]]).toEqual([[1], [2]]);
    });

    it('refuses what is no keyword, and too many of them', async () => {
      const { store, inbox } = await filled(1);
      for (const bad of ['', 'a b', 'x'.repeat(129), 'a\nb']) {
        await expect(flag(store, inbox, uids(1), 0, [bad])).rejects.toMatchObject({ kind: 'refused' });
      }
      const many = Array.from({ length: 257 }, (_, at) => `k${at}`);
      await expect(flag(store, inbox, uids(1), 0, many)).rejects.toMatchObject({ kind: 'limit' });
    });

    it('expunges what is marked, and logs it', async () => {
      const { store, inbox } = await filled(5);
      const start = (await store.read.mailbox(inbox))?.highestModSeq ?? (0 as never);
      await flag(store, inbox, uids(1, 2, 4), Flag.Deleted);
      const changes = recorded(store, { mailbox: inbox });
      const some = await store.execute({ kind: 'expunge', mailbox: inbox, uids: uids(2, 3), force: false, view: null });
      expect([...some.uids]).toEqual([2]);
      const rest = await store.execute({ kind: 'expunge', mailbox: inbox, uids: null, force: false, view: null });
      expect([...rest.uids]).toEqual([1, 4]);
      expect(changes).toMatchObject([
        { kind: 'expunged', uids: Uint32Array.of(2) },
        { kind: 'expunged', uids: Uint32Array.of(1, 4) },
      ]);
      expect([...(await store.read.uids(inbox)).uids]).toEqual([3, 5]);
      expect(await store.read.mailbox(inbox)).toMatchObject({ messages: 2, deleted: 0, unseen: 2 });
      expect((await store.read.vanishedSince(inbox, start)).runs.toSorted((a, b) => a.first - b.first)).toEqual([
        { first: 1, last: 1 },
        { first: 2, last: 2 },
        { first: 4, last: 4 },
      ]);
      expect((await store.read.vanishedSince(inbox, some.modSeq)).runs.map(({ first }) => first)).toEqual([1, 4]);
      const all = await store.execute({ kind: 'expunge', mailbox: inbox, uids: null, force: true, view: null });
      expect([...all.uids]).toEqual([3, 5]);
    });

    it('copies with a shared body and the same e-mail id, and moves', async () => {
      const { store, alice, inbox } = await filled(3);
      await flag(store, inbox, uids(1), Flag.Flagged, ['Kept']);
      const archive = (await mailboxOf(store, alice, 'Archive')).id;
      const copied = await store.execute({
        kind: 'copy',
        from: inbox,
        uids: uids(1, 3, 8),
        to: archive,
        now: 9,
        view: null,
      });
      expect([[...copied.from], [...copied.to]]).toEqual([
        [1, 3],
        [1, 2],
      ]);
      const [original] = (await store.read.messages(inbox, uids(1))).rows;
      const [copy] = (await store.read.messages(archive, uids(1))).rows;
      const { body, emailId, threadId, internalDate, flags, keywords } = original ?? {};
      expect(copy).toMatchObject({ body, emailId, threadId, internalDate, flags, keywords, saveDate: 9 });
      const moved = await store.execute({
        kind: 'move',
        from: inbox,
        uids: uids(2, 3),
        to: archive,
        now: 9,
        view: null,
      });
      expect([...moved.to]).toEqual([3, 4]);
      expect([...(await store.read.uids(inbox)).uids]).toEqual([1]);
      expect(await store.read.mailbox(archive)).toMatchObject({ messages: 4, unseen: 4 });
      await expect(
        store.execute({ kind: 'copy', from: inbox, uids: uids(1), to: 99 as never, now: 9, view: null }),
      ).rejects.toMatchObject({ kind: 'missing' });
    });

    it('copies many side by side as it copies each, to elsewhere and beside themselves', async () => {
      const { store, alice, inbox } = await filled(8);
      await flag(store, inbox, uids(2, 3, 6), Flag.Seen | Flag.Flagged, []);
      await flag(store, inbox, uids(3), 0, ['Kept']);
      await flag(store, inbox, uids(4), Flag.Deleted, []);
      await store.execute({ kind: 'expunge', mailbox: inbox, uids: null, force: false, view: null });
      const archive = (await mailboxOf(store, alice, 'Archive')).id;
      const keep = { flags: Flag.Flagged, keywords: false };
      for (const [to, kept] of [
        [archive, undefined],
        [inbox, undefined],
        [archive, keep],
      ] as const) {
        const { from, to: copies } = await store.execute({
          kind: 'copy',
          from: inbox,
          uids: uids(1, 2, 3, 4, 5, 6, 7, 8),
          to,
          now: 9,
          view: null,
          ...(kept && { keep: kept }),
        });
        expect([...from]).toEqual([1, 2, 3, 5, 6, 7, 8]);
        const first = copies[0] ?? 0;
        expect([...copies]).toEqual([0, 1, 2, 3, 4, 5, 6].map((more) => first + more));
        const originals = (await store.read.messages(inbox, uids(...from))).rows;
        const found = (await store.read.messages(to, uids(...copies))).rows;
        expect(found).toEqual(
          originals.map((row, at) => ({
            ...row,
            uid: first + at,
            saveDate: 9,
            modSeq: found[0]?.modSeq,
            ...(kept && { flags: row.flags & kept.flags, keywords: [] }),
          })),
        );
      }
      expect(await store.read.mailbox(archive)).toMatchObject({ messages: 14, unseen: 4 + 7 });
      expect(await store.read.mailbox(inbox)).toMatchObject({ messages: 14, unseen: 8 });
    });

    it('appends several messages, all or none', async () => {
      const { store, alice } = await filled(0);
      const drafts = (await mailboxOf(store, alice, 'Drafts')).id;
      const facts = { headerSize: 2, messageId: null, references: [] };
      const appended = async (flags: number, keywords: string[]) => {
        const body = await stage(store, letter('draft'));
        return { body, facts, flags, keywords, internalDate: 5_000, internalZone: -90 };
      };
      const bad = [await appended(0, []), await appended(0, ['no keyword'])];
      await expect(
        store.execute({ kind: 'append', mailbox: drafts, now: 1, messages: bad, view: null }),
      ).rejects.toMatchObject({ kind: 'refused' });
      const good = [await appended(Flag.Draft, []), await appended(Flag.Seen, ['x'])];
      const result = await store.execute({ kind: 'append', mailbox: drafts, now: 1, messages: good, view: null });
      expect(result.uids).toEqual([1, 2]);
      expect((await store.read.messages(drafts, uids(1, 2))).rows).toMatchObject([
        { flags: Flag.Draft, internalDate: 5_000, internalZone: -90 },
        { flags: Flag.Seen, keywords: ['x'] },
      ]);
    });

    // RFC 8474 §5.2
    it('joins threads by Message-ID, In-Reply-To and References', async () => {
      const { store, alice, inbox } = await filled(0);
      const send = async (header: string) => {
        const { uid: placed } = await deliver(store, alice, letter('x', header));
        return (await store.read.messages(inbox, [placed])).rows[0]?.threadId;
      };
      const root = await send('Message-ID: <1@x>\r\n');
      const answer = await send('Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n');
      const deep = await send('Message-ID: <4@x>\r\nReferences: <1@x> <2@x> <3@x>\r\n');
      const late = await send('Message-ID: <3@x>\r\n');
      const other = await send('Message-ID: <5@x>\r\n');
      const orphan = await send('Message-ID: <7@x>\r\nReferences: <6@x>\r\n');
      const sibling = await send('Message-ID: <8@x>\r\nReferences: <6@x>\r\n');
      expect([answer, deep, late]).toEqual([root, root, root]);
      expect(new Set([root, other, orphan]).size).toBe(3);
      expect(sibling).toBe(orphan);
    });

    it('pages what changed, by MODSEQ', async () => {
      const { store, inbox } = await filled(3);
      const start = (await store.read.mailbox(inbox))?.highestModSeq ?? (0 as never);
      await flag(store, inbox, uids(3), Flag.Seen);
      await flag(store, inbox, uids(1), Flag.Seen);
      const page = await store.read.changedSince(inbox, start);
      expect(page.rows.map((row) => row.uid)).toEqual([3, 1]);
      expect(page.rows[1]?.modSeq).toBe((await store.read.mailbox(inbox))?.highestModSeq);
      expect((await store.read.opening(inbox)).firstUnseen).toBe(2);
    });

    it('gives each arrival a MODSEQ above all before it', async () => {
      const { store, alice, inbox } = await filled(1);
      const start = (await store.read.mailbox(inbox))?.highestModSeq ?? (0 as never);
      for (const name of ['2', '3']) await deliver(store, alice, letter(name));
      const { rows } = await store.read.changedSince(inbox, start);
      expect(rows.map((row) => row.uid)).toEqual([2, 3]);
      expect(new Set([start, ...rows.map((row) => row.modSeq)]).size).toBe(3);
    });

    it('pages what one command changed, and never gives more than a page', async () => {
      const { store, alice, inbox } = await filled(2);
      const archive = (await mailboxOf(store, alice, 'Archive')).id;
      for (let at = 0; at < 260; at++) {
        await store.execute({ kind: 'copy', from: inbox, uids: uids(1, 2), to: archive, now: 1, view: null });
      }
      const all = (await store.read.uids(archive)).uids;
      expect((await store.read.messages(archive, all)).rows).toHaveLength(500);
      const start = (await store.read.mailbox(archive))?.highestModSeq ?? (0 as never);
      await flag(store, archive, Array.from(all, uid), Flag.Seen);
      const first = await store.read.changedSince(archive, start);
      const last = first.rows.at(-1);
      expect([first.rows.length, last?.uid]).toEqual([500, 500]);
      const rest = await store.read.changedSince(archive, last?.modSeq ?? start, last?.uid);
      expect(rest.rows.map((row) => row.uid)).toEqual(Array.from({ length: 20 }, (_, at) => 501 + at));
      const end = rest.rows.at(-1);
      expect((await store.read.changedSince(archive, end?.modSeq ?? start, end?.uid)).rows).toEqual([]);
      expect((await store.read.changedSince(archive, end?.modSeq ?? start)).rows).toEqual([]);
    });

    it('finds messages by their flags', async () => {
      const { store, inbox } = await filled(5);
      await flag(store, inbox, uids(1, 2, 4), Flag.Seen);
      await flag(store, inbox, uids(2, 3), Flag.Flagged);
      await store.execute({ kind: 'expunge', mailbox: inbox, uids: uids(4), force: true, view: null });
      const having = async (set: number, clear: number) => [...(await store.read.uidsWith(inbox, set, clear)).uids];
      expect(await having(0, 0)).toEqual([1, 2, 3, 5]);
      expect(await having(Flag.Seen, 0)).toEqual([1, 2]);
      expect(await having(0, Flag.Seen)).toEqual([3, 5]);
      expect(await having(Flag.Flagged, Flag.Seen)).toEqual([3]);
      expect(await having(Flag.Seen | Flag.Flagged, 0)).toEqual([2]);
      expect(await having(Flag.Seen, Flag.Seen)).toEqual([]);
      await expect(store.read.uidsWith(99 as never, 0, 0)).rejects.toMatchObject({ kind: 'missing' });
    });

    it('reads rows of UIDs near and far', async () => {
      const { store, inbox } = await filled(12);
      await store.execute({ kind: 'expunge', mailbox: inbox, uids: uids(5), force: true, view: null });
      const near = await store.read.messages(inbox, uids(4, 6, 7));
      expect(near.rows.map((row) => row.uid)).toEqual([4, 6, 7]);
      const far = await store.read.messages(inbox, Uint32Array.of(1, 12, 40));
      expect(far.rows.map((row) => row.uid)).toEqual([1, 12]);
      expect((await store.read.messages(inbox, [])).rows).toEqual([]);
    });
  });
}
