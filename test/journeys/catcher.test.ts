// Postern as a catcher for programs under test ([test] of the configuration): every recipient is local, any password
// opens any mailbox, and nothing leaves.

import { simpleParser } from 'mailparser';
import { expect, test } from 'vitest';
import { ImapClient } from '../clients/imap.ts';
import { Pop3Client } from '../clients/pop3.ts';
import { createWorld, type WorldOptions } from '../world.ts';

const catcher: WorldOptions = {
  configure: (config) => ({
    ...config,
    accounts: [],
    test: { catchAll: true, anyPassword: true, exposed: false },
    queue: { ...config.queue, retry: [1000] },
  }),
};

test('unknown recipients of unknown domains get mailboxes, on every port; any password reads them', async () => {
  await using world = await createWorld(catcher);
  const { here } = world;
  const strangers = ['someone@shop.example', 'Other.One+tag@mail.shop.example', 'dora@example.test'];
  for (const gate of [25, 465, 587] as const) {
    using client = await here.smtp(gate, gate === 25 ? undefined : { user: 'app@shop.example', password: `p${gate}` });
    const content = `Subject: gate ${gate}\r\nBcc: hidden@shop.example\r\n\r\n.leading dot\r\n.\r\n`;
    await client.send('no-reply@anything.example', strangers, content.replace('\r\n.leading', '\r\n..leading'));
    await client.quit();
  }
  for (const user of ['someone@shop.example', 'other.one@mail.shop.example', 'dora@example.test']) {
    for (const [tls, gate] of [['implicit', 993] as const, ['starttls', 143] as const]) {
      using client = await ImapClient.open({ port: here.port(gate), tls }, { user, password: `any-${gate}` });
      const messages = await client.messages('INBOX');
      const mails = await Promise.all(messages.map((octets) => simpleParser(octets)));
      expect(mails.map(({ subject }) => subject)).toEqual(['gate 25', 'gate 465', 'gate 587']);
      expect(mails.map(({ text }) => text?.trim())).toEqual(Array(3).fill('.leading dot'));
      await client.logout();
    }
    for (const [tls, gate] of [['implicit', 995] as const, ['starttls', 110] as const]) {
      using client = await Pop3Client.open({ port: here.port(gate), tls }, { user, password: `any ${gate}` });
      const mails = await Promise.all((await client.messages()).map((octets) => simpleParser(octets)));
      expect(mails.map(({ subject }) => subject)).toEqual(['gate 25', 'gate 465', 'gate 587']);
      expect(mails.map(({ text }) => text?.trim())).toEqual(Array(3).fill('.leading dot'));
      await client.quit();
    }
  }
  expect(await here.running.store.read.queue.size()).toBe(0);
  expect(here.wayOut.connections).toBe(0);
  expect(world.dns.asked).toEqual([]);
});

test('what is asked for stays inside, too: reports, mail to a real-looking domain, postmaster', async () => {
  await using world = await createWorld(catcher);
  const { here } = world;
  using client = await here.smtp(25);
  await client.command('MAIL FROM:<app@shop.example>', 250);
  await client.command('RCPT TO:<boss@gmail.com> NOTIFY=SUCCESS', 250);
  await client.command('RCPT TO:<Postmaster>', 250);
  await client.command('DATA', 354);
  await client.command('Subject: x\r\n\r\nx\r\n.', 250);
  expect(await here.messages('app@shop.example')).toHaveLength(1);
  expect(await here.messages('boss@gmail.com')).toHaveLength(1);
  expect(await here.messages('postmaster@example.test')).toHaveLength(1);
  world.clock.advance(24 * 60 * 60_000);
  expect(here.wayOut.connections).toBe(0);
  expect(world.dns.asked).toEqual([]);
});

test('a mailbox that nobody wrote to yet is there and empty, and told of the first message', async () => {
  await using world = await createWorld(catcher);
  const { here } = world;
  using reader = await here.imap('new@shop.example');
  expect((await reader.done('SELECT INBOX')).map(({ text }) => text)).toContain('* 0 EXISTS');
  const done = await reader.idle();
  using client = await here.smtp(25);
  await client.send('', ['new@shop.example'], 'Subject: first\r\n\r\nx\r\n.\r\n');
  expect((await reader.response()).text).toBe('* 1 EXISTS');
  await done();
});

test('without catch-all, any password still opens only accounts that exist', async () => {
  await using world = await createWorld({
    configure: (config) => ({ ...config, test: { catchAll: false, anyPassword: true, exposed: false } }),
  });
  const { here } = world;
  const door = { port: here.port(993), tls: 'implicit' } as const;
  using client = await ImapClient.open(door, { user: 'bob@example.test', password: 'whatever' });
  expect(await client.status('INBOX', 'MESSAGES')).toBe(0);
  const stranger = ImapClient.open(door, { user: 'mallory@example.test', password: 'whatever' });
  await expect(stranger).rejects.toThrow();
});
