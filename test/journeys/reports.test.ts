// Reports on the way back to a sender (RFC 3461, RFC 3464): what another server refuses, what it says later, what was
// asked for by NOTIFY; and the loops that end in one.

import { describe, expect, test } from 'vitest';
import { KEYWORDS, startFakeServer } from '../smtp/fake-server.ts';
import { addressOf, createWorld, loginOf, type Server } from '../world.ts';
import { DAY, MINUTE, pass, queueWaits } from './passage.ts';
import { readReport } from './report.ts';

/** Submits one message with parameters of MAIL and RCPT. */
async function submit(server: Server, user: string, to: readonly string[], mail = ''): Promise<void> {
  using client = await server.smtp(465, loginOf(user));
  await client.command(`MAIL FROM:<${addressOf(user)}>${mail}`, 250);
  for (const recipient of to) await client.command(`RCPT TO:${recipient}`, 250);
  await client.command('DATA', 354);
  await client.command('Message-ID: <first@x.test>\r\nSubject: hello\r\n\r\nThe body.\r\n.', 250);
  await client.quit();
}

describe('what another server refuses', () => {
  test('an unknown recipient: one report, by which the sender knows message, recipient and reason', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there } = world;
    await submit(here, 'alice', ['<nobody@other.test>', '<carol@other.test>'], ' ENVID=order+2B66');
    await here.queueEmpty();

    expect(await there.messages('carol')).toHaveLength(1);
    const [octets, ...more] = await here.messages('alice');
    expect(more).toEqual([]);
    expect(octets?.toString()).toMatch(/^Return-Path: <>\r\n/);
    const report = await readReport(octets);
    expect(report).toMatchObject({
      from: 'postmaster@mail.example.test',
      to: 'alice@example.test',
      autoSubmitted: 'auto-replied',
      inReplyTo: '<first@x.test>',
    });
    expect(report.message.get('reporting-mta')).toBe('dns; mail.example.test');
    expect(report.message.get('original-envelope-id')).toBe('order+66');
    expect(report.recipients).toHaveLength(1);
    const [recipient] = report.recipients;
    expect(recipient?.get('final-recipient')).toBe('rfc822; nobody@other.test');
    expect(recipient?.get('action')).toBe('failed');
    expect(recipient?.get('status')).toBe('5.1.1');
    expect(recipient?.get('remote-mta')).toBe('dns; mail.other.test');
    expect(recipient?.get('diagnostic-code')).toMatch(/^smtp; 550 5\.1\.1 /);
    expect(report.returned.type).toBe('text/rfc822-headers');
    expect(report.returned.text).toContain('Subject: hello');
    expect(report.returned.text).not.toContain('The body.');
  });

  test('a report that nobody takes is not reported on', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there } = world;
    // A forged sender at the other server: the bounce goes there, is refused, and that is the end of it.
    using client = await there.smtp(25);
    await client.send('ghost@example.test', [addressOf('carol')], 'Subject: x\r\n\r\nx\r\n.\r\n');
    await client.command('MAIL FROM:<>', 250);
    await client.command('RCPT TO:<nobody@other.test>', 550);
    await submit(here, 'alice', ['<nobody@other.test> NOTIFY=NEVER']);
    await here.queueEmpty();
    expect(await here.messages('alice')).toEqual([]);
    expect(await there.running.store.read.queue.size()).toBe(0);
    expect(await there.messages('carol')).toHaveLength(1);
  });

  test('a message that is too large for the other server', async () => {
    await using world = await createWorld({
      servers: 2,
      configure: (config, name) =>
        name === 'here' ? config : { ...config, limits: { ...config.limits, messageSize: 100_000 } },
    });
    const { here, there } = world;
    await here.submit('alice', { to: addressOf('carol'), text: 'x'.repeat(200_000) });
    await here.queueEmpty();
    const [octets] = await here.messages('alice');
    const { recipients } = await readReport(octets);
    expect(recipients[0]?.get('status')).toBe('5.3.4');
    expect(await there.messages('carol')).toEqual([]);
  });
});

describe('NOTIFY=SUCCESS', () => {
  test('to a server with DSN: that one tells, once delivered', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there } = world;
    await submit(here, 'alice', ['<carol@other.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;caroline@other.test']);
    await here.queueEmpty();
    await there.queueEmpty();
    const [octets, ...more] = await here.messages('alice');
    expect(more).toEqual([]);
    const { message, recipients } = await readReport(octets);
    expect(message.get('reporting-mta')).toBe('dns; mail.other.test');
    expect(recipients[0]?.get('original-recipient')).toBe('rfc822; caroline@other.test');
    expect(recipients[0]?.get('action')).toBe('delivered');
    expect(recipients[0]?.get('status')).toMatch(/^2\./);
  });

  test('to a server without DSN: it was relayed, says the last one that knows', async () => {
    await using world = await createWorld();
    const { here } = world;
    const peer = await startFakeServer({ keywords: KEYWORDS.filter((keyword) => keyword !== 'DSN') });
    try {
      here.wayOut.target = peer.port;
      world.dns.set('plain.test', { mx: [{ preference: 1, exchange: 'mx.plain.test' }] });
      world.dns.set('mx.plain.test', { ipv4: ['127.0.0.1'] });
      await submit(here, 'alice', ['<zoe@plain.test> NOTIFY=SUCCESS']);
      await here.queueEmpty();
      expect(peer.messages[0]).toMatchObject({ recipients: ['RCPT TO:<zoe@plain.test>'] });
      const { recipients } = await readReport((await here.messages('alice'))[0]);
      expect(recipients[0]?.get('action')).toBe('relayed');
    } finally {
      await peer.close();
    }
  });

  test('to a local recipient: the report is there with the 250', async () => {
    await using world = await createWorld();
    await submit(world.here, 'alice', ['<bob@example.test> NOTIFY=SUCCESS']);
    const { recipients } = await readReport((await world.here.messages('alice'))[0]);
    expect(recipients[0]?.get('final-recipient')).toBe('rfc822; bob@example.test');
    expect(recipients[0]?.get('action')).toBe('delivered');
  });
});

