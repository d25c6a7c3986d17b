// The queue runner, the relay and the reports, from an accepted message to its end.

import { simpleParser } from 'mailparser';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Identity, makeContext } from '../../src/platform/tls.ts';
import { KEYWORDS } from '../smtp/fake-server.ts';
import { makeTestIdentity } from '../smtp/test-identity.ts';
import { DAY, LETTER, MINUTE, queueStage } from './queue-stage.ts';

const TLS = [...KEYWORDS, 'STARTTLS'];
const empty = (entries: readonly unknown[]) => entries.length === 0;
let identity: Identity;
beforeAll(async () => {
  identity = await makeTestIdentity('mx2.test');
});

/** The machine-readable part of a report; mailparser must see a report with three parts. */
async function statusOf(report: string | undefined): Promise<string> {
  const octets = report ?? '';
  const mail = await simpleParser(octets);
  expect(mail.headers.get('content-type')).toMatchObject({
    value: 'multipart/report',
    params: { 'report-type': 'delivery-status' },
  });
  const boundary = /boundary="([^"]+)"/.exec(octets)?.[1] ?? '';
  const parts = octets.split(`--${boundary}`);
  expect(parts).toHaveLength(5);
  expect(parts[2]).toMatch(/^\r\nContent-Type: message\/delivery-status\r\n/);
  return parts[2] ?? '';
}

describe('delivery', () => {
  test('what is accepted is on its way at once, octet for octet, to both recipients in one transaction', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2);
    stage.domain('far.test', 2);
    await stage.put({ to: ['bob@far.test', 'carol@far.test'] });
    await stage.until(empty);
    expect(server.messages).toMatchObject([
      { content: LETTER, recipients: ['RCPT TO:<bob@far.test>', 'RCPT TO:<carol@far.test>'], secure: false },
    ]);
    expect(await stage.inbox()).toEqual([]);
  });

  test('messages for one destination share a connection', async () => {
    await using stage = await queueStage({ relay: { perDestination: 1 } });
    const server = await stage.hop(2);
    stage.domain('far.test', 2);
    for (let count = 0; count < 10; count++) await stage.put({ to: ['bob@far.test'] });
    await stage.until(empty);
    expect(server.messages).toHaveLength(10);
    expect(server.sessions).toHaveLength(1);
    await stage.partFrom(server);
    expect(server.sessions[0]?.commands.at(-1)).toBe('QUIT');
  });

  test('no more connections to one destination than allowed, and each message once', async () => {
    await using stage = await queueStage({ relay: { perDestination: 3 } });
    const server = await stage.hop(2);
    stage.domain('far.test', 2);
    await Promise.all(Array.from({ length: 60 }, (_, n) => stage.put({ to: [`r${n}@far.test`] })));
    await stage.until(empty);
    expect(server.sessions.length).toBeLessThanOrEqual(3);
    expect(new Set(server.messages.map(({ recipients }) => recipients[0])).size).toBe(60);
    expect(server.messages).toHaveLength(60);
  });

  test('a hundred destinations with ten connections', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2);
    for (let n = 0; n < 100; n++) stage.domain(`d${n}.test`, 2);
    await stage.put({ to: Array.from({ length: 100 }, (_, n) => `r@d${n}.test`) });
    await stage.until(empty);
    expect(server.messages).toHaveLength(100);
  });

  test('each recipient has its own end', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2, {
      on: (line) =>
        line.includes('gone@') ? '550 5.1.1 nobody' : line.includes('slow@') ? '450 4.2.0 later' : undefined,
    });
    stage.domain('far.test', 2);
    await stage.put({ to: ['a@far.test', 'gone@far.test', 'slow@far.test'] });
    const [left] = await stage.until((entries) => entries.every(({ attempts }) => attempts > 0));
    expect(left).toMatchObject({ recipient: { localPart: 'slow' }, last: { reply: { code: 450, status: '4.2.0' } } });
    const [report] = await stage.inbox();
    expect(await statusOf(report)).toMatch(
      /Final-Recipient: rfc822; gone@far\.test\r\nAction: failed\r\nStatus: 5\.1\.1/,
    );
    expect(await statusOf(report)).not.toContain('slow@');
    expect(server.messages).toHaveLength(1);
  });

  test('recipients beyond the limit of one transaction go in the next', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2, { keywords: [...KEYWORDS, 'LIMITS RCPTMAX=2'] });
    stage.domain('far.test', 2);
    await stage.put({ to: ['a@far.test', 'b@far.test', 'c@far.test', 'd@far.test', 'e@far.test'] });
    await stage.until(empty);
    expect(server.messages.map(({ recipients }) => recipients.length)).toEqual([2, 2, 1]);
    expect(server.sessions).toHaveLength(1);
  });

  test('large content passes in chunks', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2);
    stage.domain('far.test', 2);
    const content = `Subject: large\r\n\r\n${'.0123456789\r\n'.repeat(200_000)}`;
    await stage.put({ to: ['bob@far.test'], content });
    await stage.until(empty);
    expect(server.messages[0]?.content === content).toBe(true);
  });
});

