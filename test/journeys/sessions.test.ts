// Sessions that are open while something happens to them: new mail in IDLE, certificates and accounts read again, a server
// that stops.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ImapClient } from '../clients/imap.ts';
import { addressOf, createWorld, loginOf, PASSWORD, type Server } from '../world.ts';

/** Responses until one matches. */
async function until(client: ImapClient, wanted: RegExp): Promise<string[]> {
  const seen: string[] = [];
  for (;;) {
    const { text } = await client.response();
    seen.push(text);
    if (wanted.test(text)) return seen;
  }
}

describe('IDLE', () => {
  test('two sessions of one user see mail from inside and from the other server at once, and each other', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there } = world;
    using phone = await here.imap('bob');
    using desk = await here.imap('bob', 143);
    await phone.done('SELECT INBOX');
    await desk.done('SELECT INBOX');
    const endPhone = await phone.idle();
    let endDesk = await desk.idle();

    await here.submit('alice', { to: addressOf('bob'), subject: 'from inside', text: 'x' });
    await Promise.all([until(phone, /^\* 1 EXISTS$/), until(desk, /^\* 1 EXISTS$/)]);
    await there.submit('carol', { to: addressOf('bob'), subject: 'from outside', text: 'x' });
    await Promise.all([until(phone, /^\* 2 EXISTS$/), until(desk, /^\* 2 EXISTS$/)]);

    await endDesk();
    await desk.done('STORE 1 +FLAGS (\\Flagged)');
    expect((await until(phone, /FETCH/)).at(-1)).toMatch(/^\* 1 FETCH \(.*\\Flagged/);
    await desk.done('STORE 2 +FLAGS.SILENT (\\Deleted)');
    await until(phone, /^\* 2 FETCH .*\\Deleted/);
    await desk.done('EXPUNGE');
    await until(phone, /^\* 2 EXPUNGE$/);
    endDesk = await desk.idle();
    await endPhone();
    const fetched = await phone.done('FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])');
    expect(fetched.map(({ literals }) => literals[0]?.toString().trim())).toEqual(['Subject: from inside']);
    await endDesk();
  });

  test('imapflow hears of new mail', async () => {
    await using world = await createWorld({ level: 'warn' });
    const { here } = world;
    const flow = await here.flow('bob');
    await flow.mailboxOpen('INBOX');
    const heard = new Promise<unknown>((resolve) => flow.once('exists', resolve));
    void flow.idle();
    await here.submit('alice', { to: addressOf('bob'), text: 'x' });
    expect(await heard).toMatchObject({ path: 'INBOX', count: 1, prevCount: 0 });
    await flow.logout();
  });
});

