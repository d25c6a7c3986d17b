// Room for more mail: the disk at MAIL, the queue at RCPT, looked at once a second.

import { expect, test } from 'vitest';
import { createRoom } from '../../src/mta/room.ts';
import { FakeClock } from '../fake-clock.ts';
import { recordingLog } from '../recording-log.ts';

const MEBI = 1024 ** 2;
const REFUSED = { reply: { code: 452, status: '4.3.1' } };

function stage(size = 100_000 * MEBI) {
  const clock = new FakeClock(0);
  const lines: Record<string, unknown>[] = [];
  const state = { free: 1_000 * MEBI, spare: 0, entries: 0, looks: 0, known: true };
  const room = createRoom({
    store: {
      read: { spare: async () => state.spare, queue: { size: async (most = 0) => Math.min(most, state.entries) } },
    },
    disk: async () => {
      state.looks++;
      return state.known ? { free: state.free, size } : null;
    },
    limits: { diskFree: 256 * MEBI, queueEntries: 1_000 },
    clock,
    log: recordingLog(lines),
  });
  return { clock, lines, state, room };
}

test('a disk that is nearly full takes no message, nor one that would fill it; room inside the store counts', async () => {
  const { clock, lines, state, room } = stage();
  await room.message(0);
  await expect(room.message(800 * MEBI)).rejects.toMatchObject(REFUSED);
  state.free = 255 * MEBI;
  await room.message(0);
  expect(state.looks).toBe(1);
  clock.advance(1_000);
  await expect(room.message(0)).rejects.toMatchObject(REFUSED);
  await expect(room.message(0)).rejects.toMatchObject(REFUSED);
  expect([state.looks, lines.length]).toEqual([2, 1]);
  // What goes elsewhere is the queue's matter.
  expect(await room.remote()).toBeNull();
  state.spare = 10 * MEBI;
  clock.advance(1_000);
  await room.message(0);
});

test('of a small disk a quarter is kept, and one that nobody knows is no reason to refuse', async () => {
  const { clock, state, room } = stage(200 * MEBI);
  state.free = 60 * MEBI;
  await room.message(MEBI);
  state.free = 49 * MEBI;
  clock.advance(1_000);
  await expect(room.message(0)).rejects.toMatchObject(REFUSED);
  state.known = false;
  clock.advance(1_000);
  await room.message(0);
});

test('a full queue takes nobody elsewhere until there is room, and says so once', async () => {
  const { clock, lines, state, room } = stage();
  state.entries = 999;
  expect(await room.remote()).toBeNull();
  state.entries = 1_000;
  clock.advance(1_000);
  expect(await room.remote()).toMatchObject(REFUSED);
  await room.message(0);
  expect(await room.remote()).toMatchObject(REFUSED);
  expect(lines).toHaveLength(1);
  state.entries = 10;
  clock.advance(1_000);
  expect(await room.remote()).toBeNull();
});
