// imapflow's whole API but for what it reads: connections, mailboxes, flags, copies, events. Each case in each manner.

import type { ImapFlow } from 'imapflow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PASSWORD } from '../process/program.ts';
import { cases, packaged } from './foreign.ts';
import { Flows, heard, letters, MANNERS } from './imapflow.ts';
import { flags, message, messages } from './mailbox.ts';

cases([await packaged('imapflow')], () => {
  let flows: Flows;
  beforeAll(async () => {
    const small = `[[account]]\naddress = "small@example.test"\npassword = "${PASSWORD}"\nquota = "1MB"`;
    flows = await Flows.start(small);
  });
  afterAll(() => flows[Symbol.asyncDispose]());

  describe.each(Object.entries(MANNERS).map(([name, manner], index) => ({ name, manner, user: index + 1 })))(
    '$name',
    ({ manner, user }) => {
      let flow: ImapFlow;
      /** Another connection of the same user. */
      let other: ImapFlow;
      beforeAll(async () => {
        flow = await flows.connect(manner, user);
        other = await flows.connect(manner, user);
      });
      const fresh = (...texts: readonly string[]): Promise<string> => flows.fresh(flow, ...texts);
      const listed = async (path: string) => (await flow.list()).find((each) => each.path === path);
      const subjects = async (): Promise<(string | undefined)[]> =>
        (await flow.fetchAll('1:*', { envelope: true })).map(({ envelope }) => envelope?.subject);

      test('a connection: what it enables, whom it speaks to, what is its own', async () => {
        expect([...flow.enabled].sort()).toEqual(manner.enabled);
        expect(flow.secureConnection).toBe(true);
        expect(flow.authenticated).toBe(true);
        expect(flow.serverInfo).toMatchObject({ name: 'Postern' });
        expect(flow.namespaces?.personal).toEqual([{ prefix: '', delimiter: '/' }]);
        await flow.noop();
      });

      test('compression', async () => {
        const bound = flows.make(manner, user);
        await bound.connect();
        const { readSocket, socket } = bound.unbind();
        expect(Object.is(readSocket, socket)).toBe(manner.compressed === false);
        socket.destroy();
      });

      test('verifyOnly: logs in, lists and leaves', async () => {
        const options = { ...manner.options, verifyOnly: true, includeMailboxes: true };
        const verifying = flows.make({ ...manner, options }, user);
        await verifying.connect();
        expect(verifying.mailboxList?.map(({ path }) => path)).toContain('INBOX');
      });

      test('a wrong password', async () => {
        const wrong = flows.make(manner, user, 'wrong');
        await expect(wrong.connect()).rejects.toMatchObject({ authenticationFailed: true });
      });

      test('mailboxes: made, listed, renamed, subscribed to, deleted', async () => {
        const made = await flow.mailboxCreate(['Projekte', 'Größe & Maß']);
        expect(made).toMatchObject({ path: 'Projekte/Größe & Maß', created: true });
        expect(await flow.mailboxCreate(made.path)).toMatchObject({ created: false });
        expect(await listed(made.path)).toMatchObject({ name: 'Größe & Maß', parentPath: 'Projekte', delimiter: '/' });
        expect((await listed('Projekte'))?.flags).toContain('\\HasChildren');

        expect(await flow.mailboxRename(made.path, 'Weiß')).toEqual({ path: made.path, newPath: 'Weiß' });
        expect(await listed(made.path)).toBeUndefined();
        expect(await flow.mailboxOpen('Weiß')).toMatchObject({ path: 'Weiß', mailboxId: made.mailboxId });

        expect(await flow.mailboxSubscribe('Weiß')).toBe(true);
        expect(await listed('Weiß')).toMatchObject({ subscribed: true });
        expect(await flow.mailboxUnsubscribe('Weiß')).toBe(true);
        expect((await listed('Weiß'))?.subscribed ?? false).toBe(false);

        expect(await flow.mailboxDelete('Weiß')).toEqual({ path: 'Weiß' });
        await expect(flow.mailboxOpen('Weiß')).rejects.toMatchObject({ mailboxMissing: true });
      });

      test('what mailboxes are for, and their tree', async () => {
        for (const use of ['Sent', 'Drafts', 'Trash', 'Junk', 'Archive']) {
          expect(await listed(use)).toMatchObject({ specialUse: `\\${use}`, specialUseSource: 'extension' });
        }
        const path = await fresh();
        const { folders = [] } = await flow.listTree();
        const within = folders.find((each) => each.path === 'Cases')?.folders;
        expect(within?.map((each) => each.path)).toContain(path);
      });

      test('STATUS of one, and of all in a list', async () => {
        const path = await fresh(...letters('one', 'two', 'three'));
        await flow.messageFlagsAdd('1', ['\\Seen', '\\Deleted']);
        const query = {
          messages: true,
          uidNext: true,
          uidValidity: true,
          unseen: true,
          highestModseq: true,
          size: true,
        };
        const octets = letters('one', 'two', 'three').join('').length;
        const expected = { path, messages: 3, uidNext: 4, unseen: 2, size: octets };
        const found = await flow.status(path, query);
        expect(found).toMatchObject(expected);
        expect(found && [typeof found.uidValidity, typeof found.highestModseq]).toEqual(['bigint', 'bigint']);
        const all = await flow.list({ statusQuery: query });
        expect(all.find((each) => each.path === path)?.status).toMatchObject(expected);
        const deleted = await flow.status(path, { deleted: true });
        expect(deleted).toMatchObject(manner.enabled.includes('IMAP4REV2') ? { path, deleted: 1 } : { path });
        await expect(flow.status('Nowhere', query)).rejects.toMatchObject({ code: 'NotFound' });
      });

      test('open to read only, and closed', async () => {
        const path = await fresh(...letters('one'));
        expect(await flow.mailboxOpen(path, { readOnly: true })).toMatchObject({
          readOnly: true,
          exists: 1,
          uidNext: 2,
        });
        await flow.messageFlagsAdd('1', ['\\Flagged']);
        expect(await flow.mailboxClose()).toBe(true);
        expect(await flow.mailboxOpen(path)).toMatchObject({ readOnly: false });
        expect([...((await flow.fetchAll('1', { flags: true }))[0]?.flags ?? [])]).not.toContain('\\Flagged');
      });

      test('APPEND with flags and a date', async () => {
        const path = await fresh();
        const [letter = ''] = letters('Grüße');
        const date = new Date('2026-01-02T03:04:05Z');
        const appended = await flow.append(path, Buffer.from(letter), ['\\Seen', 'Later'], date);
        expect(appended).toMatchObject({ destination: path, uid: 1, seq: 1 });
        const [fetched] = await flow.fetchAll('1', { flags: true, internalDate: true, source: true });
        expect(fetched?.source?.toString()).toBe(letter);
        expect([...(fetched?.flags ?? [])].filter((flag) => flag !== '\\Recent').sort()).toEqual(['Later', '\\Seen']);
        expect(new Date(fetched?.internalDate ?? 0)).toEqual(date);
        await expect(flow.append('Nowhere', letter)).rejects.toMatchObject({ serverResponseCode: 'TRYCREATE' });
      });

      test('flags: added, removed, set, coloured, and only where nothing has changed', async () => {
        const path = await fresh(...letters('one', 'two', 'three'));
        const stored = async () =>
          (await flags(flows.server, user, path)).map((each) => each.filter((flag) => flag !== '\\Recent'));
        await flow.messageFlagsAdd('1:2', ['\\Seen', '$Work']);
        await flow.messageFlagsRemove({ keyword: '$Work', seq: '2' }, ['$Work']);
        await flow.messageFlagsSet([3], ['\\Draft'], { uid: true, silent: true });
        expect(await stored()).toEqual([['$Work', '\\Seen'], ['\\Seen'], ['\\Draft']]);
        await flow.setFlagColor('3', 'green');
        expect((await flow.fetchAll('3', { flags: true }))[0]).toMatchObject({ flagColor: 'green' });
        await flow.messageFlagsSet('1:3', []);
        expect(await stored()).toEqual([[], [], []]);

        const known = (await flow.fetchAll('1', { flags: true }))[0]?.modseq;
        expect(known === undefined).toBe(!manner.enabled.includes('CONDSTORE'));
        if (known === undefined) return;
        await other.mailboxOpen(path);
        await other.messageFlagsAdd('1', ['\\Answered']);
        await flow.messageFlagsAdd('1:2', ['\\Flagged'], { unchangedSince: known });
        expect((await stored())[0]).toEqual(['\\Answered']);
        const changed = await flow.fetchAll('1:*', { flags: true }, { changedSince: known });
        expect(changed.map(({ seq }) => seq)).toContain(1);
      });

      test('COPY and MOVE say what became of which UID; DELETE takes what it names and no other', async () => {
        const target = await fresh();
        const path = await fresh(...letters('one', 'two', 'three', 'four'));
        const copied = await flow.messageCopy('2:3', target);
        expect(copied).toMatchObject({
          path,
          destination: target,
          uidMap: new Map([
            [2, 1],
            [3, 2],
          ]),
        });
        const moved = await flow.messageMove({ subject: 'one' }, target);
        expect(moved).toMatchObject({ uidMap: new Map([[1, 3]]) });
        expect(await subjects()).toEqual(['two', 'three', 'four']);
        await flow.messageFlagsAdd('4', ['\\Deleted'], { uid: true });
        await flow.messageDelete('2', { uid: true });
        expect(await subjects()).toEqual(['three', 'four']);
        expect(await message(flows.server, user, 'one', target)).toBe(letters('one')[0]);
        await expect(flow.messageCopy('1', 'Nowhere')).resolves.toBe(false);
        expect(await messages(flows.server, user, 'two', path)).toEqual([]);
      });

      test('hears of what another does: exists, flags, expunge', async () => {
        const path = await fresh(...letters('one', 'two'));
        await other.mailboxOpen(path);
        const came = heard(flow, 'exists');
        const idle = flow.idle();
        await other.append(path, letters('three')[0] ?? '');
        expect(await came).toEqual({ path, count: 3, prevCount: 2 });
        const flagged = heard(flow, 'flags');
        await other.messageFlagsAdd('2', ['\\Flagged']);
        // RFC 9051 has no \Recent any more.
        const recent = manner.enabled.includes('IMAP4REV2') ? [] : ['\\Recent'];
        expect(await flagged).toMatchObject({ path, seq: 2, flags: new Set(['\\Flagged', ...recent]) });
        const gone = heard(flow, 'expunge');
        await other.messageDelete('1');
        const vanished = manner.enabled.includes('QRESYNC');
        expect(await gone).toMatchObject(vanished ? { path, uid: 1, vanished } : { path, seq: 1, vanished });
        await flow.noop();
        await idle;
        expect(flow.mailbox).toMatchObject({ exists: 2 });
      });

      if (manner.enabled.includes('QRESYNC')) {
        test('comes back: what has changed and what has vanished meanwhile (RFC 7162 §3.2.5)', async () => {
          const path = await fresh(...letters('one', 'two', 'three', 'four'));
          const known = await flow.mailboxOpen(path);
          await flow.mailboxClose();
          await other.mailboxOpen(path);
          await other.messageFlagsAdd('2', ['\\Flagged']);
          await other.messageDelete('3:4');
          const changes: unknown[] = [];
          const note = ({ uid }: { uid?: number | undefined }): void => void changes.push(uid);
          flow.on('flags', note);
          flow.on('expunge', note);
          const { highestModseq: changedSince = 0n, uidValidity } = known;
          await flow.mailboxOpen(path, { changedSince, uidValidity });
          flow.off('flags', note);
          flow.off('expunge', note);
          expect(changes.sort()).toEqual([2, 3, 4]);
        });
      }

      test('one after another holds the lock', async () => {
        const [one, two] = [await fresh(...letters('one')), await fresh(...letters('two', 'three'))];
        const lock = await flow.getMailboxLock(one);
        const waiting = flow.getMailboxLock(two, { readOnly: true });
        expect(await subjects()).toEqual(['one']);
        lock.release();
        const next = await waiting;
        expect(flow.mailbox).toMatchObject({ path: two, readOnly: true });
        expect(await subjects()).toEqual(['two', 'three']);
        next.release();
      });

      test('LOGOUT', async () => {
        const leaving = flows.make(manner, user);
        const closed = new Promise<void>((resolve) => leaving.once('close', resolve));
        await leaving.connect();
        await leaving.logout();
        await closed;
        expect(leaving.usable).toBe(false);
      });
    },
  );

  test('quota', async () => {
    const flow = await flows.connect({ options: {}, enabled: [] }, 'small@example.test');
    const [letter = ''] = letters('x'.repeat(2048));
    await flow.append('INBOX', letter);
    const storage = { limit: 1024 ** 2, usage: 5 * 1024 };
    expect(await flow.getQuota('INBOX')).toMatchObject({ path: 'INBOX', storage, message: { usage: 1 } });
    const large = letters('y'.repeat(900))[0] + 'z'.repeat(1_100_000);
    await expect(flow.append('INBOX', large)).rejects.toMatchObject({ serverResponseCode: 'OVERQUOTA' });
  });
});
