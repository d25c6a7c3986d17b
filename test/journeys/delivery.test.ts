// The way of a message through two servers: submitted at one, queued, relayed over port 25, delivered and read at the
// other; and whom an address leads to.

import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { addressOf, createWorld, loginOf } from '../world.ts';

describe('from a user of one server to a user of the other', () => {
  test.each([465, 587] as const)('submitted on %i, relayed over 25 with TLS, read on 993 and 143', async (gate) => {
    await using world = await createWorld({ servers: 2 });
    const { here, there } = world;
    const text = 'A first line.\r\n.\r\n..two dots\r\nGrüße, \u{1f4ec}\r\n';
    await here.submit(
      'alice',
      { to: addressOf('carol'), subject: 'Übermorgen', text, messageId: '<one@x.test>' },
      gate,
    );
    await here.queueEmpty();

    const [octets, ...more] = await there.messages('carol');
    expect(more).toEqual([]);
    const mail = await simpleParser(octets ?? '');
    expect(mail.subject).toBe('Übermorgen');
    expect(mail.text?.replaceAll('\n', '\r\n')).toBe(text);
    expect(mail.messageId).toBe('<one@x.test>');
    expect(mail.headers.get('return-path')).toMatchObject({ text: addressOf('alice') });
    expect(mail.headers.get('delivered-to')).toBeDefined();

    // The newest hop stands first (RFC 5321 §4.4), each by its protocol (RFC 3848).
    const hops = mail.headerLines.filter(({ key }) => key === 'received').map(({ line }) => line.replace(/\s+/g, ' '));
    expect(hops).toHaveLength(2);
    expect(hops[0]).toMatch(/^Received: from mail\.example\.test .*by mail\.other\.test .*with ESMTPS .*TLSv1\.3/);
    expect(hops[1]).toMatch(/by mail\.example\.test .*with ESMTPSA /);

    const client = await there.imap('carol', 143);
    const [fetched] = await client.messages('INBOX');
    expect(fetched).toEqual(octets);
    await client.logout();
  });

  test('H1: each hop stands in the log by its name, with one id a server', async () => {
    await using world = await createWorld({ servers: 2 });
    await world.here.submit('alice', { to: addressOf('carol'), subject: 'hops', text: 'x' });
    await world.here.queueEmpty();
    const hops = world.records.filter(({ hop, message }) => hop !== undefined && message !== undefined);
    const [submitted] = hops;
    expect(hops.filter(({ message }) => message === submitted?.message).map(({ hop }) => hop)).toEqual([
      'MUA→MSA',
      'MSA→MTA',
      'MTA→MTA',
    ]);
    const relayed = hops.filter(({ hop }) => hop === 'MTA→MTA');
    const arrived = relayed.find(({ message }) => message !== submitted?.message)?.message;
    expect(hops.filter(({ message }) => message === arrived).map(({ hop }) => hop)).toEqual(['MTA→MTA', 'MTA→MDA']);
  });

  test('local and remote recipients of one message: the local have it with the 250', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there } = world;
    here.wayOut.target = null;
    await here.submit('alice', {
      to: [addressOf('bob'), addressOf('carol')],
      cc: addressOf('dave'),
      bcc: addressOf('alice'),
      subject: 'all',
      text: 'hello',
    });
    for (const user of ['bob', 'alice']) {
      const [octets, ...more] = await here.messages(user);
      expect(more).toEqual([]);
      expect(octets?.toString()).not.toMatch(/^bcc:/im);
    }
    expect(await here.running.store.read.queue.size()).toBe(2);
    expect(await there.messages('carol')).toEqual([]);
  });

  test('a hundred messages, each once and whole, answers on the way back', async () => {
    await using world = await createWorld({ servers: 2, level: 'warn' });
    const { here, there } = world;
    const bodyOf = (number: number): string => `${`${number} `.repeat(40)}\r\n`.repeat(number);
    using client = await here.smtp(465, loginOf('alice'));
    for (let number = 0; number < 100; number++) {
      const content = `Subject: ${number}\r\n\r\n${bodyOf(number)}\r\n.\r\n`;
      await client.send(addressOf('alice'), [addressOf(number % 2 === 0 ? 'carol' : 'dave')], content);
    }
    await here.queueEmpty();
    const found = [...(await there.messages('carol')), ...(await there.messages('dave'))].map((octets) => {
      const [, number = '', body = ''] = /^Subject: (\d+)\r\n\r\n(.*)\r\n$/ms.exec(octets.toString()) ?? [];
      expect(body).toBe(bodyOf(Number(number)));
      return Number(number);
    });
    expect(found.sort((one, other) => one - other)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    await there.submit('carol', { to: addressOf('alice'), subject: 'Re: all', text: 'thanks' });
    await there.queueEmpty();
    expect(await here.messages('alice')).toHaveLength(1);
  });

  test('a large message passes as it is', async () => {
    await using world = await createWorld({ servers: 2, level: 'warn' });
    const { here, there } = world;
    const attachment = Buffer.alloc(6 * 1024 * 1024, 'all work and no play ');
    await here.submit('alice', { to: addressOf('carol'), text: 'see there', attachments: [{ content: attachment }] });
    await here.queueEmpty();
    const [octets] = await there.messages('carol');
    const mail = await simpleParser(octets ?? '');
    expect(mail.attachments[0]?.content.equals(attachment)).toBe(true);
  });

  test('what waits in the queue outlives a restart of both', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there } = world;
    here.wayOut.target = null;
    await here.submit('alice', { to: addressOf('carol'), subject: 'waits', text: 'x' });
    await here.restart();
    await there.restart();
    world.clock.advance(20 * 60_000);
    await here.queueEmpty();
    expect(await there.messages('carol')).toHaveLength(1);
  });
});

