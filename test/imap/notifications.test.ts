// NOTIFY beyond what a conversation shows: how much may wait to be told.

import { expect, test } from 'vitest';
import { NOTHING } from '../../src/imap/grammar/notify-request.ts';
import { LIMIT } from '../../src/imap/limits.ts';
import { Notifications } from '../../src/imap/notifications.ts';
import { Turn } from '../../src/platform/turn.ts';
import { openGate } from './gate.ts';

test('RFC 5465 §5.8: what is too much is not told, and not kept', async () => {
  await using gate = await openGate();
  const { alice, store } = gate;
  const enabled = { condstore: false, qresync: false, uidOnly: false, metadata: false, utf8: false, rev2: false };
  const turn = new Turn(LIMIT.turn);
  const user = { id: 'me', turn, store, account: alice, address: 'alice@example.test', enabled };
  const events = new Set(['SubscriptionChange'] as const);
  const request = { ...NOTHING, groups: [{ filter: { kind: 'personal' } as const, events }] };
  let news = 0;
  const notifications = await Notifications.open(
    user,
    request,
    () => news++,
    () => null,
  );
  const subscribe = (n: number) =>
    store.execute({ kind: 'subscribe', account: alice, name: `box ${n}`, subscribed: true });
  await Promise.all(Array.from({ length: LIMIT.notifications }, (_, n) => subscribe(n)));
  expect((await notifications.take(null))?.length).toBe(LIMIT.notifications);
  expect(await notifications.take(null)).toEqual([]);
  await Promise.all(Array.from({ length: LIMIT.notifications + 1 }, (_, n) => subscribe(LIMIT.notifications + n)));
  expect(await notifications.take(null)).toBe(null);
  notifications.close();
  const before = news;
  await subscribe(2 * LIMIT.notifications + 1);
  expect(news).toBe(before);
});

test('RFC 5465 §5.9: what happens in mailboxes of others that are not shared is neither told nor kept', async () => {
  await using gate = await openGate();
  const { alice, store } = gate;
  const bob = await store.read.accountNamed('bob@example.test');
  if (!bob) throw new Error('there is no bob');
  const [shared, ...secret] = await store.read.mailboxes(alice);
  if (!shared) throw new Error('alice has no mailboxes');
  const rights = { identifier: bob.address, rights: 'lr', mode: 'replace', unset: '' } as const;
  await store.execute({ kind: 'set-rights', mailbox: shared.id, ...rights });
  const enabled = { condstore: false, qresync: false, uidOnly: false, metadata: false, utf8: false, rev2: false };
  const user = {
    id: 'me',
    view: null,
    turn: new Turn(LIMIT.turn),
    store,
    account: bob.id,
    address: bob.address,
    enabled,
  };
  const events = new Set(['MessageNew', 'MessageExpunge'] as const);
  const filter = { kind: 'subtree', names: new Set(['Other Users']) } as const;
  let news = 0;
  const notifications = await Notifications.open(
    user,
    { ...NOTHING, groups: [{ filter, events }] },
    () => news++,
    () => null,
  );
  for (const { name } of secret) await gate.fill(name, ['x']);
  expect(news).toBe(0);
  expect(await notifications.take(null)).toEqual([]);
  await gate.fill(shared.name, ['x']);
  expect(news).toBe(1);
  expect((await notifications.take(null))?.length).toBe(1);
  notifications.close();
});
