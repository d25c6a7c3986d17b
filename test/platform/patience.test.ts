// How long a session waits for its client, and what it bears of it.

import { expect, test } from 'vitest';
import { Manners } from '../../src/platform/manners.ts';
import { Patience } from '../../src/platform/patience.ts';
import { FakeClock } from '../fake-clock.ts';

const LIMITS = { loginTime: 100, idleTime: 1_000 };

function patient() {
  const clock = new FakeClock();
  const expired: boolean[] = [];
  return { clock, expired, patience: new Patience(clock, LIMITS, (loggedIn) => expired.push(loggedIn)) };
}

test('who does not log in in time has to go, whatever is said meanwhile', () => {
  const { clock, expired, patience } = patient();
  for (let at = 0; at < 99; at++) {
    patience.waiting(true);
    clock.advance(1);
    patience.waiting(false);
  }
  expect(expired).toEqual([]);
  clock.advance(1);
  expect(expired).toEqual([false]);
});

test('who has logged in may be silent for longer, and is not hurried while a command runs', () => {
  const { clock, expired, patience } = patient();
  patience.loggedIn();
  clock.advance(5_000);
  patience.waiting(true);
  clock.advance(999);
  expect(expired).toEqual([]);
  clock.advance(1_001);
  expect(expired).toEqual([true]);
});

test('who has logged out has as much time to log in as at first', () => {
  const { clock, expired, patience } = patient();
  patience.loggedIn();
  patience.waiting(true);
  clock.advance(900);
  patience.loggedOut();
  clock.advance(99);
  expect(expired).toEqual([]);
  clock.advance(1);
  expect(expired).toEqual([false]);
  clock.advance(10_000);
  expect(expired).toEqual([false]);
});

test('bad commands count one after another behind a login, and all of them before it', () => {
  const limits = { badCommandsBeforeLogin: 2, badCommands: 3, failedLogins: 2 };
  const stranger = new Manners(limits);
  expect(stranger.silent).toBe(true);
  expect(stranger.misunderstood(false)).toBe(false);
  expect(stranger.silent).toBe(false);
  stranger.understood(false);
  expect(stranger.misunderstood(false)).toBe(true);
  const friend = new Manners(limits);
  for (let round = 0; round < 10; round++) {
    expect(friend.misunderstood(true)).toBe(false);
    expect(friend.misunderstood(true)).toBe(false);
    friend.understood(true);
  }
  expect([1, 2, 3].map(() => friend.misunderstood(true))).toEqual([false, false, true]);
  expect([friend.loginFailed(), friend.loginFailed()]).toEqual([false, true]);
});