describe('certificates and accounts read again', () => {
  const fingerprint = async (server: Server): Promise<string> => {
    using client = await server.smtp(465, loginOf('alice'));
    const secure = client.link.secure;
    if (!secure) throw new Error('465 is TLS');
    return secure.getPeerCertificate().fingerprint256;
  };

  test('open sessions live on; new ones meet the new certificate and the new people', async () => {
    await using world = await createWorld({ level: 'warn' });
    const { here } = world;
    const before = await fingerprint(here);
    using submitting = await here.smtp(465, loginOf('alice'));
    await submitting.command(`MAIL FROM:<${addressOf('alice')}>`, 250);
    await submitting.command(`RCPT TO:<${addressOf('bob')}>`, 250);
    using reading = await here.imap('bob');
    await reading.done('SELECT INBOX');
    const done = await reading.idle();

    for (const kind of ['p256', 'rsa']) await rm(join(here.config.tls.folder, `server-${kind}.pem`));
    const [alice, bob] = here.config.accounts;
    if (!alice || !bob) throw new Error('there are two accounts');
    await here.running.reload({
      ...here.config,
      accounts: [alice, { ...bob, aliases: ['bobby@example.test'] }, { ...bob, address: 'erin@example.test' }],
    });

    await submitting.command('DATA', 354);
    await submitting.command('Subject: across\r\n\r\nx\r\n.', 250);
    await until(reading, /^\* 1 EXISTS$/);
    await done();
    expect(await reading.status('INBOX', 'MESSAGES')).toBe(1);

    expect(await fingerprint(here)).not.toBe(before);
    // The session of before knows the people of now.
    await submitting.send(
      addressOf('alice'),
      ['bobby@example.test', 'erin@example.test'],
      'Subject: x\r\n\r\nx\r\n.\r\n',
    );
    expect(await here.messages('bob')).toHaveLength(2);
    using erin = await here.imap('erin@example.test');
    expect(await erin.status('INBOX', 'MESSAGES')).toBe(1);
  });

  test('a changed password: the old one is out at once, sessions that had it live on', async () => {
    await using world = await createWorld({ level: 'warn' });
    const { here } = world;
    using open = await here.imap('bob');
    await open.done('SELECT INBOX');
    const accounts = here.config.accounts.map((account) =>
      account.address === addressOf('bob') ? { ...account, password: 'another' } : account,
    );
    await here.running.reload({ ...here.config, accounts });
    using fresh = await here.smtp(465, { user: addressOf('bob'), password: 'another' });
    await fresh.command('NOOP', 250);
    using old = await here.smtp(465);
    const token = Buffer.from(`\0${addressOf('bob')}\0${PASSWORD}`).toString('base64');
    await old.command(`AUTH PLAIN ${token}`, 535);
    await open.done('NOOP');
  });
});

describe('a server that stops', () => {
  test('sessions hear it in their own language, and what got 250 is there afterwards', async () => {
    await using world = await createWorld({ servers: 2, level: 'warn' });
    const { here } = world;
    using resting = await here.smtp(25);
    using submitting = await here.smtp(587, loginOf('alice'));
    using idling = await here.imap('bob');
    using reading = await here.imap('bob', 143);
    using fetching = await here.pop3('bob');
    using locked = await here.pop3('alice', 110);
    await idling.done('SELECT INBOX');
    await reading.done('SELECT INBOX');
    await idling.idle();
    await submitting.send(addressOf('alice'), [addressOf('bob')], 'Subject: before\r\n\r\nx\r\n.\r\n');
    await until(idling, /^\* 1 EXISTS$/);

    // A transaction under way may end; nothing begins after it.
    await submitting.command(`MAIL FROM:<${addressOf('alice')}>`, 250);
    await submitting.command(`RCPT TO:<${addressOf('bob')}>`, 250);
    await submitting.command('DATA', 354);
    const stopped = here.restart();
    expect((await resting.reply()).code).toBe(421);
    await until(idling, /^\* BYE /);
    await until(reading, /^\* BYE /);
    for (const client of [fetching, locked]) expect((await client.reply(false)).text).toMatch(/^\[SYS\/TEMP\]/);
    await submitting.command('Subject: during\r\n\r\nx\r\n.', 250);
    expect((await submitting.reply()).code).toBe(421);
    await Promise.all([resting, submitting, idling, reading, fetching, locked].map(({ link }) => link.closed()));
    await stopped;

    const messages = await here.messages('bob');
    expect(messages.map((octets) => /^Subject: (.*)\r$/m.exec(octets.toString())?.[1])).toEqual(['before', 'during']);
  });

  test('a client that says nothing more is cut when the grace is over, and its message was never taken', async () => {
    await using world = await createWorld({ level: 'warn' });
    const { here, clock } = world;
    using stalled = await here.smtp(25);
    await stalled.command('MAIL FROM:<eve@elsewhere.test>', 250);
    await stalled.command(`RCPT TO:<${addressOf('bob')}>`, 250);
    await stalled.command('DATA', 354);
    stalled.link.write('Subject: half\r\n\r\nhal');
    let ended = false;
    const stopped = here.restart().then(() => {
      ended = true;
    });
    while (!ended) {
      clock.advance(500);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await stopped;
    await stalled.link.closed();
    expect(await here.messages('bob')).toEqual([]);
  });
});
