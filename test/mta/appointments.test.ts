// Messages with an appointment in the queue: held until (RFC 4865), due by (RFC 2852), before others (RFC 6710).

import { describe, expect, test } from 'vitest';
import { KEYWORDS } from '../smtp/fake-server.ts';
import { DAY, MINUTE, QUEUE, queueStage } from './queue-stage.ts';

const empty = (entries: readonly unknown[]) => entries.length === 0;
const HOUR = 60 * MINUTE;

describe('FUTURERELEASE', () => {
  test('nothing leaves before its time, and then at once; it expires so much later', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2);
    stage.domain('far.test', 2);
    const now = stage.clock.now();
    await stage.put({ to: ['later@far.test'], parameters: { holdUntil: now + DAY } });
    await stage.put({ to: ['now@far.test'] });
    const [held] = await stage.until((entries) => entries.length === 1);
    expect(server.messages.map(({ recipients }) => recipients)).toEqual([['RCPT TO:<now@far.test>']]);
    expect(held).toMatchObject({ nextAt: now + DAY, expiresAt: now + 6 * DAY, attempts: 0 });
    stage.clock.advance(DAY - 1);
    expect(server.messages).toHaveLength(1);
    stage.clock.advance(1);
    await stage.until(empty);
    expect(server.messages).toHaveLength(2);
  });

  test('a restart forgets nothing of it', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2);
    stage.domain('far.test', 2);
    await stage.put({ to: ['a@far.test'], parameters: { holdUntil: stage.clock.now() + HOUR } });
    await stage.runner.close(0);
    await using next = await stage.successor();
    stage.clock.advance(HOUR);
    await next.until(empty);
    expect(server.messages).toHaveLength(1);
  });

  test('for a mailbox here it is in the queue until then, and in the mailbox once', async () => {
    await using stage = await queueStage();
    const content = `Message-ID: <held@here.test>\r\nSubject: held\r\n\r\n${'0123456789\r\n'.repeat(50_000)}`;
    await stage.put({
      to: ['alice@here.test', 'postmaster@here.test'],
      parameters: { holdUntil: stage.clock.now() + HOUR },
      content,
    });
    await stage.until((entries) => entries.length === 2);
    expect(await stage.inbox()).toEqual([]);
    stage.clock.advance(HOUR);
    await stage.until(empty);
    const [message, ...more] = await stage.inbox();
    expect(more).toEqual([]);
    expect(message?.endsWith(content)).toBe(true);
    expect(message).toMatch(/^Return-Path: <alice@here\.test>\r\nDelivered-To: alice@here\.test\r\n/);
    expect(stage.records.filter(({ hop, msg }) => hop === 'MTA→MDA' && msg === 'delivered')).toHaveLength(2);
  });

  test('one that asked hears of the delivery then, and of a mailbox that is gone', async () => {
    await using stage = await queueStage();
    await stage.put({
      to: [['alice@here.test', { notify: ['success'], orcpt: 'rfc822;al@x.test' }], 'nobody@here.test'],
      parameters: { holdUntil: stage.clock.now() + HOUR, ret: 'HDRS' },
    });
    await stage.until((entries) => entries.length === 2);
    stage.clock.advance(HOUR);
    await stage.until(empty);
    const inbox = await stage.inbox();
    expect(inbox).toHaveLength(3);
    const reports = inbox.filter((message) => message.includes('multipart/report')).join('\n');
    expect(reports).toMatch(
      /Original-Recipient: rfc822; al@x\.test\r\nFinal-Recipient: rfc822; alice@here\.test\r\nAction: delivered\r\nStatus: 2\.1\.5/,
    );
    expect(reports).toMatch(/Final-Recipient: rfc822; nobody@here\.test\r\nAction: failed\r\nStatus: 5\.1\.1/);
  });
});

