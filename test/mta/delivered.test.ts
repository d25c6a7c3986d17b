// The agents over the real store: what is read back by account, and the report that is there with its message.

import { describe, expect, it } from 'vitest';
import { openDirectory } from '../../src/directory/open.ts';
import { createMsa } from '../../src/msa/submit.ts';
import { createMta } from '../../src/mta/receive.ts';
import type { AccountId } from '../../src/store/rows.ts';
import { FakeClock } from '../fake-clock.ts';
import { recordingLog } from '../recording-log.ts';
import { storeFolder } from '../store/open-folder.ts';
import { lines, NOW, ROOM, smtpSession, transact } from './smtp-session.ts';

async function world() {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await storeFolder());
  const store = await folder.open();
  const ids: Record<string, AccountId> = {};
  for (const name of ['alice', 'bob']) {
    const { account } = await store.execute<'put-account'>({
      kind: 'put-account',
      address: `${name}@example.test`,
      aliases: name === 'alice' ? ['postmaster@example.test'] : [],
      quota: null,
      password: null,
      seeded: false,
      existing: 'fail',
    });
    ids[name] = account;
  }
  const clock = new FakeClock(NOW);
  const log: Record<string, unknown>[] = [];
  const options = {
    store,
    hostname: 'mail.example.test',
    limits: { messageSize: 5_000_000, headerSize: 20_000 },
    queue: { expire: 1_000_000, warn: 1_000 },
    room: ROOM,
    showClient: true,
    routed: new Set<string>(),
    dkim: null,
    submissionPorts: { implicit: 465, starttls: 587 },
    test: { catchAll: false, anyPassword: false },
    clock,
    log: recordingLog(log),
  };
  const directory = stack.use(await openDirectory({ ...options, domains: ['example.test'] }));
  const agent = { ...options, directory };
  const session = smtpSession({
    identity: { accountId: Number(ids.alice), address: 'alice@example.test', mechanism: 'PLAIN' },
  });
  /** The messages of an account's INBOX as octets. */
  const inbox = async (name: string) => {
    const id = ids[name];
    const mailbox = id === undefined ? undefined : await store.read.mailboxByName(id, 'INBOX');
    if (mailbox === undefined) throw new Error(`${name} has no INBOX`);
    const { uids } = await store.read.uids(mailbox.id);
    const { rows } = await store.read.messages(mailbox.id, uids);
    const texts: string[] = [];
    for (const { body, prefix, size } of rows) {
      const parts = [prefix];
      for (let at = 0; at < size - prefix.length; at += parts.at(-1)?.length ?? 0) {
        parts.push(await store.read.body(body, at, 1_048_576));
      }
      const text = Buffer.concat(parts).toString('latin1');
      expect(text).toHaveLength(size);
      texts.push(text);
    }
    return texts;
  };
  const disposal = stack.move();
  return {
    store,
    log,
    inbox,
    session,
    mta: createMta(agent),
    msa: createMsa(agent),
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}

const HELLO = lines('From: alice@example.test', 'Subject: hello', '', 'Good morning');

describe('what 250 means', () => {
  it.each([10, 300_000, 4_000_000])(
    'a message with %i octets of body is in the mailbox, octet by octet',
    async (size) => {
      await using here = await world();
      const content = `${HELLO}${'0123456789abcde\n'.repeat(Math.ceil(size / 16))}`;
      expect((await transact(here.mta, { from: 'eve@remote.test', to: ['bob@example.test'], content })).reply).toBe(
        '250',
      );
      const [message, ...others] = await here.inbox('bob');
      expect(others).toEqual([]);
      expect(message?.endsWith(content)).toBe(true);
      expect(message?.slice(0, -content.length)).toMatch(
        /^Return-Path: <eve@remote\.test>\r\nDelivered-To: bob@example\.test\r\nReceived: /,
      );
    },
  );

  it('remote recipients are in the queue by the same 250', async () => {
    await using here = await world();
    const to = ['bob@example.test', 'eve@remote.test'];
    await transact(here.msa, { from: 'alice@example.test', to, content: HELLO, session: here.session });
    expect(await here.inbox('bob')).toHaveLength(1);
    expect(await here.store.read.queue.size()).toBe(1);
  });
});