describe('time', () => {
  test('after four hours a warning, after five days the end, and then silence', async () => {
    await using world = await createWorld({ servers: 2, level: 'warn' });
    const { here, there, clock } = world;
    const peer = await startFakeServer({
      on: (line) => (line.startsWith('RCPT') ? '450 4.2.1 mailbox busy' : undefined),
    });
    try {
      here.wayOut.target = peer.port;
      const begin = clock.now();
      await submit(here, 'alice', ['<carol@other.test>']);
      await queueWaits(here);
      let warnedAfter: number | null = null;
      while ((await here.running.store.read.queue.size()) > 0) {
        await pass(world, here);
        if (warnedAfter === null && (await here.messages('alice')).length > 0) warnedAfter = clock.now() - begin;
      }
      expect(warnedAfter).toBe(4 * 60 * MINUTE);
      expect(clock.now() - begin).toBe(5 * DAY);
      const [delayed, failed, ...more] = await here.messages('alice');
      expect(more).toEqual([]);
      const warning = await readReport(delayed);
      expect(warning.recipients[0]?.get('action')).toBe('delayed');
      expect(warning.recipients[0]?.get('status')).toBe('4.2.1');
      const until = Date.parse(warning.recipients[0]?.get('will-retry-until') ?? '');
      expect(Math.abs(until - begin - 5 * DAY)).toBeLessThan(1000);
      const end = await readReport(failed);
      expect(end.recipients[0]?.get('action')).toBe('failed');
      expect(end.recipients[0]?.get('status')).toBe('4.2.1');
      expect(end.recipients[0]?.get('diagnostic-code')).toMatch(/^smtp; 450 4\.2\.1 /);
    } finally {
      await peer.close();
    }
    expect(await there.messages('carol')).toEqual([]);
    // The next message finds the way as if nothing had been.
    here.wayOut.target = there.port(25);
    clock.advance(2 * MINUTE);
    await submit(here, 'alice', ['<carol@other.test>']);
    await here.queueEmpty();
    expect(await there.messages('carol')).toHaveLength(1);
  });

  test('NOTIFY without DELAY: no warning, and the end all the same', async () => {
    await using world = await createWorld({ servers: 2, level: 'warn' });
    const { here } = world;
    here.wayOut.target = null;
    await submit(here, 'alice', ['<carol@other.test> NOTIFY=FAILURE']);
    await queueWaits(here);
    while ((await here.running.store.read.queue.size()) > 0) await pass(world, here);
    const [octets, ...more] = await here.messages('alice');
    expect(more).toEqual([]);
    expect((await readReport(octets)).recipients[0]?.get('action')).toBe('failed');
  });
});

describe('loops', () => {
  const statusAt = async (server: Server): Promise<string | undefined> =>
    (await readReport((await server.messages('alice'))[0])).recipients[0]?.get('status');

  test('a domain whose MX is this server, which does not know it', async () => {
    await using world = await createWorld();
    world.dns.set('strange.test', { mx: [{ preference: 10, exchange: 'mail.example.test' }] });
    await submit(world.here, 'alice', ['<x@strange.test>']);
    await world.here.queueEmpty();
    expect(await statusAt(world.here)).toBe('5.4.6');
    expect(world.here.wayOut.connections).toBe(0);
  });

  test('the same behind a name and an address that it does not know as its own: port 25 relays for nobody', async () => {
    await using world = await createWorld();
    const { here } = world;
    world.dns.set('strange.test', { mx: [{ preference: 10, exchange: 'front.strange.test' }] });
    world.dns.set('front.strange.test', { ipv4: ['127.0.0.1'] });
    here.wayOut.target = here.port(25);
    await submit(here, 'alice', ['<x@strange.test>']);
    await here.queueEmpty();
    expect(await statusAt(here)).toBe('5.7.1');
    expect(here.wayOut.connections).toBe(1);
  });

  test('a message that has been to the recipient before comes back to its sender', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there } = world;
    await here.submit('alice', { to: addressOf('carol'), subject: 'round', text: 'x' });
    await here.queueEmpty();
    const [delivered] = await there.messages('carol');
    // What a forwarder elsewhere makes of it: the same message, all its fields, to the same recipient.
    using client = await here.smtp(465, loginOf('alice'));
    await client.send(addressOf('alice'), [addressOf('carol')], `${delivered?.toString('latin1')}.\r\n`);
    await here.queueEmpty();
    expect(await statusAt(here)).toBe('5.4.6');
    expect(await there.messages('carol')).toHaveLength(1);
  });

  test('a message of a hundred hops is refused at the door, and its sender told', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there } = world;
    const hops = (count: number): string =>
      'Received: by somebody.test; Thu, 1 Jan 2026 00:00:00 +0000\r\n'.repeat(count);
    using client = await here.smtp(465, loginOf('alice'));
    await expect(
      client.send(addressOf('alice'), [addressOf('carol')], `${hops(101)}\r\nx\r\n.\r\n`),
    ).rejects.toMatchObject({ reply: { code: 554 } });
    await client.send(addressOf('alice'), [addressOf('carol')], `${hops(100)}\r\nx\r\n.\r\n`);
    await here.queueEmpty();
    expect(await statusAt(here)).toBe('5.4.6');
    expect(await there.messages('carol')).toEqual([]);
  });
});
