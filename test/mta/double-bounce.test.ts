// Reports that cannot reach their reader: never reported on, counted, and shown to the postmaster where mail of a user of
// ours is lost otherwise. And what one report tells of several recipients.

import { expect, test } from 'vitest';
import { queueStage } from './queue-stage.ts';

const empty = (entries: readonly unknown[]) => entries.length === 0;
const refuse = { on: (line: string) => (line.startsWith('RCPT') ? '550 5.1.1 nobody here' : undefined) };

test('what a sender who is gone cannot be told, the postmaster is; only of failures', async () => {
  await using stage = await queueStage();
  await stage.hop(2, refuse);
  await stage.hop(3, { keywords: [] });
  stage.domain('far.test', 2);
  stage.domain('near.test', 3);
  await stage.put({ to: ['bob@far.test', 'carol@far.test'], from: 'gone@here.test' });
  await stage.until(empty);
  await stage.put({ to: [['dave@near.test', { notify: ['success'] }]], from: 'gone@here.test' });
  await stage.until(empty);
  const [report, ...more] = await stage.inbox();
  expect(more).toEqual([]);
  expect(report).toMatch(/^Return-Path: <>\r\n/);
  expect(report).toMatch(/^To: <postmaster@mail\.here\.test>\r$/m);
  expect(report?.match(/^Action: failed\r$/gm)).toHaveLength(2);
  expect((await stage.store.read.queue.status()).tallies).toEqual({ 'double bounces': 1 });
});

test('a report that is refused elsewhere ends there, is counted and logged', async () => {
  await using stage = await queueStage();
  await stage.hop(2, refuse);
  stage.domain('far.test', 2);
  stage.domain('home.test', 2);
  await stage.put({ to: ['bob@far.test'], from: 'eve@home.test' });
  await stage.until(empty);
  expect(await stage.inbox()).toEqual([]);
  expect((await stage.store.read.queue.status()).tallies).toEqual({ 'double bounces': 1 });
  expect(stage.records.filter(({ level, message }) => level === 40 && String(message).endsWith('.dsn'))).toHaveLength(
    1,
  );
});

test('recipients that failed alike are told of in one report, those that did not in another part of it', async () => {
  await using stage = await queueStage();
  await stage.hop(2, {
    on: (line) =>
      line.startsWith('RCPT') ? (line.includes('full') ? '552 5.2.2 full' : '550 5.1.1 nobody here') : undefined,
  });
  stage.domain('far.test', 2);
  await stage.put({ to: ['a@far.test', 'b@far.test', 'full@far.test'] });
  await stage.until(empty);
  const [report, ...more] = await stage.inbox();
  expect(more).toEqual([]);
  expect(report?.match(/^Status: .*\r$/gm)?.sort()).toEqual(['Status: 5.1.1\r', 'Status: 5.1.1\r', 'Status: 5.2.2\r']);
  expect((await stage.store.read.queue.status()).tallies).toEqual({});
});

test('a sender with an address beyond ASCII gets a report of RFC 6533', async () => {
  await using stage = await queueStage();
  await stage.hop(2, refuse);
  stage.domain('far.test', 2);
  await stage.put({ to: ['jürgen@far.test'], parameters: { smtputf8: true } });
  await stage.until(empty);
  const [report] = await stage.inbox();
  expect(report).toContain('Content-Type: message/global-delivery-status\r\n');
  expect(report).toContain('Final-Recipient: utf-8; jürgen@far.test\r\n');
});
