// Servers that are not what they say: firewalls that mask, commands that get lost on their way, parameters that nobody wants.

import { describe, expect, test } from 'vitest';
import { isMasked, type Quirk, QuirkMemory } from '../../../src/smtp/client/quirks.ts';
import { FakeClock } from '../../fake-clock.ts';
import { fakeServer, KEYWORDS, type Script } from '../fake-server.ts';
import { contentOf, envelopeTo, openTo } from './try-out.ts';

const HELLO = contentOf('Subject: hello\r\n\r\nbye\r\n');

describe('a firewall that masks', () => {
  const greeting = '220 ****************************2****0***0**0*0';
  const keywords = ['PIPELINING', 'XXXXXXXA', 'SIZE 50000000', 'XXXXXXXXXXXXXXXXXXB', '8BITMIME', 'CHUNKING'];

  test('what it has left is used, one command at a time', async () => {
    const server = await fakeServer({ greeting, keywords });
    const connection = await openTo(server);
    const [outcome] = await connection.send(envelopeTo([['a@fake.test', { notify: 'never' }]]), HELLO);
    expect(outcome?.kind).toBe('delivered');
    await connection.quit();
    expect(server.sessions[0]?.commands).toEqual([
      'EHLO client.test',
      `MAIL FROM:<alice@client.test> SIZE=${HELLO.size}`,
      'RCPT TO:<a@fake.test>',
      'DATA',
      'QUIT',
    ]);
    expect(server.sessions[0]?.chunks.slice(0, 4).map((chunk) => chunk.split('\r\n').length)).toEqual([2, 2, 2, 2]);
  });

  test('EHLO itself is masked, and HELO goes through', async () => {
    const server = await fakeServer({
      greeting,
      on: (line) => (line.startsWith('EHLO') ? '500 5.5.1 Command unrecognized: "XXXX client.test"' : undefined),
    });
    const connection = await openTo(server);
    expect((await connection.send(envelopeTo(['a@fake.test']), HELLO))[0]?.kind).toBe('delivered');
    await connection.quit();
    expect(server.sessions[0]?.commands.slice(0, 3)).toEqual([
      'EHLO client.test',
      'HELO client.test',
      'MAIL FROM:<alice@client.test>',
    ]);
  });

  test.each([
    ['****************************', true],
    ['**** 02 *****0**', true],
    ['mail.example.test ESMTP ****', false],
    ['', false],
    ['2', false],
  ])('%j is masked: %s', (text, masked) => {
    expect(isMasked(text)).toBe(masked);
  });
});

describe('a server that hangs up on EHLO', () => {
  const deaf: Script = { on: (line) => (line.startsWith('EHLO') ? { do: 'close' } : undefined) };
  const failure = (opening: Promise<unknown>) =>
    opening.then(
      () => 'opened',
      ({ kind }: { kind: string }) => kind,
    );

  test('twice in a row: it hears HELO the third time', async () => {
    const quirks = new Set<Quirk>();
    const server = await fakeServer(deaf);
    expect(await failure(openTo(server, { quirks }))).toBe('closed');
    expect(await failure(openTo(server, { quirks }))).toBe('closed');
    const connection = await openTo(server, { quirks });
    expect((await connection.send(envelopeTo(['a@fake.test']), HELLO))[0]?.kind).toBe('delivered');
    connection.destroy();
    expect(server.sessions[2]?.commands.slice(0, 2)).toEqual(['HELO client.test', 'MAIL FROM:<alice@client.test>']);
  });

  test('and then has a message that needs an extension: nobody knows whether it has it, so it is asked again', async () => {
    const quirks = new Set<Quirk>();
    const server = await fakeServer(deaf);
    for (let times = 0; times < 2; times++) expect(await failure(openTo(server, { quirks }))).toBe('closed');
    const connection = await openTo(server, { quirks });
    const envelope = envelopeTo(['j\u00FCrgen@fake.test', 'a@fake.test'], { smtputf8: true });
    expect(await connection.send(envelope, HELLO)).toMatchObject([
      { kind: 'deferred', status: '4.6.7' },
      { kind: 'delivered' },
    ]);
    connection.destroy();
    server.script = {};
    const next = await openTo(server, { quirks });
    expect((await next.send(envelope, HELLO)).map((outcome) => outcome?.kind)).toEqual(['delivered', 'delivered']);
    next.destroy();
    server.script = { keywords: KEYWORDS.filter((keyword) => keyword !== 'SMTPUTF8') };
    const without = await openTo(server, { quirks });
    expect((await without.send(envelope, HELLO))[0]).toMatchObject({ kind: 'failed', status: '5.6.7' });
    without.destroy();
  });

  test('now and then: it goes on hearing EHLO, and so it does where HELO is not enough', async () => {
    const quirks = new Set<Quirk>();
    const server = await fakeServer(deaf);
    for (let times = 0; times < 3; times++) {
      server.script = deaf;
      expect(await failure(openTo(server, { quirks }))).toBe('closed');
      server.script = {};
      (await openTo(server, { quirks })).destroy();
    }
    server.script = deaf;
    for (let times = 0; times < 3; times++) {
      expect(await failure(openTo(server, { quirks, tls: 'required' }))).toBe('closed');
    }
    expect(server.sessions.flatMap(({ commands }) => commands).filter((line) => line.startsWith('HELO'))).toEqual([]);
  });
});

