// One notice a message: recipients of several destinations that fail, or are late, at about the same time.

import { expect, test } from 'vitest';
import { Notices } from '../../src/mta/notices.ts';
import type { Verdict } from '../../src/mta/settlement.ts';
import type { TransitId } from '../../src/store/rows.ts';
import { FakeClock } from '../fake-clock.ts';
import type { Answer } from '../smtp/fake-server.ts';
import { MINUTE, QUEUE, queueStage } from './queue-stage.ts';

const empty = (entries: readonly unknown[]) => entries.length === 0;
const refused = (line: string): Answer | undefined => (line.startsWith('RCPT') ? '550 5.1.1 nobody here' : undefined);
const failures = (report: string | undefined) =>
  report?.match(/Final-Recipient: rfc822; (.*)\r\nAction: failed/g)?.map((field) => /; (.*)\r/.exec(field)?.[1]);

test('recipients in several domains that fail are told of in one', async () => {
  await using stage = await queueStage();
  await stage.hop(2, { on: refused });
  await stage.hop(3, { on: refused });
  await stage.hop(4);
  stage.domain('two.test', 2);
  stage.domain('three.test', 3);
  stage.domain('four.test', 4);
  // No route, three hosts of which one takes it: some are known at once, some later.
  await stage.put({ to: ['a@two.test', 'b@three.test', 'c@four.test', 'd@nowhere.test', 'e@two.test'] });
  await stage.until(empty);
  const [report, ...more] = await stage.inbox();
  expect(more).toEqual([]);
  expect(failures(report)?.sort()).toEqual(['a@two.test', 'b@three.test', 'd@nowhere.test', 'e@two.test']);
});

test('recipients in several domains that are late are told of in one', async () => {
  await using stage = await queueStage();
  for (const host of [2, 3]) stage.domain(`host${host}.test`, host);
  await stage.put({ to: ['a@host2.test', 'b@host3.test'] });
  await stage.until((entries) => entries.length === 2 && entries.every(({ attempts }) => attempts > 0));
  const { warn } = QUEUE;
  stage.clock.advance(warn);
  await stage.until((entries) => entries.every(({ warnAt }) => warnAt === null));
  const [report, ...more] = await stage.inbox();
  expect(more).toEqual([]);
  expect(report?.match(/^Action: delayed\r$/gm)).toHaveLength(2);
});

test('nobody waits long for a host that does not answer, and what a host took is settled at once', async () => {
  await using stage = await queueStage();
  await stage.hop(2, { on: refused });
  await stage.hop(3, { on: (line) => (line.startsWith('RCPT') ? { do: 'stall' } : undefined) });
  await stage.hop(4);
  stage.domain('two.test', 2);
  stage.domain('three.test', 3);
  stage.domain('four.test', 4);
  await stage.put({ to: ['a@two.test', 'b@three.test', 'c@four.test'] });
  const left = await stage.until((entries) => entries.length === 2);
  expect(left.map(({ destination }) => destination).sort()).toEqual(['three.test', 'two.test']);
  expect(await stage.inbox()).toEqual([]);
  stage.clock.advance(MINUTE / 10);
  const [stalled, ...others] = await stage.until((entries) => entries.length === 1);
  expect(others).toEqual([]);
  expect(stalled?.destination).toBe('three.test');
  expect((await stage.inbox()).map(failures)).toEqual([['a@two.test']]);
});

const verdict = (transit: number, entry: number): Verdict =>
  // As far as notices look at it.
  ({ transit: { id: transit }, settlement: { entry } }) as unknown as Verdict;
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** Notices over a store that is told what it is to settle: `1:2` is entry 2 of message 1. */
function notices() {
  const written: string[][] = [];
  const clock = new FakeClock();
  const all = new Notices({
    clock,
    write: async (verdicts) => {
      written.push(verdicts.map(({ transit, settlement }) => `${transit.id}:${settlement.entry}`));
    },
  });
  const take = (transit: number, count: number) => {
    for (let at = 0; at < count; at++) all.take(transit as TransitId);
  };
  return { all, clock, written, take, letGo: (transit: number) => all.letGo(transit as TransitId) };
}

test('a notice waits for those in hand, no longer than that, and for nobody else', async () => {
  const { all, written, take, letGo } = notices();
  take(1, 3);
  take(2, 1);
  const first = all.settle([verdict(1, 1), verdict(2, 4)]);
  await turn();
  expect(written).toEqual([['2:4']]);
  const second = all.settle([verdict(1, 2)]);
  await turn();
  expect(written).toHaveLength(1);
  letGo(1);
  await Promise.all([first, second]);
  expect(written).toEqual([['2:4'], ['1:1', '1:2']]);
});

test('there is an end to waiting: a time, a number, a server that stops', async () => {
  const { all, clock, written, take } = notices();
  take(1, 2);
  const late = all.settle([verdict(1, 1)]);
  await turn();
  clock.advance(3_000);
  await turn();
  expect(written).toEqual([['1:1']]);
  await late;
  for (let transit = 10; transit < 1_011; transit++) {
    take(transit, 2);
    void all.settle([verdict(transit, transit)]);
  }
  await turn();
  expect(written).toEqual([['1:1'], ['10:10']]);
  all.hurry();
  await turn();
  expect(written[2]).toHaveLength(1_000);
});