describe('DELIVERBY', () => {
  const inTime = [...KEYWORDS, 'DELIVERBY'];
  const busy = (line: string) => (line.startsWith('RCPT') ? '450 4.2.0 later' : undefined);

  test('R: what is not there by then is returned as failed 5.4.7', async () => {
    await using stage = await queueStage();
    await stage.hop(2, { keywords: inTime, on: busy });
    stage.domain('far.test', 2);
    const deliverBy = { at: stage.clock.now() + 12 * MINUTE, mode: 'R', trace: false } as const;
    await stage.put({ to: ['a@far.test'], parameters: { deliverBy } });
    await stage.until(([entry]) => entry?.attempts === 1);
    await stage.pass();
    expect(await stage.inbox()).toEqual([]);
    await stage.pass();
    await stage.until(empty);
    expect(stage.clock.now()).toBe(deliverBy.at);
    expect(await stage.inbox()).toMatchObject([expect.stringMatching(/Action: failed\r\nStatus: 5\.4\.7/)]);
  });

  test('R: a host that cannot be reached is no better', async () => {
    await using stage = await queueStage();
    stage.domain('far.test', 2);
    await stage.put({
      to: ['a@far.test'],
      parameters: { deliverBy: { at: stage.clock.now() + MINUTE, mode: 'R', trace: false } },
    });
    await stage.until(([entry]) => entry?.attempts === 1);
    await stage.pass();
    await stage.until(empty);
    expect(await stage.inbox()).toMatchObject([expect.stringMatching(/Status: 5\.4\.7/)]);
  });

  test('R: goes to nobody who does not promise it', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2);
    stage.domain('far.test', 2);
    await stage.put({
      to: ['a@far.test'],
      parameters: { deliverBy: { at: stage.clock.now() + DAY, mode: 'R', trace: false } },
    });
    await stage.until(empty);
    expect(server.messages).toEqual([]);
    expect(await stage.inbox()).toMatchObject([expect.stringMatching(/Action: failed\r\nStatus: 5\.3\.3/)]);
  });

  test('N: a delay is reported then, and it goes on', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2, { on: busy });
    stage.domain('far.test', 2);
    const deliverBy = { at: stage.clock.now() + 2 * MINUTE, mode: 'N', trace: false } as const;
    await stage.put({ to: ['a@far.test'], parameters: { deliverBy } });
    await stage.until(([entry]) => entry?.attempts === 1);
    await stage.pass();
    await stage.until(([entry]) => entry?.warnAt === null);
    expect(stage.clock.now()).toBe(deliverBy.at);
    expect(await stage.inbox()).toMatchObject([expect.stringMatching(/Action: delayed\r\nStatus: 4\.4\.7/)]);
    server.script = {};
    await stage.pass();
    await stage.until(empty);
    expect(server.messages).toHaveLength(1);
    expect(await stage.inbox()).toHaveLength(1);
  });

  test('N: a delay is reported then, whatever was reported before', async () => {
    await using stage = await queueStage();
    await stage.hop(2, { on: busy });
    stage.domain('far.test', 2);
    const { warn } = QUEUE;
    const deliverBy = { at: stage.clock.now() + 2 * warn, mode: 'N', trace: false } as const;
    await stage.put({ to: ['a@far.test'], parameters: { deliverBy } });
    await stage.until(([entry]) => entry?.attempts === 1);
    while (stage.clock.now() < deliverBy.at) await stage.pass();
    const states = (await stage.inbox()).map((report) => /Action: delayed\r\nStatus: (.*)\r/.exec(report)?.[1]);
    expect(states).toEqual(['4.2.0', '4.4.7']);
    expect(await stage.until(([entry]) => entry?.warnAt === null)).toHaveLength(1);
  });

  test('N: a host that knows of no time gets it, is asked to tell of a delay, and the sender hears of that', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2, { keywords: [...KEYWORDS, 'DSN'] });
    stage.domain('far.test', 2);
    const at = stage.clock.now() + HOUR;
    const to = [
      'a@far.test',
      ['b@far.test', { notify: ['failure'] }],
      ['c@far.test', { notify: 'never' }],
      ['d@far.test', { notify: ['delay', 'success'] }],
    ] as const;
    await stage.put({ to, parameters: { deliverBy: { at, mode: 'N', trace: false } } });
    await stage.until(empty);
    expect(server.messages[0]?.recipients.map((line) => / NOTIFY=.*/.exec(line)?.[0])).toEqual([
      ' NOTIFY=FAILURE,DELAY',
      ' NOTIFY=FAILURE,DELAY',
      ' NOTIFY=NEVER',
      ' NOTIFY=DELAY,SUCCESS',
    ]);
    const [report, ...more] = await stage.inbox();
    expect(more).toEqual([]);
    expect(report?.match(/[a-d]@far\.test\r\nAction: relayed/g)?.map(([name]) => name)).toEqual(['a', 'b', 'd']);
    // Once the time is over, there is nothing to tell.
    await stage.put({ to: ['a@far.test'], parameters: { deliverBy: { at: at - 2 * HOUR, mode: 'N', trace: false } } });
    await stage.until(empty);
    expect(server.messages[1]?.recipients.map((line) => line.includes('NOTIFY'))).toEqual([false]);
    expect(await stage.inbox()).toHaveLength(1);
  });

  test('T: each hop is told of, also where the next one tells the rest', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2, { keywords: inTime });
    stage.domain('far.test', 2);
    const at = stage.clock.now() + HOUR;
    await stage.put({ to: ['a@far.test'], parameters: { deliverBy: { at, mode: 'R', trace: false } } });
    await stage.until(empty);
    expect(await stage.inbox()).toEqual([]);
    await stage.put({
      to: ['a@far.test', ['b@far.test', { notify: 'never' }], ['c@far.test', { notify: ['failure'] }]],
      parameters: { deliverBy: { at, mode: 'R', trace: true } },
    });
    await stage.until(empty);
    const [report, ...more] = await stage.inbox();
    expect(more).toEqual([]);
    expect(report).toMatch(/Final-Recipient: rfc822; a@far\.test\r\nAction: relayed/);
    expect(report).toMatch(/Final-Recipient: rfc822; c@far\.test\r\nAction: relayed/);
    expect(report).not.toContain('b@far.test');
    expect(server.messages.map(({ mail }) => / BY=.*/.exec(mail)?.[0])).toEqual([' BY=3600;R', ' BY=3600;RT']);
  });
});

