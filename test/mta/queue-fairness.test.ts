// Nobody starves: dead hosts and tarpits hold a connection for minutes, and mail for others goes out all the same.

import { describe, expect, test } from 'vitest';
import { queueStage } from './queue-stage.ts';

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('fairness', () => {
  test.each([
    ['hosts that never greet', { greeting: { do: 'stall' } }],
    [
      'hosts that stall in a transaction',
      { on: (line: string) => (line.startsWith('MAIL') ? ({ do: 'stall' } as const) : undefined) },
    ],
  ] as const)('%s, more of them than connections: the last in line waits seconds, not minutes', async (_, script) => {
    await using stage = await queueStage({ relay: { concurrency: 10 } });
    const slow = await stage.hop(2, script);
    const server = await stage.hop(3);
    const begin = stage.clock.now();
    for (let at = 0; at < 40; at++) stage.domain(`slow${at}.test`, 2);
    stage.domain('good.test', 3);
    await stage.put({ to: Array.from({ length: 40 }, (__, at) => `r@slow${at}.test`) });
    await slow.until(() => slow.sessions.length === 10);
    await stage.put({ to: ['bob@good.test'] });
    while (server.messages.length === 0) {
      stage.clock.advance(1_000);
      for (let turn = 0; turn < 20; turn++) await tick();
    }
    expect(stage.clock.now() - begin).toBeLessThan(60_000);
    await stage.until((entries) => entries.every(({ destination }) => destination.startsWith('slow')));
    expect((await stage.entries()).every(({ entry }) => entry.attempts === 0)).toBe(true);
  });

  test('many domains on one host that bears few connections: they take turns, and none is put off', async () => {
    await using stage = await queueStage({ relay: { concurrency: 10 } });
    const server = await stage.hop(2, {
      on: (line, { number }) => {
        const before = server.sessions.filter((other) => !other.closed && other.number < number).length;
        return line.startsWith('EHLO') && before >= 2 ? '421 4.7.0 too many connections' : undefined;
      },
    });
    let putOff = 0;
    const stop = stage.store.follow({ kind: 'queue' }, async () => {
      for (const { entry } of await stage.entries()) putOff += entry.attempts;
    });
    for (let at = 0; at < 8; at++) stage.domain(`d${at}.test`, 2);
    for (let round = 0; round < 5; round++) {
      await stage.put({ to: Array.from({ length: 8 }, (_, at) => `r@d${at}.test`) });
    }
    for (let seen = -1; server.messages.length < 40; ) {
      // Time goes on when nothing else does: whoever waits for a turn must not seem to wait for the peer as well.
      const commands = server.sessions.reduce((sum, session) => sum + session.commands.length, 0);
      if (commands === seen) stage.clock.advance(200);
      seen = commands;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await stage.until((entries) => entries.length === 0);
    stop();
    expect(server.messages).toHaveLength(40);
    expect(putOff).toBe(0);
  });

  test('a host that refuses one connection too many is given fewer, and all mail arrives', async () => {
    await using stage = await queueStage({ relay: { perDestination: 8 } });
    const server = await stage.hop(2, {
      on: (line) => {
        const open = server.sessions.filter(({ closed }) => !closed).length;
        return line.startsWith('EHLO') && open > 3 ? '421 4.7.0 too many connections' : undefined;
      },
    });
    stage.domain('far.test', 2);
    await Promise.all(Array.from({ length: 100 }, (_, at) => stage.put({ to: [`r${at}@far.test`] })));
    await stage.until((entries) => entries.length === 0);
    expect(server.messages).toHaveLength(100);
    expect(server.sessions.length).toBeGreaterThan(1);
    // A connection each time that there seems to be room for one more, and no more often.
    expect(server.sessions.length).toBeLessThan(40);
  });
});
