// The queue's tables: what is due, what is settled, an operator's hand.

import { describe, expect, it } from 'vitest';
import type { Settlement } from '../../../src/store/commands.ts';
import type { Attempt, EntryId } from '../../../src/store/rows.ts';
import type { QueueFilter, Store } from '../../../src/store/store.ts';
import { acceptance, account, delivery, dispatchTo, letter } from '../mail.ts';
import { eachStore, type Harness, recorded, until } from './harness.ts';

async function send(store: Store, ...recipients: `${string}@${string}`[]): Promise<readonly EntryId[]> {
  const { entries } = await store.execute(await acceptance(store, letter('x'), [], dispatchTo(...recipients)));
  return entries;
}

const attempt = (text: string): Attempt => ({
  at: 2_000,
  host: 'mx.remote.test',
  address: '192.0.2.1',
  tls: null,
  reply: { code: 451, status: '4.3.0', text },
  text,
});

const settlement = (entry: EntryId, tried: Attempt | null, then: Settlement['then']): Settlement => ({
  entry,
  attempt: tried,
  then,
});

const NONE = 0 as EntryId;

export function queueCases(harness: Harness): void {
  describe('queue', () => {
    const given = eachStore(harness);

    it('gives due entries by destination, with everything that was said', async () => {
      const { store } = given;
      const changes = recorded(store, { kind: 'queue' });
      const [first = NONE] = await send(store, 'a@remote.test', 'b@remote.test', 'c@other.test');
      expect(changes).toMatchObject([{ kind: 'queue', nextAt: 1_000, destinations: ['remote.test', 'other.test'] }]);
      expect(await store.read.queue.dueDestinations(999, 10)).toEqual([]);
      expect(await store.read.queue.dueDestinations(1_000, 10)).toEqual(['other.test', 'remote.test']);
      expect(await store.read.queue.dueDestinations(1_000, 1)).toEqual(['other.test']);
      const due = await store.read.queue.due('remote.test', 1_000, 10);
      expect(due.map(({ entry }) => entry.recipient.localPart)).toEqual(['a', 'b']);
      expect(due[0]?.transit).toEqual(due[1]?.transit);
      const others = await store.read.queue.due('remote.test', 1_000, 1, [first]);
      expect(others.map(({ entry }) => entry.recipient.localPart)).toEqual(['b']);
      expect(due[0]).toMatchObject({
        entry: {
          id: first,
          parameters: { notify: ['failure', 'delay'], orcpt: 'rfc822;a@remote.test' },
          attempts: 0,
          last: null,
          state: 'waiting',
          createdAt: 1_000,
        },
        transit: {
          reversePath: { localPart: 'alice', domain: 'example.test' },
          parameters: { body: '8BITMIME', ret: 'HDRS', envid: 'id 1' },
          origin: { role: 'submission', localPort: 587 },
        },
      });
      expect(await store.read.queue.nextAt()).toBe(1_000);
      expect(await store.read.queue.size()).toBe(3);
      const listed = await store.read.queue.list({ limit: 2, after: first });
      expect(listed.map(({ entry }) => entry.recipient.localPart)).toEqual(['b', 'c']);
      expect(await store.read.queue.list({ destination: 'other.test', limit: 9 })).toHaveLength(1);
    });

    it('knows what falls due behind what is due, and finds every destination behind a long one', async () => {
      const { store } = given;
      const recipients = Array.from({ length: 2_100 }, (_, at) => `n${at}@long.test` as const);
      const entries = await send(store, ...recipients, 'a@short.test', 'b@tiny.test');
      expect(await store.read.queue.dueDestinations(1_000, 1)).toEqual(['long.test']);
      const due = await store.read.queue.dueDestinations(1_000, 10);
      expect([...due].sort()).toEqual(['long.test', 'short.test', 'tiny.test']);
      expect(await store.read.queue.nextAt(1_000)).toBeNull();
      const later = entries.at(-1) ?? NONE;
      await store.execute({
        kind: 'settle',
        settlements: [settlement(later, null, { kind: 'retry', nextAt: 7_000, warnAt: null })],
        reports: [],
      });
      expect(await store.read.queue.nextAt()).toBe(1_000);
      expect(await store.read.queue.nextAt(1_000)).toBe(7_000);
      expect(await store.read.queue.nextAt(7_000)).toBeNull();
    });

    it('names as many due destinations as are asked for, also more than a page', async () => {
      const { store } = given;
      await send(store, ...Array.from({ length: 700 }, (_, at) => `a@d${at}.test` as const));
      expect(await store.read.queue.dueDestinations(1_000, 650)).toHaveLength(650);
      expect(await store.read.queue.dueDestinations(1_000, 9_000)).toHaveLength(700);
    });

    it('settles: later, done, failed with a report', async () => {
      const { store } = given;
      const alice = await account(store);
      const [a = NONE, b = NONE, c = NONE] = await send(store, 'a@remote.test', 'b@remote.test', 'c@remote.test');
      const transit = (await store.read.queue.entry(a))?.transit;
      const report = await acceptance(store, letter('report'), [delivery(alice)]);
      await store.execute({
        kind: 'settle',
        settlements: [
          settlement(a, attempt('later'), { kind: 'retry', nextAt: 9_000, warnAt: 60_000 }),
          settlement(b, attempt('no'), { kind: 'failed' }),
          settlement(c, null, { kind: 'done' }),
          settlement(999 as EntryId, null, { kind: 'done' }),
        ],
        reports: [report],
      });
      const kept = await store.read.queue.entry(a);
      expect(kept).toMatchObject({
        entry: { attempts: 1, nextAt: 9_000, warnAt: 60_000, last: { text: 'later' } },
        attempts: [{ text: 'later', host: 'mx.remote.test' }],
      });
      expect(await store.read.queue.entry(b)).toBeUndefined();
      expect(await store.read.queue.size()).toBe(1);
      expect(await store.read.account(alice)).toMatchObject({ usedMessages: 1 });
      // A warning that fell due is no attempt.
      await store.execute({
        kind: 'settle',
        settlements: [settlement(a, null, { kind: 'retry', nextAt: null, warnAt: null })],
        reports: [],
      });
      expect((await store.read.queue.entry(a))?.entry).toMatchObject({
        attempts: 1,
        nextAt: 9_000,
        warnAt: null,
        last: { text: 'later' },
      });
      await store.execute({
        kind: 'settle',
        settlements: [settlement(a, null, { kind: 'done' })],
        reports: [],
      });
      expect(await store.read.queue.transit(transit?.id ?? (0 as never))).toBeUndefined();
      expect(await store.read.queue.nextAt()).toBeNull();
      await until(async () => (await store.read.body(transit?.body ?? (0 as never), 0, 1)).length === 0);
    });

    it('remembers the last attempts only', async () => {
      const { store } = given;
      const [a = NONE] = await send(store, 'a@remote.test');
      const transcript = ['C: NOOP', 'S: 250 ok'];
      for (let at = 1; at <= 55; at++) {
        await store.execute({
          kind: 'settle',
          settlements: [
            settlement(a, { ...attempt(`${at}`), transcript }, { kind: 'retry', nextAt: at, warnAt: null }),
          ],
          reports: [],
        });
      }
      const attempts = (await store.read.queue.entry(a))?.attempts ?? [];
      expect(attempts).toHaveLength(50);
      expect([attempts[0]?.text, attempts[1]?.text, attempts.at(-1)?.text]).toEqual(['1', '7', '55']);
      const told = attempts.filter((each) => each.transcript !== undefined);
      expect(told.map(({ text }) => text)).toEqual(['1', '54', '55']);
      expect(told[0]?.transcript).toEqual(transcript);
      expect((await store.read.queue.entry(a))?.entry.last).toEqual(attempt('55'));
    });

    it('is controlled by an operator', async () => {
      const { store } = given;
      const [a = NONE, b = NONE] = await send(store, 'a@remote.test', 'b@remote.test');
      const control = (action: 'retry' | 'remove' | 'hold' | 'release', entries: readonly EntryId[]) =>
        store.execute({ kind: 'queue-control', entries, action, now: 500 });
      expect(await control('hold', [a, 99 as EntryId])).toEqual({ changed: 1 });
      expect((await store.read.queue.due('remote.test', 90_000, 9)).map(({ entry }) => entry.id)).toEqual([b]);
      await control('release', [a]);
      expect(await store.read.queue.due('remote.test', 1_000, 9)).toHaveLength(2);
      const changes = recorded(store, { kind: 'queue' });
      await control('retry', [b]);
      expect(changes).toMatchObject([{ nextAt: 500 }]);
      expect(await store.read.queue.due('remote.test', 500, 9)).toHaveLength(1);
      await control('remove', [a, b]);
      expect(await store.read.queue.size()).toBe(0);
    });

    it('is retried by an operator while a notice of its last try waits to be written', async () => {
      const { store } = given;
      const [a = NONE, b = NONE] = await send(store, 'a@remote.test', 'b@remote.test');
      const now = attempt('').at + 1;
      await store.execute({ kind: 'queue-control', entries: [a, b], action: 'retry', now });
      const changes = recorded(store, { kind: 'queue' });
      await store.execute({
        kind: 'settle',
        settlements: [
          settlement(a, attempt('later'), { kind: 'retry', nextAt: 9_000, warnAt: null }),
          settlement(b, null, { kind: 'retry', nextAt: null, warnAt: null }),
        ],
        reports: [],
      });
      expect(changes).toMatchObject([{ nextAt: now }]);
      expect((await store.read.queue.due('remote.test', now, 9)).map(({ entry }) => entry.id)).toEqual([a, b]);
    });

    it('suspends a destination, with what is there, what comes, and what is settled, until it is resumed', async () => {
      const { store } = given;
      const [a = NONE, b = NONE, c = NONE] = await send(store, 'a@remote.test', 'b@remote.test', 'c@other.test');
      const states = async () =>
        (await store.read.queue.list({ limit: 9 })).map(({ entry }) => `${entry.recipient.localPart} ${entry.state}`);
      await store.execute({ kind: 'queue-control', entries: [b], action: 'hold', now: 500 });
      const suspend = (suspended: boolean) =>
        store.execute({ kind: 'suspend-destination', destination: 'remote.test', suspended, now: 600 });
      const changes = recorded(store, { kind: 'queue' });
      expect(await suspend(true)).toEqual({ changed: 1, more: false });
      expect(await suspend(true)).toEqual({ changed: 0, more: false });
      expect(changes[0]).toMatchObject({ byHand: true, nextAt: Number.POSITIVE_INFINITY });
      changes.length = 0;
      const [d = NONE] = await send(store, 'd@remote.test');
      expect(changes).toMatchObject([{ nextAt: Number.POSITIVE_INFINITY, destinations: [] }]);
      // One that was being tried, one that an operator lets go, one that they want now.
      const tried = settlement(a, attempt('later'), { kind: 'retry', nextAt: 9_000, warnAt: null });
      await store.execute({ kind: 'settle', settlements: [tried], reports: [] });
      await store.execute({ kind: 'queue-control', entries: [b], action: 'release', now: 700 });
      await store.execute({ kind: 'queue-control', entries: [d], action: 'retry', now: 700 });
      expect(await states()).toEqual(['a suspended', 'b suspended', 'c waiting', 'd suspended']);
      expect(await store.read.queue.dueDestinations(99_000, 9)).toEqual(['other.test']);
      expect(await store.read.queue.nextAt()).toBe(1_000);
      expect(await store.read.queue.status()).toMatchObject({
        entries: 4,
        messages: 2,
        states: { waiting: 1, held: 0, suspended: 3 },
        suspended: [{ destination: 'remote.test', since: 600 }],
        destinations: [
          { destination: 'remote.test', entries: 3 },
          { destination: 'other.test', entries: 1 },
        ],
      });
      await store.execute({ kind: 'queue-control', entries: [c, d], action: 'hold', now: 800 });
      changes.length = 0;
      expect(await suspend(false)).toEqual({ changed: 2, more: false });
      expect(changes).toMatchObject([{ nextAt: 600 }]);
      expect(await states()).toEqual(['a waiting', 'b waiting', 'c held', 'd held']);
      expect((await store.read.queue.due('remote.test', 9_000, 9)).map(({ entry }) => entry.id)).toEqual([b, a]);
      expect((await store.read.queue.status()).suspended).toEqual([]);
    });

    it('suspends and resumes a long destination in slices', async () => {
      const { store } = given;
      await send(store, ...Array.from({ length: 2_500 }, (_, at) => `n${at}@long.test` as const), 'a@short.test');
      const suspend = (suspended: boolean) =>
        store.execute({ kind: 'suspend-destination', destination: 'long.test', suspended, now: 600 });
      expect(await suspend(true)).toEqual({ changed: 2_000, more: true });
      expect(await suspend(true)).toEqual({ changed: 500, more: false });
      expect(await store.read.queue.dueDestinations(1_000, 9)).toEqual(['short.test']);
      expect(await suspend(false)).toEqual({ changed: 2_000, more: true });
      // What comes in between is resumed with the last slice.
      await send(store, 'late@long.test');
      expect(await suspend(false)).toEqual({ changed: 501, more: false });
      expect(await store.read.queue.status()).toMatchObject({
        states: { waiting: 2_502, suspended: 0 },
        suspended: [],
      });
    });

    it('finds entries by what a filter says, in parts', async () => {
      const { store } = given;
      const [a = NONE, b = NONE, c = NONE] = await send(store, 'a@remote.test', 'B@remote.test', 'c@other.test');
      await store.execute({ kind: 'queue-control', entries: [b], action: 'hold', now: 500 });
      const found = async (filter: QueueFilter) => {
        const { rows, next } = await store.read.queue.find(filter, null);
        expect(next).toBeNull();
        return rows.map(({ entry }) => entry.id);
      };
      expect(await found({})).toEqual([a, b, c]);
      expect(await found({ destination: 'remote.test' })).toEqual([a, b]);
      expect(await found({ destination: 'none.test' })).toEqual([]);
      expect(await found({ state: 'held' })).toEqual([b]);
      expect(await found({ state: 'waiting', recipient: '@remote.test' })).toEqual([a]);
      expect(await found({ recipient: 'b@REMOTE.test' })).toEqual([b]);
      expect(await found({ sender: 'Alice@example.test', until: 1_000 })).toEqual([a, b, c]);
      expect(await found({ until: 999 })).toEqual([]);
      expect(await found({ message: 'test' })).toEqual([a, b, c]);
      expect(await found({ message: 'tes' })).toEqual([]);
      expect(await found({ sender: '<>' })).toEqual([]);
      expect(await found({ sender: '@other.test' })).toEqual([]);
      await send(store, ...Array.from({ length: 600 }, (_, at) => `n${at}@long.test` as const));
      const { rows, next } = await store.read.queue.find({ recipient: '@other.test' }, null);
      expect([rows.length, next]).toEqual([1, c + 497]);
      expect(await store.read.queue.find({ recipient: '@other.test' }, next)).toEqual({ rows: [], next: null });
      const long = await store.read.queue.find({ destination: 'long.test' }, null);
      expect([long.rows.length, long.next]).toEqual([500, c + 500]);
      expect(await store.read.queue.size()).toBe(603);
      expect(await store.read.queue.size(10)).toBe(10);
    });
  });
}
