// Places for connections: who waits stands aside, and is cut short only for others.

import { describe, expect, test } from 'vitest';
import { Connections, type Place } from '../../src/mta/connections.ts';
import { Pace, Paces } from '../../src/mta/pace.ts';
import { FakeClock } from '../fake-clock.ts';

function stage(most: number, waiting: number) {
  const clock = new FakeClock(0);
  const state = { crowded: false, rooms: 0 };
  const connections = new Connections({
    clock,
    most,
    waiting,
    crowded: () => state.crowded,
    room: () => {
      state.rooms++;
    },
  });
  const take = (): Place => {
    const place = connections.take();
    if (place === null) throw new Error('no place');
    return place;
  };
  return { clock, state, connections, take };
}

describe('connections', () => {
  test('there are so many, and one that is left is free again', () => {
    const { connections, take, state } = stage(2, 5);
    const first = take();
    take();
    expect([connections.take(), connections.free]).toEqual([null, 0]);
    first.leave();
    expect([connections.free, state.rooms]).toEqual([1, 1]);
  });

  test('who gets nowhere stands aside after a moment, and counts again when something comes of it', () => {
    const { clock, connections, take, state } = stage(1, 5);
    const slow = take();
    clock.advance(4_000);
    slow.progress();
    clock.advance(4_999);
    expect(connections.free).toBe(0);
    clock.advance(1);
    expect([connections.free, state.rooms]).toEqual([1, 1]);
    const other = take();
    slow.progress();
    other.leave();
    expect(connections.free).toBe(0);
    slow.leave();
    expect(connections.free).toBe(1);
  });

  test('where too many stand aside, the longest wait is ended, but only for somebody else and not at once', () => {
    const { clock, connections, take, state } = stage(1, 2);
    const places: Place[] = [];
    for (let count = 0; count < 2; count++) {
      places.push(take());
      clock.advance(5_000);
    }
    const signal = places[0]?.opening();
    places.push(take());
    clock.advance(120_000);
    expect([connections.free, signal?.aborted]).toEqual([0, false]);
    state.crowded = true;
    clock.advance(5_000);
    expect([connections.free, signal?.aborted, places[0]?.isCut]).toEqual([1, true, true]);
    expect(places[1]?.isCut).toBe(false);
    places[0]?.leave();
    for (const place of places.slice(1)) place.leave();
    expect(connections.free).toBe(1);
  });

  test('a transaction has longer', () => {
    const { clock, take, state } = stage(1, 1);
    state.crowded = true;
    let closed = false;
    const place = take();
    place.uses({
      destroy() {
        closed = true;
      },
    });
    clock.advance(5_000);
    take();
    clock.advance(800_000);
    expect(closed).toBe(false);
    clock.advance(105_000);
    expect([closed, place.isCut]).toEqual([true, true]);
  });
});

describe('pace', () => {
  test('grows with each success, shrinks where it is refused, and goes on with care', () => {
    const pace = new Pace(10);
    for (let count = 0; count < 20; count++) pace.succeeded();
    expect(pace.limit).toBe(10);
    pace.refused(6);
    for (let count = 0; count < 5; count++) pace.succeeded();
    expect(pace.limit).toBe(6);
    for (let count = 0; count < 3; count++) pace.succeeded();
    expect(pace.limit).toBe(7);
    pace.failed();
    expect(pace.limit).toBe(3);
    for (let count = 0; count < 5; count++) pace.failed();
    expect(pace.limit).toBe(1);
    pace.refused(0);
    expect(pace.limit).toBe(1);
  });

  test('is remembered for a while, of as many as there is room for', () => {
    const clock = new FakeClock(0);
    const paces = new Paces(10, clock, () => 0);
    const pace = paces.of('a.test');
    pace.succeeded();
    clock.advance(1_799_999);
    expect(paces.of('a.test')).toBe(pace);
    clock.advance(1_800_000);
    expect(paces.of('a.test').limit).toBe(1);
    const kept = paces.of('b.test');
    for (let at = 0; at < 5_000; at++) paces.of(`${at}.test`);
    expect(paces.of('b.test')).not.toBe(kept);
  });
});