describe('MT-PRIORITY', () => {
  test('of what waits, the most urgent goes first, and the least last', async () => {
    await using stage = await queueStage({ relay: { perDestination: 1 } });
    stage.domain('far.test', 2);
    const ranks = [0, -4, 3, undefined, 9, -9, 0];
    for (const [index, priority] of ranks.entries()) {
      const parameters = priority === undefined ? {} : { priority };
      await stage.put({ to: [`n${index}@far.test`], parameters });
    }
    await stage.until((entries) => entries.every(({ attempts }) => attempts === 1));
    const server = await stage.hop(2, { keywords: [...KEYWORDS, 'MT-PRIORITY'] });
    stage.clock.advance(HOUR);
    await stage.until(empty);
    const order = server.messages.map(({ recipients }) => /n(\d)/.exec(recipients[0] ?? '')?.[1]);
    expect(order).toEqual(['4', '2', '0', '3', '6', '1', '5']);
    expect(server.messages.map(({ mail }) => / MT-PRIORITY=(.*)/.exec(mail)?.[1])).toEqual([
      '9',
      '3',
      '0',
      undefined,
      '0',
      '-4',
      '-9',
    ]);
  });

  test('a report on a message has its rank', async () => {
    await using stage = await queueStage();
    stage.domain('far.test', 2);
    stage.domain('home.test', 3);
    const keywords = KEYWORDS.filter((one) => one !== 'DSN');
    await stage.hop(2, { keywords, on: (line) => (line.startsWith('RCPT TO:<b') ? '550 5.1.1 no' : undefined) });
    const home = await stage.hop(3, { keywords: [...KEYWORDS, 'MT-PRIORITY'] });
    for (const to of ['a@far.test', 'b@far.test']) {
      const notify = ['success', 'failure'] as const;
      await stage.put({ from: 'eve@home.test', to: [[to, { notify }]], parameters: { priority: 3 } });
      await stage.until(empty);
    }
    expect(home.messages.map(({ mail }) => mail)).toEqual([
      expect.stringMatching(/^MAIL FROM:<> .*MT-PRIORITY=3/),
      expect.stringMatching(/^MAIL FROM:<> .*MT-PRIORITY=3/),
    ]);
  });

  test('a rank is worth hours of waiting, so that it counts in any queue and nobody starves; what is held stays so', async () => {
    await using stage = await queueStage();
    await stage.runner.close(0);
    const now = stage.clock.now();
    await stage.put({ to: ['a@far.test'], parameters: { priority: 2 } });
    await stage.put({ to: ['b@far.test'], parameters: { priority: -2 } });
    await stage.put({ to: ['c@far.test'], parameters: { priority: 9, holdUntil: now + HOUR } });
    const entries = await stage.store.read.queue.list({ limit: 500 });
    expect(entries.map(({ entry }) => entry.nextAt - now)).toEqual([-2 * HOUR, 0, HOUR]);
  });
});