describe('TLS of the hop', () => {
  test('H2: STARTTLS where it is offered, with any certificate', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2, { keywords: TLS, context: makeContext([identity], 'lenient') });
    stage.domain('far.test', 2);
    await stage.put({ to: ['bob@far.test'] });
    await stage.until(empty);
    expect(server.messages[0]?.secure).toBe(true);
    const line = stage.records.find(({ hop }) => hop === 'MTA→MTA');
    expect(line).toMatchObject({
      message: 'm1',
      recipient: 'bob@far.test',
      host: 'mx2.test',
      reply: 250,
      msg: 'delivered',
    });
    expect(line?.tls).toMatch(/^TLSv1\.3 /);
  });

  test('H3: after a failed handshake in clear on a new connection, and so for a while', async () => {
    await using stage = await queueStage({ relay: { perDestination: 1 } });
    const server = await stage.hop(2, {
      keywords: TLS,
      on: (line) => (line === 'STARTTLS' ? { do: 'broken-tls' } : undefined),
    });
    stage.domain('far.test', 2);
    await stage.put({ to: ['bob@far.test'] });
    await stage.until(empty);
    expect(server.messages).toMatchObject([{ secure: false }]);
    expect(server.sessions).toHaveLength(2);
    await stage.partFrom(server);
    await stage.put({ to: ['bob@far.test'] });
    await stage.until(empty);
    expect(server.sessions.map(({ commands }) => commands.includes('STARTTLS'))).toEqual([true, false, false]);
  });
});

describe('several hosts', () => {
  test('the next one where the first does not answer, closes, or says 4yz', async () => {
    for (const script of [
      null,
      { greeting: '421 busy' },
      { greeting: { do: 'close' } },
      { on: (line: string) => (line.startsWith('RCPT') ? '451 4.3.0 later' : undefined) },
      { on: (line: string) => (line.startsWith('MAIL') ? ({ do: 'close' } as const) : undefined) },
    ] as const) {
      await using stage = await queueStage();
      if (script !== null) await stage.hop(2, script);
      const second = await stage.hop(3);
      stage.domain('far.test', 2, 3);
      await stage.put({ to: ['bob@far.test'] });
      await stage.until(empty);
      expect(second.messages).toHaveLength(1);
    }
  });

  test('a 5yz ends it: no other host is asked', async () => {
    await using stage = await queueStage();
    await stage.hop(2, { on: (line) => (line.startsWith('RCPT') ? '550 5.1.1 no' : undefined) });
    const second = await stage.hop(3);
    stage.domain('far.test', 2, 3);
    await stage.put({ to: ['bob@far.test'] });
    await stage.until(empty);
    expect(second.sessions).toEqual([]);
    expect(await stage.inbox()).toHaveLength(1);
  });

  test('a host that takes no mail at all (521, RFC 7504) fails only if no other does better', async () => {
    await using stage = await queueStage();
    await stage.hop(2, { greeting: '521 no mail here' });
    stage.domain('far.test', 2);
    await stage.put({ to: ['bob@far.test'] });
    await stage.until(empty);
    expect(await stage.inbox()).toHaveLength(1);
    stage.domain('near.test', 2, 4);
    await stage.put({ to: ['bob@near.test'] });
    await stage.until((entries) => entries[0]?.attempts === 1);
  });

  test('a dead host is not tried again for each message of a batch', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2, { greeting: { do: 'close' } });
    stage.domain('far.test', 2);
    await Promise.all(Array.from({ length: 40 }, () => stage.put({ to: ['bob@far.test'] })));
    await stage.until((entries) => entries.length === 40 && entries.every(({ attempts }) => attempts === 1));
    expect(server.sessions).toHaveLength(1);
  });

  test('an idle connection that the peer closes costs no message a try', async () => {
    await using stage = await queueStage({ relay: { perDestination: 1 } });
    const server = await stage.hop(2, {
      on: (line, session) => (line.startsWith('MAIL') && session.mail !== '' ? '421 4.4.2 idle too long' : undefined),
    });
    stage.domain('far.test', 2);
    await stage.put({ to: ['a@far.test'] });
    await stage.until(empty);
    await stage.put({ to: ['b@far.test'] });
    await stage.until(empty);
    expect(server.messages).toHaveLength(2);
    expect(server.sessions).toHaveLength(2);
  });
});

