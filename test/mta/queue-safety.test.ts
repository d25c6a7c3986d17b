// What the queue runner must neither lose nor double: at a store that fails, at a kill, at a close.

import { describe, expect, test } from 'vitest';
import type { Command } from '../../src/store/commands.ts';
import { type Store, StoreError } from '../../src/store/store.ts';
import { queueStage } from './queue-stage.ts';

const empty = (entries: readonly unknown[]) => entries.length === 0;

describe('what must not be lost or doubled', () => {
  /** A store whose settle does as it is told. */
  const settling = (settle: (real: () => Promise<undefined>) => Promise<undefined>) => (store: Store) =>
    new Proxy(store, {
      get(target, name) {
        if (name !== 'execute') {
          const member: unknown = Reflect.get(target, name, target);
          return typeof member === 'function' ? member.bind(target) : member;
        }
        return (command: Command) =>
          command.kind === 'settle' && command.settlements.length > 0
            ? settle(() => target.execute<'settle'>(command))
            : target.execute(command);
      },
    });

  test('a settle that the store cannot take is tried again, and the message is not', async () => {
    let failures = 2;
    let failed = (): void => {};
    const twice = new Promise<void>((resolve) => {
      failed = resolve;
    });
    await using stage = await queueStage({
      wrap: settling((real) => {
        if (failures === 0) return real();
        failures--;
        if (failures === 0) failed();
        return Promise.reject(new StoreError('full', 'disk full'));
      }),
    });
    const server = await stage.hop(2);
    stage.domain('far.test', 2);
    await stage.put({ to: ['bob@far.test'] });
    const done = stage.until(empty);
    while ((await Promise.race([done.then(() => 'done'), tick()])) !== 'done') stage.clock.advance(5_000);
    await twice;
    expect(server.messages).toHaveLength(1);
  });

  test('killed between the acknowledgement and the settle: that one comes twice, and no other', async () => {
    let kill = (): void => {};
    const killed = new Promise<void>((resolve) => {
      kill = resolve;
    });
    await using stage = await queueStage({
      relay: { perDestination: 1 },
      wrap: (store) => {
        let count = 0;
        return settling((real) => {
          count++;
          if (count === 1) return real();
          if (count > 2) return real();
          kill();
          // The process is gone: neither done nor refused.
          return new Promise(() => {});
        })(store);
      },
    });
    const server = await stage.hop(2);
    stage.domain('far.test', 2);
    for (const name of ['a', 'b', 'c']) await stage.put({ to: [`${name}@far.test`] });
    await killed;
    expect((await stage.entries()).map(({ entry }) => entry.recipient.localPart)).toEqual(['b', 'c']);
    await using next = await stage.successor();
    await next.until(empty);
    const got = server.messages.map(({ recipients }) => recipients[0]?.slice(9, 10));
    expect(got).toEqual(['a', 'b', 'b', 'c']);
  });

  test('the next message is begun while the last one is being settled, and ended only behind that', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let count = 0;
    await using stage = await queueStage({
      relay: { perDestination: 1 },
      wrap: settling(async (real) => {
        if (++count === 1) await held;
        return real();
      }),
    });
    const server = await stage.hop(2);
    stage.domain('far.test', 2);
    for (const name of ['a', 'b']) await stage.put({ to: [`${name}@far.test`] });
    await server.until(() => server.sessions[0]?.commands.filter((line) => line === 'DATA').length === 2);
    // Time for the rest, if it came.
    for (let turn = 0; turn < 20; turn++) await tick();
    expect(server.messages).toHaveLength(1);
    release();
    await stage.until(empty);
    expect(server.messages).toHaveLength(2);
  });

  test('closing lets a transaction end and begins no other', async () => {
    await using stage = await queueStage({ relay: { perDestination: 1 } });
    let asked = false;
    const server = await stage.hop(2, {
      on: (line) => {
        if (line !== 'DATA-END') return undefined;
        asked = true;
        return { do: 'stall' };
      },
    });
    stage.domain('far.test', 2);
    await stage.put({ to: ['a@far.test'] });
    await stage.put({ to: ['b@far.test'] });
    await server.until(() => asked);
    const closed = stage.runner.close(3_000);
    server.say('250 2.0.0 taken after all');
    await stage.until((entries) => entries.length === 1);
    // The peer does not answer QUIT.
    while ((await Promise.race([closed.then(() => 'closed'), tick()])) !== 'closed') stage.clock.advance(1_000);
    expect((await stage.entries()).map(({ entry }) => [entry.recipient.localPart, entry.attempts])).toEqual([['b', 0]]);
  });

  test('closing does not wait for ever, and what got no answer stays as it was', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2, { on: (line) => (line.startsWith('MAIL') ? { do: 'stall' } : undefined) });
    stage.domain('far.test', 2);
    await stage.put({ to: ['a@far.test'] });
    await server.until(() => server.sessions[0]?.commands.some((line) => line.startsWith('MAIL')) ?? false);
    const closed = stage.runner.close(3_000);
    await tick();
    stage.clock.advance(3_000);
    await closed;
    expect((await stage.entries()).map(({ entry }) => entry.attempts)).toEqual([0]);
    await server.until(() => server.sessions[0]?.closed ?? false);
  });

  test('a thousand entries for one dead destination are put off in pages', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2, { greeting: '421 4.3.2 no' });
    stage.domain('far.test', 2);
    const addresses = Array.from({ length: 1_000 }, (_, n) => `r${n}@far.test`);
    for (let at = 0; at < 1_000; at += 100) await stage.put({ to: addresses.slice(at, at + 100) });
    for (;;) {
      const due = await stage.store.read.queue.due('far.test', stage.clock.now(), 500);
      if (due.length === 0) break;
      await tick();
    }
    expect(await stage.store.read.queue.size()).toBe(1_000);
    expect(server.sessions).toHaveLength(1);
  });
});

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