describe('PIPELINING that is offered and does not work', () => {
  test('where only the first command of several arrives, the next connection says one at a time', async () => {
    const quirks = new Set<Quirk>();
    const server = await fakeServer({ on: (line) => (line.startsWith('RCPT') ? { do: 'close' } : undefined) });
    const first = await openTo(server, { quirks });
    expect((await first.send(envelopeTo(['a@fake.test']), HELLO))[0]).toMatchObject({
      kind: 'deferred',
      status: '4.4.2',
    });
    server.script = {};
    const second = await openTo(server, { quirks });
    expect((await second.send(envelopeTo(['a@fake.test']), HELLO))[0]?.kind).toBe('delivered');
    expect(server.sessions[1]?.chunks.map((chunk) => chunk.split('\r\n').length)).toEqual([2, 2, 2, 2]);
    second.destroy();
  });

  test('a server that hangs up before it has answered anything has said nothing about it', async () => {
    const quirks = new Set<Quirk>();
    const server = await fakeServer({ on: (line) => (line.startsWith('MAIL') ? { do: 'close' } : undefined) });
    const connection = await openTo(server, { quirks });
    expect((await connection.send(envelopeTo(['a@fake.test']), HELLO))[0]?.kind).toBe('deferred');
    expect([...quirks]).toEqual([]);
  });
});