describe('where there is no way', () => {
  test.each([
    ['a null MX', { mx: [{ preference: 0, exchange: '' }] }, '5.1.10'],
    ['a domain that is not there', null, '5.1.2'],
  ] as const)('%s fails at once', async (_, records, status) => {
    await using stage = await queueStage();
    if (records !== null) stage.dns.set('far.test', records);
    await stage.put({ to: ['bob@far.test', 'carol@far.test'] });
    await stage.until(empty);
    const inbox = await stage.inbox();
    expect(inbox).toHaveLength(1);
    expect((await statusOf(inbox[0])).match(/Status: .*/g)).toEqual([`Status: ${status}`, `Status: ${status}`]);
  });

  test('a DNS that fails defers', async () => {
    await using stage = await queueStage();
    stage.dns.set('far.test', { broken: true });
    await stage.put({ to: ['bob@far.test'] });
    const [entry] = await stage.until((entries) => entries[0]?.attempts === 1);
    expect(entry?.nextAt).toBeGreaterThan(stage.clock.now());
    await stage.hop(2);
    stage.domain('far.test', 2);
    await stage.pass();
    await stage.until(empty);
  });
});

describe('time', () => {
  test('five days in a second: the table, a warning, the end', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2, { on: (line) => (line.startsWith('RCPT') ? '450 4.7.1 come back' : undefined) });
    stage.domain('far.test', 2);
    const begin = stage.clock.now();
    await stage.put({ to: ['bob@far.test'] });
    await stage.until((entries) => entries[0]?.attempts === 1);
    const tries: number[] = [];
    let warned: number | null = null;
    while ((await stage.entries()).length > 0) {
      await stage.pass();
      const [left] = await stage.entries();
      if (left !== undefined && tries.length < left.entry.attempts - 1) tries.push(stage.clock.now() - begin);
      if (warned === null && (await stage.inbox()).length === 1) warned = stage.clock.now() - begin;
    }
    // Jitter with random() = 0.5 adds a twentieth.
    const waits = tries.map((at, index) => Math.round((at - (tries[index - 1] ?? 0)) / 1.05 / MINUTE));
    expect(waits.slice(0, 8)).toEqual([5, 15, 30, 60, 120, 240, 240, 240]);
    expect(stage.clock.now() - begin).toBe(5 * DAY);
    expect(warned).toBe(240 * MINUTE);
    const [delayed, failed, ...more] = await stage.inbox();
    expect(more).toEqual([]);
    expect(await statusOf(delayed)).toMatch(/Action: delayed\r\nStatus: 4\.7\.1[\s\S]*Will-Retry-Until: /);
    const end = await statusOf(failed);
    expect(end).toMatch(
      /Action: failed\r\nStatus: 4\.7\.1\r\nRemote-MTA: dns; mx2\.test\r\nDiagnostic-Code: smtp; 450 4\.7\.1 come back/,
    );
    expect(server.messages).toEqual([]);
  });

  test('a DNS that fails meanwhile puts nothing off that is on its way', async () => {
    await using stage = await queueStage({ relay: { perDestination: 1 } });
    const server = await stage.hop(2, {
      on: (line) => {
        if (!line.startsWith('MAIL')) return undefined;
        stage.dns.set('far.test', { broken: true });
        stage.clock.advance(90_000);
        return undefined;
      },
    });
    stage.domain('far.test', 2);
    await Promise.all(['a', 'b', 'c'].map((name) => stage.put({ to: [`${name}@far.test`] })));
    await stage.until((entries) => entries.every(({ attempts, nextAt }) => attempts > 0 && nextAt > stage.clock.now()));
    expect(server.messages).toHaveLength(3);
  });

  test('an operator makes it due now', async () => {
    await using stage = await queueStage();
    const server = await stage.hop(2, { on: (line) => (line.startsWith('RCPT') ? '450 4.7.1 come back' : undefined) });
    stage.domain('far.test', 2);
    await stage.put({ to: ['bob@far.test'] });
    const [entry] = await stage.until((entries) => entries[0]?.attempts === 1);
    server.script = {};
    stage.clock.advance(10_000);
    await stage.store.execute<'queue-control'>({
      kind: 'queue-control',
      entries: entry === undefined ? [] : [entry.id],
      action: 'retry',
      now: stage.clock.now(),
    });
    await stage.until(empty);
    expect(server.messages).toHaveLength(1);
  });
});

