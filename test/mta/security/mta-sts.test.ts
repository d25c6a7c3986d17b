// Which policy is in force: announced, fetched, kept, renewed, and never taken away by who stands in between.

import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createPolicies } from '../../../src/mta/security/mta-sts.ts';
import type { Fetched } from '../../../src/mta/security/policy-fetch.ts';
import { FakeClock } from '../../fake-clock.ts';
import { FakeDns } from '../../fake-dns.ts';
import { storeFolder } from '../../store/open-folder.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function stage() {
  const stack = new AsyncDisposableStack();
  const clock = new FakeClock(1_800_000_000_000);
  const store = await stack.use(await storeFolder()).open({ clock });
  const dns = new FakeDns();
  const fetched: string[] = [];
  const missed: string[] = [];
  const log = pino({ level: 'silent' });
  const open = () => {
    const policies = createPolicies({
      dns,
      store,
      clock,
      log,
      async fetch(domain) {
        fetched.push(domain);
        asked.resolve();
        return await s.answer();
      },
      failed: (domain, { failure }) => missed.push(`${domain} ${failure}`),
    });
    stack.defer(() => policies.close());
    return policies;
  };
  let asked = Promise.withResolvers<void>();
  const s = {
    clock,
    dns,
    store,
    fetched,
    missed,
    open,
    answer: async (): Promise<Fetched> => policy('enforce', 7 * DAY),
    announce: (id: string | null) => dns.set('_mta-sts.far.test', id === null ? {} : { txt: [`v=STSv1; id=${id}`] }),
    /** Resolves at the next fetch. */
    fetching() {
      asked = Promise.withResolvers<void>();
      return asked.promise;
    },
    async until(condition: () => Promise<boolean>) {
      while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
  s.announce('1');
  return s;
}

const policy = (mode: string, age: number, mx = 'mx.far.test'): Fetched => ({
  kind: 'fetched',
  text: `version: STSv1\nmode: ${mode}\nmx: ${mx}\nmax_age: ${age / 1000}\n`,
});
const DOWN: Fetched = { kind: 'failed', failure: 'sts-policy-fetch-error', text: 'down' };

test('nothing is announced: nothing is fetched', async () => {
  await using s = await stage();
  s.announce(null);
  expect(await s.open().of('far.test')).toEqual({ policy: null, failure: null, declared: [] });
  s.dns.set('_mta-sts.far.test', { broken: true });
  expect(await s.open().of('far.test')).toEqual({ policy: null, failure: null, declared: [] });
  expect(s.fetched).toEqual([]);
});

test('fetched once, then in force for whoever asks, after a restart too', async () => {
  await using s = await stage();
  const policies = s.open();
  const both = await Promise.all([policies.of('far.test'), policies.of('far.test')]);
  expect(both).toMatchObject([{ policy: { mode: 'enforce' } }, { policy: { mode: 'enforce' } }]);
  policies.close();
  expect(await s.open().of('far.test')).toMatchObject({ policy: { mode: 'enforce', mx: ['mx.far.test'] } });
  expect(s.fetched).toEqual(['far.test']);
});

test('stays in force when its record is gone, the DNS or its host fails, or what is there is no policy', async () => {
  await using s = await stage();
  const policies = s.open();
  await policies.of('far.test');
  const holds = async () => expect(await policies.of('far.test')).toMatchObject({ policy: { mode: 'enforce' } });
  s.announce(null);
  await holds();
  s.dns.set('_mta-sts.far.test', { broken: true });
  await holds();
  s.announce('2');
  for (const answer of [DOWN, { kind: 'fetched', text: '<html>' } as const]) {
    s.answer = async () => answer;
    s.clock.advance(HOUR);
    await holds();
  }
  expect(s.fetched).toHaveLength(3);
  // Until its time is over.
  s.announce(null);
  s.clock.advance(8 * DAY);
  expect(await policies.of('far.test')).toEqual({ policy: null, failure: null, declared: [] });
});

test('a new id brings a new policy, also one that ends it', async () => {
  await using s = await stage();
  const policies = s.open();
  await policies.of('far.test');
  s.announce('2');
  s.answer = async () => policy('none', DAY);
  expect(await policies.of('far.test')).toMatchObject({ policy: { mode: 'none' } });
});

test('the policy of a domain is none of its subdomains', async () => {
  await using s = await stage();
  const policies = s.open();
  await policies.of('far.test');
  expect(await policies.of('sub.far.test')).toEqual({ policy: null, failure: null, declared: [] });
  expect(s.fetched).toEqual(['far.test']);
});

test('what is no policy is told of as it is written, also while it is not fetched again', async () => {
  await using s = await stage();
  s.answer = async () => ({ kind: 'fetched', text: 'version: STSv1\nmode: always\n' });
  const policies = s.open();
  for (let time = 0; time < 2; time++) {
    expect(await policies.of('far.test')).toEqual({
      policy: null,
      failure: 'sts-policy-invalid',
      declared: ['version: STSv1', 'mode: always'],
    });
  }
  expect(s.fetched).toHaveLength(1);
});

test('a host that fails is left alone for a while', async () => {
  await using s = await stage();
  s.answer = async () => DOWN;
  const policies = s.open();
  for (let time = 0; time < 3; time++) {
    expect(await policies.of('far.test')).toEqual({ policy: null, failure: 'sts-policy-fetch-error', declared: [] });
  }
  expect(s.fetched).toHaveLength(1);
  // RFC 8461 §3.3: as long as it announces the same.
  s.announce('2');
  await policies.of('far.test');
  await policies.of('far.test');
  expect(s.fetched).toHaveLength(2);
  s.clock.advance(HOUR / 2);
  s.answer = async () => policy('testing', DAY);
  expect(await policies.of('far.test')).toMatchObject({ policy: { mode: 'testing' }, failure: null });
});

test('is fetched again while it is used, without anybody waiting for that', async () => {
  await using s = await stage();
  const policies = s.open();
  await policies.of('far.test');
  s.clock.advance(DAY + 1);
  const late = Promise.withResolvers<Fetched>();
  s.answer = () => late.promise;
  expect(await policies.of('far.test')).toMatchObject({ policy: { mx: ['mx.far.test'] } });
  late.resolve(policy('enforce', 7 * DAY, 'mx9.far.test'));
  await s.until(async () => (await policies.of('far.test')).policy?.mx[0] === 'mx9.far.test');
});

test('is fetched again before it expires, although nobody uses it', async () => {
  await using s = await stage();
  s.answer = async () => policy('enforce', 2 * DAY);
  await s.open().of('far.test');
  const renewed = s.fetching();
  for (let hour = 0; hour < 25; hour++) {
    s.clock.advance(HOUR);
    await s.store.read.receivers.stsPolicy('far.test');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await renewed;
  await s.until(async () => ((await s.store.read.receivers.stsPolicy('far.test'))?.fetchedAt ?? 0) > 1_800_000_000_000);
});

test.each([
  ['enforce', ['far.test sts-policy-fetch-error']],
  ['none', []],
])('one of %s that expires and is announced no more is told of: %j', async (mode, told) => {
  await using s = await stage();
  s.answer = async () => policy(mode, 2 * DAY);
  await s.open().of('far.test');
  s.announce(null);
  for (let hour = 0; hour < 25; hour++) {
    s.clock.advance(HOUR);
    await s.store.read.receivers.stsPolicy('far.test');
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect([...new Set(s.missed)]).toEqual(told);
  expect(s.fetched).toHaveLength(1);
});

test('many at once wait for one another, and none goes without', async () => {
  await using s = await stage();
  const policies = s.open();
  const late = Promise.withResolvers<Fetched>();
  s.answer = () => late.promise;
  const domains = Array.from({ length: 50 }, (_, at) => `d${at}.test`);
  for (const domain of domains) s.dns.set(`_mta-sts.${domain}`, { txt: ['v=STSv1; id=1'] });
  const all = domains.map((domain) => policies.of(domain));
  await s.fetching();
  expect(s.fetched.length).toBeLessThanOrEqual(20);
  late.resolve(policy('enforce', DAY));
  for (const facts of await Promise.all(all)) expect(facts).toMatchObject({ policy: { mode: 'enforce' } });
  expect(new Set(s.fetched).size).toBe(50);
});

test('who waits for a policy when the server stops does not go without it', async () => {
  await using s = await stage();
  const policies = s.open();
  const late = Promise.withResolvers<Fetched>();
  s.answer = () => late.promise;
  const asked = s.fetching();
  const waiting = policies.of('far.test');
  await asked;
  policies.close();
  late.resolve(DOWN);
  await expect(waiting).rejects.toMatchObject({ kind: 'closed' });
});
