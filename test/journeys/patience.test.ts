// A server that does not take a message now: a greylist, a full mailbox, nobody there. The message waits and arrives once.

import { describe, expect, test } from 'vitest';
import { scriptedPeer } from '../wire.ts';
import { addressOf, createWorld, loginOf, type WorldOptions } from '../world.ts';
import { MINUTE, pass, queueWaits } from './passage.ts';
import { readReport } from './report.ts';

describe('a peer that is not ready', () => {
  test('a greylist: 450 at first, accepted after the retry time', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there, clock } = world;
    const heard: string[] = [];
    here.wayOut.instead.push(
      scriptedPeer((line) => {
        heard.push(line);
        if (line.startsWith('RCPT')) return '450 4.7.1 Greylisted, come back later';
        return line.startsWith('QUIT') ? '221 bye' : line.startsWith('DATA') ? '503 no' : '250 ok';
      }),
    );
    const begin = clock.now();
    await here.submit('alice', { to: addressOf('carol'), subject: 'patience', text: 'x' });
    const [entry] = await queueWaits(here);
    expect(entry).toMatchObject({ attempts: 1, last: { reply: { code: 450, status: '4.7.1' } } });
    // Five minutes by the table, and the jitter of a half (5 % of the wait).
    expect((entry?.nextAt ?? 0) - begin).toBe(5.25 * MINUTE);
    expect(heard).not.toContain('DATA');
    expect(await there.messages('carol')).toEqual([]);

    clock.advance(5 * MINUTE);
    expect(here.wayOut.connections).toBe(1);
    await pass(world, here);
    await here.queueEmpty();
    expect(await there.messages('carol')).toHaveLength(1);
    expect(here.wayOut.connections).toBe(2);
    expect(await here.messages('alice')).toEqual([]);
  });

  test('one of two recipients is greylisted: nobody gets it twice', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there } = world;
    let content = 0;
    here.wayOut.instead.push(
      scriptedPeer((line) => {
        if (line === '.') content++;
        if (line.startsWith('RCPT')) return line.includes('carol') ? '450 4.2.0 later' : '250 ok';
        return line.startsWith('DATA') ? '354 go' : line.startsWith('QUIT') ? '221 bye' : '250 ok';
      }),
    );
    await here.submit('alice', { to: [addressOf('carol'), addressOf('dave')], text: 'x' });
    await queueWaits(here);
    await pass(world, here);
    await here.queueEmpty();
    expect(content).toBe(1);
    expect(await there.messages('carol')).toHaveLength(1);
    expect(await there.messages('dave')).toEqual([]);
  });

  test.each([
    ['nobody answers', null],
    ['it closes at once', (socket: { end(): void }) => void socket.end()],
    ['it greets with 421', scriptedPeer(() => '421 no', '421 busy')],
    [
      'it breaks off after the content',
      scriptedPeer((line) => (line === 'DATA' ? '354 go' : line === '.' ? '421 oh' : '250 ok')),
    ],
  ] as const)('%s: the message waits and arrives once', async (_, peer) => {
    await using world = await createWorld({ servers: 2 });
    const { here, there } = world;
    if (peer === null) here.wayOut.target = null;
    else here.wayOut.instead.push(peer);
    await here.submit('alice', { to: addressOf('carol'), text: 'x' });
    await queueWaits(here);
    here.wayOut.target = there.port(25);
    await pass(world, here);
    await here.queueEmpty();
    expect(await there.messages('carol')).toHaveLength(1);
  });

  test('a DNS that is down for an hour', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there, dns } = world;
    dns.set('other.test', { broken: true });
    await here.submit('alice', { to: addressOf('carol'), text: 'x' });
    const [entry] = await queueWaits(here);
    expect(entry?.last?.reply).toBeNull();
    await pass(world, here);
    await pass(world, here);
    dns.set('other.test', { mx: [{ preference: 10, exchange: 'mail.other.test' }] });
    await pass(world, here);
    await here.queueEmpty();
    expect(await there.messages('carol')).toHaveLength(1);
  });
});

describe('a mailbox over its quota', () => {
  const small = (octets: number): WorldOptions => ({
    servers: 2,
    configure: (config) => ({
      ...config,
      accounts: config.accounts.map((account) =>
        account.address.startsWith('carol') ? { ...account, quota: octets } : account,
      ),
    }),
  });

  test('mail waits elsewhere until there is room', async () => {
    await using world = await createWorld(small(20_000));
    const { here, there } = world;
    await here.submit('alice', { to: addressOf('carol'), text: 'x'.repeat(12_000) });
    await here.queueEmpty();
    await here.submit('alice', {
      to: [addressOf('carol'), addressOf('dave')],
      subject: 'second',
      text: 'y'.repeat(12_000),
    });
    const entries = await queueWaits(here);
    expect(entries).toMatchObject([
      { recipient: { localPart: 'carol' }, last: { reply: { code: 452, status: '4.2.2' } } },
    ]);
    // Never refuses one because of the other.
    expect(await there.messages('dave')).toHaveLength(1);

    using client = await there.imap('carol');
    await client.done('SELECT INBOX');
    await client.done('STORE 1:* +FLAGS.SILENT (\\Deleted)');
    await client.done('EXPUNGE');
    await client.logout();
    await pass(world, here);
    await here.queueEmpty();
    const [octets, ...more] = await there.messages('carol');
    expect(more).toEqual([]);
    expect(octets?.toString()).toContain('Subject: second');
  });

  test('what would not fit an empty mailbox comes back at once', async () => {
    await using world = await createWorld(small(10_000));
    const { here, there } = world;
    await here.submit('alice', { to: addressOf('carol'), text: 'x'.repeat(12_000) });
    await here.queueEmpty();
    const { recipients } = await readReport((await here.messages('alice'))[0]);
    expect(recipients[0]?.get('status')).toBe('5.2.2');
    expect(await there.messages('carol')).toEqual([]);
  });

  test('a local sender hears of it at RCPT; without SIZE the last message may exceed; the postmaster always fits', async () => {
    await using world = await createWorld({
      configure: (config) => ({
        ...config,
        accounts: config.accounts.map((account) => ({ ...account, quota: 5_000 })),
      }),
    });
    const { here } = world;
    using client = await here.smtp(587, loginOf('bob'));
    const content = `Subject: large\r\n\r\n${'0123456789\r\n'.repeat(600)}.\r\n`;
    await client.send(addressOf('bob'), [addressOf('alice')], content);
    await expect(client.send(addressOf('bob'), [addressOf('alice')], content)).rejects.toMatchObject({
      reply: { code: 452 },
    });
    await client.send(addressOf('bob'), ['postmaster@example.test'], content);
    expect(await here.messages('alice')).toHaveLength(2);
    await client.quit();
  });
});