describe('reports (RFC 3461, RFC 3464)', () => {
  const refuse = { on: (line: string) => (line.startsWith('RCPT') ? '550 5.1.1 nobody' : undefined) };

  test('name the message, the recipient as it was first, and send the header back', async () => {
    await using stage = await queueStage();
    await stage.hop(2, refuse);
    stage.domain('far.test', 2);
    await stage.put({
      to: [['bob@far.test', { orcpt: 'rfc822;robert@list.test', notify: ['failure'] }]],
      parameters: { envid: 'order 66', ret: 'HDRS' },
    });
    await stage.until(empty);
    const [report] = await stage.inbox();
    expect(report).toMatch(/^Return-Path: <>\r\n/);
    const mail = await simpleParser(report ?? '');
    expect(mail.inReplyTo).toBe('<letter@here.test>');
    expect(mail.headers.get('auto-submitted')).toBeDefined();
    expect(await statusOf(report)).toMatch(
      /Original-Envelope-Id: order 66[\s\S]*Original-Recipient: rfc822; robert@list\.test/,
    );
    const back = mail.attachments.find(({ contentType }) => contentType === 'text/rfc822-headers');
    expect(back?.content.toString()).toContain('Subject: hello');
    expect(report).not.toContain('Hello.');
  });

  test('RET=FULL sends all of it back, unless it is large', async () => {
    await using stage = await queueStage();
    await stage.hop(2, refuse);
    stage.domain('far.test', 2);
    await stage.put({ to: ['bob@far.test'], parameters: { ret: 'FULL' } });
    await stage.put({
      to: ['bob@far.test'],
      parameters: { ret: 'FULL' },
      content: `${LETTER}${'0123456789\r\n'.repeat(200_000)}`,
    });
    await stage.until(empty);
    const [small, large] = (await stage.inbox()).sort((one, other) => one.length - other.length);
    expect([small, large].filter((report) => report?.includes('Hello.'))).toHaveLength(1);
    expect(large?.length).toBeLessThan(10_000);
  });

  test.each([
    ['the null reverse-path', { from: null }, {}],
    ['NOTIFY=NEVER', {}, { notify: 'never' }],
    ['NOTIFY without FAILURE', {}, { notify: ['success', 'delay'] }],
  ] as const)('none to %s', async (_, mail, rcpt) => {
    await using stage = await queueStage();
    await stage.hop(2, refuse);
    stage.domain('far.test', 2);
    await stage.put({ to: [['bob@far.test', rcpt]], ...mail });
    await stage.until(empty);
    expect(await stage.inbox()).toEqual([]);
    expect(await stage.store.read.queue.size()).toBe(0);
  });

  test('one for a sender elsewhere is queued, from <>, and nobody reports on it', async () => {
    await using stage = await queueStage();
    await stage.hop(2, refuse);
    const home = await stage.hop(3, refuse);
    stage.domain('far.test', 2);
    stage.domain('home.test', 3);
    await stage.put({ to: ['bob@far.test'], from: 'eve@home.test' });
    await stage.until(empty);
    const mails = home.sessions.flatMap(({ commands }) => commands.filter((line) => /^(MAIL|RCPT)/.test(line)));
    expect(mails[0]).toMatch(/^MAIL FROM:<> /);
    expect(mails[1]).toBe('RCPT TO:<eve@home.test> NOTIFY=NEVER');
    expect(await stage.inbox()).toEqual([]);
  });

  test('NOTIFY=SUCCESS: the next hop tells if it can, else it is `relayed` (RFC 3461 §5.2.2)', async () => {
    for (const keywords of [KEYWORDS, KEYWORDS.filter((one) => one !== 'DSN')]) {
      await using stage = await queueStage();
      const server = await stage.hop(2, { keywords });
      stage.domain('far.test', 2);
      await stage.put({ to: [['bob@far.test', { notify: ['success'] }]] });
      await stage.until(empty);
      expect(server.messages).toHaveLength(1);
      const inbox = await stage.inbox();
      expect(inbox).toHaveLength(keywords === KEYWORDS ? 0 : 1);
      if (inbox[0] !== undefined) expect(await statusOf(inbox[0])).toMatch(/Action: relayed\r\nStatus: 2\./);
    }
  });
});