describe('whom an address leads to', () => {
  const content = 'Subject: to whom\r\n\r\nhello\r\n.\r\n';

  test.each([
    ['an alias', 'sales@example.test', 'bob'],
    ['an alias in capitals', 'SALES@Example.TEST', 'bob'],
    ['user+detail', 'bob+lists.2026@example.test', 'bob'],
    ['alias+detail', 'sales+x@example.test', 'bob'],
    ['a quoted local part', '"bob"@example.test', 'bob'],
    ['T9: postmaster of the domain', 'PostMaster@example.test', 'alice'],
    ['T9: postmaster of the host', 'postmaster@mail.example.test', 'alice'],
    ['T9: postmaster of no domain', 'Postmaster', 'alice'],
  ])('%s: <%s>', async (_, address, user) => {
    await using world = await createWorld({
      level: 'warn',
      configure: (config) => ({
        ...config,
        accounts: config.accounts.map((account) =>
          account.address === 'bob@example.test' ? { ...account, aliases: ['sales@example.test'] } : account,
        ),
      }),
    });
    using client = await world.here.smtp(25);
    await client.send('eve@elsewhere.test', [address], content);
    const [octets] = await world.here.messages(user);
    const header = octets?.toString() ?? '';
    expect(header).toMatch(/^Return-Path: <eve@elsewhere\.test>\r\n/);
    // The address as the envelope had it, so that its detail can be seen (RFC 9228 §2).
    const local = address.replaceAll('"', '').replace(/@.*/, '');
    expect(/^Delivered-To: (.*)\r$/m.exec(header)?.[1]?.toLowerCase()).toContain(local.toLowerCase());
    await client.quit();
  });

  test('a user may write as an alias and with a detail, and as nobody else', async () => {
    await using world = await createWorld({ servers: 2, level: 'warn' });
    const { here, there } = world;
    for (const from of ['postmaster@example.test', 'alice+shop@example.test']) {
      await here.submit('alice', { from, to: addressOf('carol'), text: 'as an alias' });
    }
    const forged = here.submit('alice', { from: addressOf('bob'), to: addressOf('carol'), text: 'as bob' });
    await expect(forged).rejects.toMatchObject({ responseCode: 550 });
    await here.queueEmpty();
    expect(await there.messages('carol')).toHaveLength(2);
  });

  test('one copy for one mailbox, by however many addresses', async () => {
    await using world = await createWorld({ level: 'warn' });
    using client = await world.here.smtp(25);
    const names = ['alice@example.test', 'postmaster@example.test', 'alice+a@example.test', 'bob@example.test'];
    await client.send('eve@elsewhere.test', names, content);
    expect(await world.here.messages('alice')).toHaveLength(1);
    expect(await world.here.messages('bob')).toHaveLength(1);
  });
});
