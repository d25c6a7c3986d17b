// How logins are checked: who is slowed and who never is, what is remembered, and the line before argon2id. Time is in
// hand; the costs are those of the real hash.

import { beforeAll, describe, expect, it } from 'vitest';
import { Authenticator, type Claimant } from '../../src/directory/authentication.ts';
import { AuthenticationFailure } from '../../src/directory/directory.ts';
import { FairLine } from '../../src/directory/fair-line.ts';
import { makePassword, UNMATCHABLE, verifyPassword } from '../../src/directory/password.ts';
import { FakeClock } from '../fake-clock.ts';

const HERE = '192.0.2.1';
const ELSEWHERE = '198.51.100.7';
let alice: Claimant;
let bob: Claimant;

beforeAll(async () => {
  const [wonderland, builder] = await Promise.all([makePassword('wonderland'), makePassword('builder')]);
  alice = { key: '1', password: wonderland };
  bob = { key: '2', password: builder };
});

/** What came of it, and how long it waited by the clock in hand: time passes in steps while it waits. */
async function attempt(authenticator: Authenticator, clock: FakeClock, ...args: CheckArguments) {
  const started = clock.now();
  let result: string | undefined;
  const check = authenticator.check(...args).then(
    () => 'accepted',
    (error: unknown) => (error instanceof AuthenticationFailure ? error.kind : String(error)),
  );
  check.then((kind) => {
    result = kind;
  });
  while (result === undefined) {
    await new Promise((resolve) => setImmediate(resolve));
    if (clock.next !== null) clock.advance(250);
  }
  return { result, waited: clock.now() - started };
}
type CheckArguments = Parameters<Authenticator['check']>;

const kindOf = (promise: Promise<void>) =>
  promise.then(
    () => 'accepted',
    (error: AuthenticationFailure) => error.kind,
  );

/** CPU time of this process, which others on the machine do not lengthen, in µs. */
async function costOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  return process.cpuUsage(before).user;
}

/** What one argon2id takes on this machine, the quickest of some. */
async function hashCost(): Promise<number> {
  const costs: number[] = [];
  for (let count = 0; count < 5; count++) costs.push(await costOf(() => verifyPassword(UNMATCHABLE, 'guess')));
  return Math.min(...costs);
}

describe('failures', () => {
  it('slow the source that makes them, more each time, up to a bound', async () => {
    const clock = new FakeClock();
    const authenticator = new Authenticator(clock);
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      const unknown = { key: `- ${i}`, password: null };
      waits.push((await attempt(authenticator, clock, unknown, 'guess', HERE)).waited);
    }
    expect(waits.slice(0, 3)).toEqual([0, 0, 0]);
    expect(waits.slice(3)).toEqual([500, 1000, 2000, 4000, 8000, 10000, 10000]);
    clock.advance(3_600_000);
    expect((await attempt(authenticator, clock, alice, 'guess', HERE)).waited).toBe(0);
  });

  it('never slow a right password, nor another source', async () => {
    const clock = new FakeClock();
    const authenticator = new Authenticator(clock);
    for (let i = 0; i < 12; i++) await attempt(authenticator, clock, alice, `guess ${i}`, HERE);
    expect(await attempt(authenticator, clock, alice, 'wonderland', ELSEWHERE)).toEqual({
      result: 'accepted',
      waited: 0,
    });
    expect(await attempt(authenticator, clock, alice, 'wonderland', HERE)).toEqual({ result: 'accepted', waited: 0 });
  });

  it('at one account from everywhere slow the next guess, but not the owner who mistypes at home', async () => {
    const clock = new FakeClock();
    const authenticator = new Authenticator(clock);
    await attempt(authenticator, clock, alice, 'wonderland', HERE);
    for (let i = 0; i < 20; i++) await attempt(authenticator, clock, alice, 'guess', `198.51.100.${i}`);
    expect((await attempt(authenticator, clock, alice, 'guess', ELSEWHERE)).waited).toBe(4000);
    expect((await attempt(authenticator, clock, alice, 'wonderlnad', HERE)).waited).toBe(0);
  });

  it('hold their source to one attempt at a time, but for an account that logged in there', async () => {
    const clock = new FakeClock();
    const authenticator = new Authenticator(clock);
    await attempt(authenticator, clock, bob, 'builder', HERE);
    for (let i = 0; i < 6; i++) await attempt(authenticator, clock, alice, `guess ${i}`, HERE);
    const slow = kindOf(authenticator.check(alice, 'guess', HERE));
    // Remembered or not, the right password is no answer that a held source gets early.
    expect(await kindOf(authenticator.check(alice, 'wonderland', HERE))).toBe('busy');
    expect(await kindOf(authenticator.check(bob, 'builder', HERE))).toBe('accepted');
    expect(await kindOf(authenticator.check(alice, 'wonderland', ELSEWHERE))).toBe('accepted');
    while (clock.next === null) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(60_000);
    expect(await slow).toBe('rejected');
    expect(await kindOf(authenticator.check(alice, 'wonderland', HERE))).toBe('accepted');
  });
});