describe('NOTIFY=SUCCESS (RFC 3461 §5.2.3)', () => {
  const success = { notify: ['success'], orcpt: 'rfc822;Bob@x' } as const;

  it('brings a report to a local sender, with the header and no body', async () => {
    await using here = await world();
    const parameters = { envid: 'e-1', ret: 'FULL' } as const;
    const to = [['bob@example.test', success], 'alice@example.test'] as const;
    await transact(here.msa, { from: 'alice@example.test', to, content: HELLO, session: here.session, parameters });
    expect(await here.inbox('bob')).toHaveLength(1);
    const [copy, report] = await here.inbox('alice');
    expect(copy).toContain('Good morning');
    expect(report).toMatch(/^Return-Path: <>\r\n/);
    expect(report).toMatch(/^Action: delivered\r$/m);
    expect(report).toMatch(/^Final-Recipient: rfc822; bob@example\.test\r$/m);
    expect(report).toMatch(/^Original-Recipient: rfc822; Bob@x\r$/m);
    expect(report).toMatch(/^Original-Envelope-Id: e-1\r$/m);
    expect(report).toMatch(/^Subject: hello\r$/m);
    expect(report).not.toMatch(/Good morning|^Action: .*alice/m);
    expect(here.log.map(({ hop, message }) => [hop, message])).toEqual([
      ['MUA→MSA', 'abcdefghijkl-1'],
      ['MSA→MTA', 'abcdefghijkl-1'],
      ['MTA→MDA', 'abcdefghijkl-1'],
      ['MTA→MDA', 'abcdefghijkl-1'],
      ['MTA→MDA', 'abcdefghijkl-1.dsn'],
    ]);
  });

  it('brings one to a sender elsewhere through the queue', async () => {
    await using here = await world();
    await transact(here.mta, { from: 'eve@remote.test', to: [['bob@example.test', success]], content: HELLO });
    const [queued] = await here.store.read.queue.list({ limit: 10 });
    expect(queued?.transit.reversePath).toBeNull();
    expect(queued?.entry.recipient).toEqual({ localPart: 'eve', domain: 'remote.test' });
    expect(queued?.entry.warnAt).toBeNull();
  });

  it('tells of each name of a mailbox as it was asked for, also where the message is held', async () => {
    const to = [
      ['alice@example.test', { notify: 'never' }],
      ['postmaster@example.test', { notify: ['success'], orcpt: 'rfc822;pm@x' }],
      ['Postmaster@example.test', { notify: 'never' }],
      ['alice+list@example.test', { notify: ['success', 'delay'] }],
    ] as const;
    await using here = await world();
    await transact(here.mta, { from: 'bob@example.test', to, content: HELLO });
    expect(await here.inbox('alice')).toHaveLength(1);
    const [report = '', ...more] = await here.inbox('bob');
    expect(more).toEqual([]);
    expect(report.match(/^Final-Recipient: .*(?=\r$)/gm)).toEqual([
      'Final-Recipient: rfc822; postmaster@example.test',
      'Final-Recipient: rfc822; alice+list@example.test',
    ]);
    expect(report).toMatch(/^Original-Recipient: rfc822; pm@x\r$/m);

    const parameters = { holdUntil: NOW + 1_000 };
    await transact(here.msa, { from: 'alice@example.test', to, content: HELLO, session: here.session, parameters });
    const queued = await here.store.read.queue.list({ limit: 10 });
    expect(queued.map(({ entry }) => entry.parameters.notify)).toEqual(['never', ['success'], ['success', 'delay']]);
  });

  it('brings none to nobody', async () => {
    await using here = await world();
    const to = [['bob@example.test', success]] as const;
    for (const from of ['', 'nobody@example.test']) await transact(here.mta, { from, to, content: HELLO });
    for (const notify of ['never', ['failure'], undefined] as const) {
      const asked = [['bob@example.test', notify === undefined ? {} : { notify }]] as const;
      await transact(here.mta, { from: 'eve@remote.test', to: asked, content: HELLO });
    }
    expect(await here.inbox('bob')).toHaveLength(5);
    expect(await here.store.read.queue.size()).toBe(0);
  });
});