describe('parameters of MAIL that are offered and refused', () => {
  const envelope = envelopeTo([['a@fake.test', { notify: ['success'] }]], { ret: 'HDRS', body: '8BITMIME' });

  test.each(['501 5.5.4 what', '555 5.5.4 what', '504 what', '500 what'])(
    '%s: once more without them',
    async (reply) => {
      for (const keywords of [KEYWORDS, KEYWORDS.filter((keyword) => keyword !== 'PIPELINING')]) {
        const quirks = new Set<Quirk>();
        const server = await fakeServer({ keywords, on: (line) => (line.includes('SIZE=') ? reply : undefined) });
        const connection = await openTo(server, { quirks });
        expect((await connection.send(envelope, HELLO))[0]?.kind).toBe('delivered');
        // So that the queue reports in the server's stead.
        expect(connection.extensions.dsn).toBe(false);
        expect(server.messages.at(-1)).toMatchObject({
          mail: 'MAIL FROM:<alice@client.test> BODY=8BITMIME',
          recipients: ['RCPT TO:<a@fake.test>'],
        });
        expect(connection.usable).toBe(true);
        connection.destroy();
        expect([...quirks]).toEqual(['PARAMETERS']);
      }
    },
  );

  test('of RCPT: once more without them, for those that were refused', async () => {
    const server = await fakeServer({ on: (line) => (line.includes('NOTIFY=') ? '501 5.5.4 what' : undefined) });
    const first = await openTo(server);
    expect((await first.send(envelope, HELLO))[0]?.kind).toBe('delivered');
    first.destroy();
    const second = await openTo(server);
    const both = envelopeTo([['a@fake.test', { notify: ['success'] }], 'b@fake.test']);
    expect((await second.send(both, HELLO)).map((one) => one?.kind)).toEqual([undefined, 'delivered']);
    expect((await second.send(envelopeTo([['a@fake.test', { notify: ['success'] }]]), HELLO))[0]?.kind).toBe(
      'delivered',
    );
    second.destroy();
    const picky = await fakeServer({ on: (line) => (line.startsWith('RCPT') ? '501 5.1.3 bad address' : undefined) });
    const third = await openTo(picky);
    expect((await third.send(envelope, HELLO))[0]).toMatchObject({ kind: 'failed', status: '5.1.3' });
    third.destroy();
    const never = await fakeServer({ on: (line) => (line.startsWith('RCPT') ? '501 5.5.4 no' : undefined) });
    const fourth = await openTo(never);
    expect((await fourth.send(envelope, HELLO))[0]).toMatchObject({ kind: 'failed', status: '5.5.4' });
    fourth.destroy();
  });

  test('of one address, which is odd: it is asked for once more without them, and the host keeps its own', async () => {
    const notified = (address: string) => [address, { notify: ['success'] as const }] as const;
    for (const answer of ['501 5.5.4 what', '250 2.1.5 ok']) {
      const quirks = new Set<Quirk>();
      const server = await fakeServer({
        on: (line) => {
          if (!line.startsWith('RCPT TO:<odd')) return undefined;
          return line.includes('NOTIFY=') ? '501 5.5.4 what' : answer;
        },
      });
      const connection = await openTo(server, { quirks });
      const both = envelopeTo([notified('odd@fake.test'), notified('a@fake.test')]);
      expect((await connection.send(both, HELLO)).map((one) => one?.kind)).toEqual([undefined, 'delivered']);
      expect(connection.extensions.dsn).toBe(true);
      const [odd] = await connection.send(envelopeTo([notified('odd@fake.test')]), HELLO);
      expect(odd?.kind).toBe(answer.startsWith('250') ? 'delivered' : 'failed');
      // So that the queue reports on this one in the server's stead.
      expect(connection.extensions.dsn).toBe(false);
      expect((await connection.send(envelopeTo([notified('b@fake.test')]), HELLO))[0]?.kind).toBe('delivered');
      connection.destroy();
      expect(server.messages.at(-1)?.recipients).toEqual(['RCPT TO:<b@fake.test> NOTIFY=SUCCESS']);
      expect([...quirks]).toEqual([]);
    }
  });

  test('a sender that is refused stays refused', async () => {
    for (const reply of ['501 5.1.7 bad address', '550 5.7.1 not you', '553 no']) {
      const server = await fakeServer({ on: (line) => (line.startsWith('MAIL') ? reply : undefined) });
      const connection = await openTo(server);
      expect((await connection.send(envelope, HELLO))[0]).toMatchObject({ kind: 'failed' });
      expect(server.sessions[0]?.commands.filter((line) => line.startsWith('MAIL'))).toHaveLength(1);
      connection.destroy();
    }
    const strange = new Set<Quirk>();
    const server = await fakeServer({ on: (line) => (line.startsWith('MAIL') ? '501 never' : undefined) });
    const again = await openTo(server, { quirks: strange });
    expect((await again.send(envelope, HELLO))[0]).toMatchObject({ kind: 'failed' });
    again.destroy();
    expect([...strange]).toEqual([]);
    const plain = await fakeServer({ keywords: [], on: (line) => (line.startsWith('MAIL') ? '501 no' : undefined) });
    const connection = await openTo(plain);
    expect((await connection.send(envelopeTo(['a@fake.test']), HELLO))[0]).toMatchObject({ kind: 'failed' });
    expect(plain.sessions[0]?.commands.filter((line) => line.startsWith('MAIL'))).toHaveLength(1);
    connection.destroy();
  });
});

describe('replies', () => {
  test('slow ones, of several lines and 10 KB', async () => {
    const clock = new FakeClock();
    const server = await fakeServer({ on: (line) => (line.startsWith('RCPT') ? { do: 'stall' } : undefined) });
    const connection = await openTo(server, {}, clock);
    const sent = connection.send(envelopeTo(['a@fake.test']), HELLO);
    await server.until(() => server.sessions[0]?.commands.some((line) => line.startsWith('RCPT')) === true);
    for (let line = 0; line < 100; line++) {
      clock.advance(1_000);
      server.say(`550-5.7.1 ${'x'.repeat(100)}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    server.say('550 5.7.1 no');
    server.say('503 5.5.1 no DATA');
    server.say('250 2.0.0 reset');
    expect((await sent)[0]).toMatchObject({ kind: 'failed', status: '5.7.1', reply: { code: 550, status: '5.7.1' } });
    connection.destroy();
  });
});

test('hosts are remembered for a day, and not without end', () => {
  const clock = new FakeClock();
  const memory = new QuirkMemory(clock);
  memory.of('a').add('PIPELINING');
  expect(memory.of('a').has('PIPELINING')).toBe(true);
  expect(memory.of('b').size).toBe(0);
  clock.advance(86_400_000);
  expect(memory.of('a').size).toBe(0);
  memory.of('a').add('CHUNKING');
  for (let host = 0; host < 5_000; host++) memory.of(`${host}`);
  expect(memory.of('a').size).toBe(0);
});