describe('a success', () => {
  it('is remembered for a minute, for this password only', async () => {
    const clock = new FakeClock();
    const authenticator = new Authenticator(clock);
    const hash = await hashCost();
    const cost = () => costOf(() => kindOf(authenticator.check(alice, 'wonderland', HERE)));
    expect(await cost()).toBeGreaterThan(hash / 2);
    expect(await cost()).toBeLessThan(hash / 2);
    expect(await kindOf(authenticator.check(alice, 'builder', HERE))).toBe('rejected');
    const changed = { key: alice.key, password: bob.password };
    expect(await kindOf(authenticator.check(changed, 'wonderland', HERE))).toBe('rejected');
    clock.advance(60_000);
    expect(await cost()).toBeGreaterThan(hash / 2);
  });

  it('is worked for once by connections that open together', async () => {
    const authenticator = new Authenticator(new FakeClock());
    const logins = Array.from({ length: 40 }, () => kindOf(authenticator.check(alice, 'wonderland', HERE)));
    expect(new Set(await Promise.all(logins))).toEqual(new Set(['accepted']));
  });
});

it('an unknown user costs as much as a wrong password', async () => {
  const authenticator = new Authenticator(new FakeClock());
  const cost = (claimant: Claimant, source: string) =>
    costOf(() => kindOf(authenticator.check(claimant, 'guess', source)));
  const hash = await hashCost();
  expect(await cost({ key: '- nobody', password: null }, HERE)).toBeGreaterThan(hash / 2);
  expect(await cost(alice, ELSEWHERE)).toBeGreaterThan(hash / 2);
});

describe('the line', () => {
  const gate = () => {
    const open: (() => void)[] = [];
    const started: string[] = [];
    const work = (name: string) => () => {
      started.push(name);
      return new Promise<void>((resolve) => open.push(resolve));
    };
    return { open, started, work };
  };

  it('runs two at once and takes the sources in turn', async () => {
    const line = new FairLine(2);
    const { open, started, work } = gate();
    const all = ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2'].map((name) => line.enter(name[0] ?? '', work(name)));
    expect(started).toEqual(['a1', 'a2']);
    while (open.length > 0) {
      open.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(all);
    expect(started).toEqual(['a1', 'a2', 'a3', 'b1', 'c1', 'a4', 'b2']);
  });

  it('is bounded for a source and in all, and goes on after a failure', async () => {
    const line = new FairLine(2);
    const { open, work } = gate();
    const taken = Array.from({ length: 30 }, () => line.enter('a', work('a'))).filter((entry) => entry !== undefined);
    expect(taken).toHaveLength(2 + 16);
    const enter = (count: number, source: (index: number) => string) =>
      Array.from({ length: count }, (_, i) => line.enter(source(i), work('b'))).filter((entry) => entry !== undefined);
    // A few sources fill the line, and shut out only themselves.
    expect(enter(320, (i) => `b${i % 20}`)).toHaveLength(256 - 16);
    expect(enter(1_000, (i) => `c${i}`)).toHaveLength(1_024 - 256);
    while (open.length > 0) {
      open.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect(line.enter('c', () => Promise.reject(new Error('no memory')))).rejects.toThrow('no memory');
    expect(await line.enter('c', async () => 'well')).toBe('well');
  });
});
