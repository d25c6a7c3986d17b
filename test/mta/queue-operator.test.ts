// An operator's hand on a queue that is being worked on: what is held or suspended stays, and goes on when it may.

import { describe, expect, test } from 'vitest';
import { DAY, queueStage } from './queue-stage.ts';

const isRcpt = (line: string) => line.startsWith('RCPT');
const empty = (entries: readonly unknown[]) => entries.length === 0;

describe('an operator', () => {
  const suspend = (suspended: boolean) =>
    ({ kind: 'suspend-destination', destination: 'far.test', suspended, now: 0 }) as const;

  test('who holds or suspends what a lane has read stops it but for what is under way', async () => {
    for (const how of ['hold', 'suspend'] as const) {
      await using stage = await queueStage({ relay: { perDestination: 1 } });
      let asked = (): void => {};
      const begun = new Promise<void>((resolve) => {
        asked = resolve;
      });
      let stalled = false;
      const server = await stage.hop(2, {
        on: (line) => {
          if (line !== 'DATA-END' || stalled) return undefined;
          stalled = true;
          asked();
          return { do: 'stall' };
        },
      });
      stage.domain('far.test', 2);
      await stage.put({ to: ['first@far.test'] });
      await begun;
      for (const name of ['a', 'b', 'c']) await stage.put({ to: [`${name}@far.test`] });
      const waiting = (await stage.entries()).slice(1).map(({ entry }) => entry.id);
      if (how === 'hold') {
        await stage.store.execute({ kind: 'queue-control', entries: waiting, action: 'hold', now: stage.clock.now() });
      } else {
        await stage.store.execute(suspend(true));
      }
      server.say('250 2.0.0 ok\r\n421 4.3.2 closing');
      await stage.until((entries) => entries.length === 3);
      stage.domain('near.test', 2);
      await stage.put({ to: ['near@near.test'] });
      await stage.until((entries) => entries.every(({ destination }) => destination === 'far.test'));
      expect((await stage.entries()).every(({ entry }) => entry.attempts === 0 && entry.state !== 'waiting')).toBe(
        true,
      );
      if (how === 'hold') {
        await stage.store.execute({
          kind: 'queue-control',
          entries: waiting,
          action: 'release',
          now: stage.clock.now(),
        });
      } else {
        await stage.store.execute(suspend(false));
      }
      await stage.until(empty);
      expect(server.messages).toHaveLength(4);
    }
  });

  test('who removes what is under way stops nothing behind it, and nobody is told of it', async () => {
    for (const [at, answer] of [
      ['DATA-END', '250 2.0.0 ok\r\n421 4.3.2 closing'],
      ['RCPT', '550 5.1.1 nobody\r\n421 4.3.2 closing'],
    ] as const) {
      await using stage = await queueStage({ relay: { perDestination: 1 } });
      let stalled = false;
      const server = await stage.hop(2, {
        // Without DSN, so that the sender is to hear from us.
        keywords: [],
        on: (line) => {
          if (stalled || !line.startsWith(at)) return undefined;
          stalled = true;
          return { do: 'stall' };
        },
      });
      stage.domain('far.test', 2);
      await stage.put({ to: [['first@far.test', { notify: ['success', 'failure'] }]] });
      await server.until(() => stalled);
      const [first] = await stage.entries();
      if (first === undefined) throw new Error('it is under way');
      const entries = [first.entry.id];
      await stage.store.execute({ kind: 'queue-control', entries, action: 'remove', now: stage.clock.now() });
      // Until nothing is left of its body.
      while ((await stage.store.read.body(first.transit.body, 0, 1)).length > 0) await tick();
      server.say(answer);
      await stage.put({ to: ['second@far.test'] });
      await stage.until(empty);
      expect(await stage.inbox()).toEqual([]);
    }
  });

  test('what is held is neither tried, warned of nor given up, and has one try when it is released too late', async () => {
    await using stage = await queueStage();
    let busy = true;
    const server = await stage.hop(2, {
      on: (line) => (busy && line.startsWith('RCPT') ? '450 4.2.0 later' : undefined),
    });
    stage.domain('far.test', 2);
    await stage.put({ to: ['bob@far.test'] });
    await stage.until((entries) => entries[0]?.attempts === 1);
    const entries = (await stage.entries()).map(({ entry }) => entry.id);
    await stage.store.execute({ kind: 'queue-control', entries, action: 'hold', now: stage.clock.now() });
    stage.clock.advance(10 * DAY);
    expect(await stage.store.read.queue.nextAt()).toBeNull();
    expect(await stage.inbox()).toEqual([]);
    busy = false;
    await stage.store.execute({ kind: 'queue-control', entries, action: 'release', now: stage.clock.now() });
    await stage.until(empty);
    expect(server.messages).toHaveLength(1);
    expect(await stage.inbox()).toEqual([]);
  });

  test('who wants a try now, while a delay is about to be told of, gets it', async () => {
    await using stage = await queueStage();
    let [busy, stalled] = [true, false];
    const far = await stage.hop(2, {
      on: (line) => (busy && line.startsWith('RCPT') ? '450 4.2.0 later' : undefined),
    });
    const near = await stage.hop(3, {
      on: (line) => {
        if (!line.startsWith('RCPT')) return undefined;
        if (stage.clock.now() < late) return '450 4.2.0 later';
        stalled = true;
        return { do: 'stall' };
      },
    });
    stage.domain('far.test', 2);
    stage.domain('near.test', 3);
    const late = stage.clock.now() + DAY;
    await stage.put({ to: ['bob@far.test', 'bob@near.test'] });
    await stage.until((entries) => entries.every(({ attempts }) => attempts === 1));
    stage.clock.advance(DAY);
    await near.until(() => stalled);
    await far.until(() => far.sessions.flatMap(({ commands }) => commands).filter(isRcpt).length === 2);
    busy = false;
    const entries = (await stage.entries()).map(({ entry }) => entry.id).slice(0, 1);
    await stage.store.execute({ kind: 'queue-control', entries, action: 'retry', now: stage.clock.now() + 1 });
    stage.clock.advance(1);
    // What waits for this one is written now.
    near.say('550 5.1.1 nobody\r\n421 4.3.2 closing');
    await stage.until(empty);
    expect(far.messages).toHaveLength(1);
    expect((await stage.inbox()).join()).toMatch(/Action: delayed/);
  });

  test('finds with each try what was said for this recipient, or until there was nobody to talk to', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2, {
      on: (line) => (line.includes('slow@') ? '450 4.2.0 later' : undefined),
    });
    stage.domain('far.test', 2);
    stage.domain('dead.test', 2);
    await stage.put({ to: ['a@far.test', 'slow@far.test'] });
    await stage.until((entries) => entries.length === 1 && entries[0]?.attempts === 1);
    const tries = async () => {
      const found = (await stage.entries()).map(({ entry }) => stage.store.read.queue.entry(entry.id));
      return (await Promise.all(found)).map((each) => each?.attempts[0]?.transcript ?? []);
    };
    const [lines] = await tries();
    expect(lines).toContain('S: 450 4.2.0 later');
    expect(lines).not.toContain('C: RCPT TO:<a@far.test>');

    await stage.partFrom(server);
    server.script = { greeting: '421 4.3.2 busy' };
    await stage.put({ to: ['b@dead.test'] });
    await stage.until((entries) => entries.length === 2 && entries.every(({ attempts }) => attempts === 1));
    expect((await tries())[1]).toEqual(['S: 421 4.3.2 busy']);
  });
});

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
