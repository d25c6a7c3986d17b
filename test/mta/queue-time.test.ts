// The queue through days, with a clock in hand: bounds of each wait, a server that was off, an operator who forgot.

import { describe, expect, test } from 'vitest';
import { verdictOf } from '../../src/mta/settlement.ts';
import type { EntryRow, TransitRow } from '../../src/store/rows.ts';
import { DAY, MINUTE, QUEUE, queueStage } from './queue-stage.ts';

const empty = (entries: readonly unknown[]) => entries.length === 0;
const later = (line: string) => (line.startsWith('RCPT') ? '450 4.2.1 later' : undefined);

/** When an entry is tried next that has been tried so often. @param now since it was taken, ms */
function nextTry(attempts: number, random: number, now: number): number | null {
  // What nextTry of settlement.ts looks at, and no more.
  const entry = {
    attempts,
    expiresAt: QUEUE.expire,
    createdAt: 0,
    warnAt: null,
    parameters: {},
  } as unknown as EntryRow;
  const transit = { reversePath: null, parameters: {} } as unknown as TransitRow; // as above
  const outcome = { kind: 'deferred', status: '4.2.1', text: 'later' } as const;
  const attempt = { at: now, host: null, address: null, tls: null, reply: null, text: 'later' };
  const result = { task: { transit, entries: [entry] }, entry, outcome, attempt, deliverBy: false, dsn: false };
  const { then } = verdictOf(result, { queue: QUEUE, random: () => random }, now).settlement;
  return then.kind === 'retry' && then.nextAt !== null ? then.nextAt - now : null;
}

describe('waits', () => {
  test.each([
    [0, 5],
    [1, 15],
    [5, 240],
    [6, 240],
    [1_000, 240],
  ])('after %i tries more, from %i minutes to a tenth over', (attempts, minutes) => {
    expect(nextTry(attempts, 0, 0)).toBe(minutes * MINUTE);
    expect(nextTry(attempts, 0.999_999, 0)).toBeGreaterThan(1.099 * minutes * MINUTE);
    expect(nextTry(attempts, 0.999_999, 0)).toBeLessThanOrEqual(1.1 * minutes * MINUTE);
  });

  test('the last try is at the end and not behind it, and there is none after', () => {
    expect(nextTry(9, 0.5, QUEUE.expire - 10 * MINUTE)).toBe(10 * MINUTE);
    expect(nextTry(9, 0.5, QUEUE.expire)).toBeNull();
  });
});

describe('a server that was off', () => {
  test('for a day: one try at its start, and the warning that was due meanwhile, once', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2, { on: later });
    stage.domain('far.test', 2);
    await stage.put({ to: ['bob@far.test'] });
    await stage.until((entries) => entries[0]?.attempts === 1);
    await stage.runner.close(0);
    stage.clock.advance(DAY);
    await using next = await stage.successor();
    await next.until((entries) => entries[0]?.attempts === 2 && entries[0].warnAt === null);
    expect(server.messages).toEqual([]);
    const [report, ...more] = await stage.inbox();
    expect(report).toMatch(/^Action: delayed\r$/m);
    expect(more).toEqual([]);
  });

  test.each([
    ['still busy', later, 1],
    ['well again', () => undefined, 0],
  ] as const)('for longer than mail is kept: one last try at a host that is %s', async (_, on, reports) => {
    await using stage = await queueStage();
    const server = await stage.hop(2, { on: later });
    stage.domain('far.test', 2);
    await stage.put({ to: ['bob@far.test'] });
    await stage.until((entries) => entries[0]?.attempts === 1);
    await stage.runner.close(0);
    server.script = { on };
    stage.clock.advance(9 * DAY);
    await using next = await stage.successor();
    await next.until(empty);
    expect(server.messages).toHaveLength(1 - reports);
    const inbox = await stage.inbox();
    expect(inbox).toHaveLength(reports);
    if (reports > 0) expect(inbox[0]).toMatch(/^Action: failed\r\nStatus: 4\.2\.1\r$/m);
  });
});

test('a domain that was suspended for a week: one last try of what is too old, the rest as ever', async () => {
  await using stage = await queueStage();
  let busy = true;
  const server = await stage.hop(2, { on: (line) => (busy ? later(line) : undefined) });
  stage.domain('far.test', 2);
  await stage.put({ to: ['old@far.test'] });
  await stage.until((entries) => entries[0]?.attempts === 1);
  const suspend = (suspended: boolean) =>
    stage.store.execute({ kind: 'suspend-destination', destination: 'far.test', suspended, now: stage.clock.now() });
  await suspend(true);
  stage.clock.advance(7 * DAY);
  await stage.put({ to: ['new@far.test'] });
  expect(await stage.store.read.queue.nextAt()).toBeNull();
  await suspend(false);
  const left = await stage.until((entries) => entries.length === 1 && entries[0]?.attempts === 1);
  expect(left[0]?.recipient.localPart).toBe('new');
  const [report, ...more] = await stage.inbox();
  expect(report).toMatch(/^Final-Recipient: rfc822; old@far\.test\r\nAction: failed\r\nStatus: 4\.2\.1\r$/m);
  expect(more).toEqual([]);
  busy = false;
  await stage.pass();
  await stage.until(empty);
  expect(server.messages).toHaveLength(1);
});

test('hosts that are dead are remembered for a while only, and not all for as long', async () => {
  await using stage = await queueStage();
  const server = await stage.hop(2, { greeting: '421 4.3.2 no' });
  stage.domain('far.test', 2);
  stage.domain('near.test', 2);
  await stage.put({ to: ['a@far.test'] });
  await stage.until((entries) => entries[0]?.attempts === 1);
  stage.clock.advance(59_000);
  await stage.put({ to: ['b@near.test'] });
  await stage.until((entries) => entries[1]?.attempts === 1);
  expect(server.sessions).toHaveLength(1);
  stage.clock.advance(1_000);
  server.script = {};
  await stage.put({ to: ['c@far.test'] });
  await stage.until((entries) => entries.length === 2);
  expect(server.messages).toHaveLength(1);
});
