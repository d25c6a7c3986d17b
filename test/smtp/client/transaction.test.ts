// One transaction of the client against a server by script: every reply at every command, and what a server lacks.

import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/smtp/client/outcome.ts';
import { FakeClock } from '../../fake-clock.ts';
import { fakeServer, KEYWORDS } from '../fake-server.ts';
import { contentOf, envelopeTo, openTo } from './try-out.ts';

const HELLO = contentOf('Subject: hello\r\n\r\n.dots\r\n..\r\nbye\r\n');
const kinds = (outcomes: readonly (Outcome | null)[]) => outcomes.map((one) => one?.kind ?? null);
const without = (keyword: string) => KEYWORDS.filter((one) => !one.startsWith(keyword));

describe('a transaction', () => {
  test('delivers octets as they are, and the connection serves the next without RSET', async () => {
    const server = await fakeServer();
    const connection = await openTo(server);
    expect(kinds(await connection.send(envelopeTo(['bob@fake.test']), HELLO))).toEqual(['delivered']);
    expect(connection.usable).toBe(true);
    expect(kinds(await connection.send(envelopeTo(['carol@fake.test'], {}, null), contentOf('')))).toEqual([
      'delivered',
    ]);
    await connection.quit();
    expect(server.messages.map((message) => message.content)).toEqual([
      'Subject: hello\r\n\r\n.dots\r\n..\r\nbye\r\n',
      '',
    ]);
    expect(server.sessions[0]?.commands).toEqual([
      'EHLO client.test',
      `MAIL FROM:<alice@client.test> SIZE=${HELLO.size}`,
      'RCPT TO:<bob@fake.test>',
      'DATA',
      'MAIL FROM:<> SIZE=0',
      'RCPT TO:<carol@fake.test>',
      'DATA',
      'QUIT',
    ]);
  });

  test('says everything before the content in one write with PIPELINING (RFC 2920), one by one without', async () => {
    for (const keywords of [KEYWORDS, without('PIPELINING')]) {
      const server = await fakeServer({ keywords });
      const connection = await openTo(server);
      expect(kinds(await connection.send(envelopeTo(['a@fake.test', 'b@fake.test']), HELLO))).toEqual([
        'delivered',
        'delivered',
      ]);
      connection.destroy();
      const lines = server.sessions[0]?.chunks.map((chunk) => chunk.split('\r\n').length - 1);
      expect(lines).toEqual(keywords === KEYWORDS ? [1, 4] : [1, 1, 1, 1, 1]);
    }
  });

  test('gives each recipient its own reply', async () => {
    for (const keywords of [KEYWORDS, without('PIPELINING')]) {
      const server = await fakeServer({
        keywords,
        on: (line) => {
          if (line.includes('gone@')) return '550-5.1.1 nobody\n550 5.1.1 of that name';
          if (line.includes('slow@')) return '450 4.2.0 greylisted';
          if (line.includes('odd@')) return '251 2.1.5 will forward';
          // RFC 3463 §2: a status of another class than its reply is none.
          if (line.includes('wrong@')) return '450 5.1.1 hm';
          return undefined;
        },
      });
      const connection = await openTo(server);
      const outcomes = await connection.send(
        envelopeTo(['a@fake.test', 'gone@fake.test', 'slow@fake.test', 'odd@fake.test', 'wrong@fake.test']),
        HELLO,
      );
      expect(kinds(outcomes)).toEqual(['delivered', 'failed', 'deferred', 'delivered', 'deferred']);
      expect(outcomes.map((one) => one?.status)).toEqual(['2.0.0', '5.1.1', '4.2.0', '2.0.0', '4.0.0']);
      expect(outcomes[1]?.reply).toEqual({ code: 550, status: '5.1.1', text: 'nobody\nof that name' });
      connection.destroy();
    }
  });

  test('with no recipient left sends no content, and RSET comes before the next', async () => {
    for (const data of ['354 go on', '554 5.5.1 no valid recipients']) {
      for (const keywords of [KEYWORDS, without('PIPELINING')]) {
        const server = await fakeServer({
          keywords,
          on: (line) => (line.includes('gone@') ? '550 5.1.1 no' : line === 'DATA' ? data : undefined),
        });
        const connection = await openTo(server);
        expect(kinds(await connection.send(envelopeTo(['gone@fake.test']), HELLO))).toEqual(['failed']);
        server.script = {};
        await connection.send(envelopeTo(['gone@fake.test', 'a@fake.test']), HELLO);
        expect(connection.usable).toBe(true);
        const commands = server.sessions[0]?.commands ?? [];
        const pipelined = keywords === KEYWORDS;
        expect(commands.includes('RSET')).toBe(!pipelined || data.startsWith('554'));
        // An empty end, not the message, when 354 came for nobody (RFC 2920 §3.1).
        expect(server.messages.map((message) => message.content.length > 0)).not.toContain(
          pipelined && data.startsWith('354') ? undefined : false,
        );
        connection.destroy();
      }
    }
  });

  test('a refused MAIL is the answer for all', async () => {
    for (const keywords of [KEYWORDS, without('PIPELINING')]) {
      const server = await fakeServer({
        keywords,
        on: (line) => (line.startsWith('MAIL') ? '550 5.7.1 not you' : undefined),
      });
      const connection = await openTo(server);
      const outcomes = await connection.send(envelopeTo(['a@fake.test', 'b@fake.test']), HELLO);
      expect(outcomes.map((one) => [one?.kind, one?.status])).toEqual([
        ['failed', '5.7.1'],
        ['failed', '5.7.1'],
      ]);
      connection.destroy();
    }
  });

  test('a refused MAIL stands even if the server then hangs up', async () => {
    const server = await fakeServer({
      on: (line) =>
        line.startsWith('MAIL') ? '550 5.7.1 not you' : line.startsWith('RCPT') ? { do: 'close' } : undefined,
    });
    const connection = await openTo(server);
    expect(kinds(await connection.send(envelopeTo(['a@fake.test']), HELLO))).toEqual(['failed']);
    expect(connection.usable).toBe(false);
  });

  test.each([
    ['the answer to DATA', 'DATA', '451 4.3.0 later', 'deferred'],
    ['the answer to DATA', 'DATA', '554 5.7.1 never', 'failed'],
    ['the answer to the end', 'DATA-END', '451 4.3.0 later', 'deferred'],
    ['the answer to the end', 'DATA-END', '552 5.3.4 too big', 'failed'],
    ['421 at MAIL', 'MAIL', '421 4.3.2 closing', 'deferred'],
    ['421 at RCPT', 'RCPT', '421 4.3.2 closing', 'deferred'],
    ['421 at DATA', 'DATA', '421 4.3.2 closing', 'deferred'],
    ['421 at the end', 'DATA-END', '421 4.3.2 closing', 'deferred'],
  ] as const)('%s decides: %s %s', async (_, at, reply, kind) => {
    const server = await fakeServer({
      on: (line) => (line.startsWith(at) && (at !== 'DATA' || line === at) ? reply : undefined),
    });
    const connection = await openTo(server);
    const [outcome] = await connection.send(envelopeTo(['a@fake.test']), HELLO);
    expect(outcome).toMatchObject({ kind, reply: { code: Number(reply.slice(0, 3)) } });
    expect(server.messages).toEqual([]);
    if (reply.startsWith('421')) expect(connection.usable).toBe(false);
    connection.destroy();
  });

  test.each(['MAIL', 'RCPT', 'DATA', 'DATA-END'])('a close instead of an answer to %s defers', async (at) => {
    for (const what of ['close', 'reset'] as const) {
      const server = await fakeServer({
        on: (line) => (line.startsWith(at) && (at !== 'DATA' || line === at) ? { do: what } : undefined),
      });
      const connection = await openTo(server);
      const [outcome] = await connection.send(envelopeTo(['a@fake.test']), HELLO);
      expect(outcome).toMatchObject({ kind: 'deferred', status: '4.4.2' });
      expect(outcome?.reply).toBeUndefined();
      expect(connection.usable).toBe(false);
    }
  });

  test('a 250 to DATA is no answer', async () => {
    const server = await fakeServer({ on: (line) => (line === 'DATA' ? '250 what' : undefined) });
    const connection = await openTo(server);
    const [outcome] = await connection.send(envelopeTo(['a@fake.test']), HELLO);
    expect(outcome).toMatchObject({ kind: 'deferred', status: '4.5.0' });
    expect(server.messages).toEqual([]);
    connection.destroy();
  });

  test.each(['MAIL', 'RCPT', 'DATA', 'DATA-END'])(
    'a stall at %s ends with the time of RFC 5321 §4.5.3.2',
    async (at) => {
      const clock = new FakeClock();
      let stalled = false;
      const server = await fakeServer({
        keywords: without('PIPELINING'),
        on: (line) => {
          if (!line.startsWith(at) || (at === 'DATA' && line !== at)) return undefined;
          stalled = true;
          return { do: 'stall' };
        },
      });
      const connection = await openTo(server, {}, clock);
      const sent = connection.send(envelopeTo(['a@fake.test']), HELLO);
      await server.until(() => stalled);
      clock.advance(10 * 60_000);
      expect(kinds(await sent)).toEqual(['deferred']);
    },
  );

  test('nonsense instead of a reply defers', async () => {
    const server = await fakeServer({
      on: (line) => (line.startsWith('RCPT') ? 'HTTP/1.1 400 Bad Request' : undefined),
    });
    const connection = await openTo(server);
    expect(kinds(await connection.send(envelopeTo(['a@fake.test']), HELLO))).toEqual(['deferred']);
  });

  test('a reply of 10 KB is kept shortened', async () => {
    const server = await fakeServer({
      on: (line) => (line.startsWith('RCPT') ? `550 5.1.1 ${'x'.repeat(10_000)}` : undefined),
    });
    const connection = await openTo(server);
    const [outcome] = await connection.send(envelopeTo(['a@fake.test']), HELLO);
    expect(outcome?.kind).toBe('failed');
    expect(outcome?.reply?.text.length).toBeLessThan(1_100);
    connection.destroy();
  });

  test('an answer before the end of the content is taken, and the content is not ended', async () => {
    const server = await fakeServer({ early: { after: 200_000, answer: '552 5.3.4 enough' } });
    const connection = await openTo(server);
    const large = contentOf('x'.repeat(70).concat('\r\n').repeat(200_000), 65_536);
    const [outcome] = await connection.send(envelopeTo(['a@fake.test']), large);
    expect(outcome?.kind).not.toBe('delivered');
    expect(server.messages).toEqual([]);
    expect(connection.usable).toBe(false);
  });

  test('an early 250 never counts as delivered', async () => {
    const server = await fakeServer({ early: { after: 200_000, answer: '250 2.0.0 fooled' } });
    const connection = await openTo(server);
    const large = contentOf('x'.repeat(70).concat('\r\n').repeat(200_000), 65_536);
    expect(kinds(await connection.send(envelopeTo(['a@fake.test']), large))).toEqual(['deferred']);
  });

  test('content that breaks off is not ended as if it were whole', async () => {
    const server = await fakeServer();
    const connection = await openTo(server);
    const broken = {
      size: 1_000,
      async *open() {
        yield Buffer.from('half\r\n');
        throw new Error('the store is gone');
      },
    };
    await expect(connection.send(envelopeTo(['a@fake.test']), broken)).rejects.toThrow('the store is gone');
    await server.until(() => server.sessions[0]?.closed ?? false);
    expect(server.messages).toEqual([]);
  });

  test('20 MB pass with back-pressure', async () => {
    const server = await fakeServer();
    const connection = await openTo(server);
    const line = Buffer.from('x'.repeat(70).concat('\r\n').repeat(910));
    let live = 0;
    const large = {
      size: line.length * 320,
      async *open() {
        for (live = 0; live < 320; live++) yield line;
      },
    };
    expect(kinds(await connection.send(envelopeTo(['a@fake.test']), large))).toEqual(['delivered']);
    expect(server.messages[0]?.content.length).toBe(large.size);
    connection.destroy();
  });

  test('DSN parameters are said for each recipient (RFC 3461 §4), and only where they are known', async () => {
    const envelope = envelopeTo(
      [
        ['a@fake.test', { notify: ['success', 'delay'], orcpt: 'rfc822;a+b@x.test' }],
        ['b@fake.test', { notify: 'never' }],
        ['c@fake.test', { orcpt: 'utf-8;ä@x.test' }],
        'd@fake.test',
      ],
      { ret: 'HDRS', envid: 'a b=1' },
    );
    const server = await fakeServer();
    const connection = await openTo(server);
    await connection.send(envelope, HELLO);
    connection.destroy();
    expect(server.sessions[0]?.commands.slice(1, 6)).toEqual([
      `MAIL FROM:<alice@client.test> SIZE=${HELLO.size} RET=HDRS ENVID=a+20b+3D1`,
      'RCPT TO:<a@fake.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@x.test',
      'RCPT TO:<b@fake.test> NOTIFY=NEVER',
      'RCPT TO:<c@fake.test> ORCPT=utf-8;\\x{E4}@x.test',
      'RCPT TO:<d@fake.test>',
    ]);
    const plain = await fakeServer({ keywords: [] });
    const other = await openTo(plain);
    await other.send(envelope, HELLO);
    other.destroy();
    expect(plain.sessions[0]?.commands.slice(1, 3)).toEqual(['MAIL FROM:<alice@client.test>', 'RCPT TO:<a@fake.test>']);
  });

  test('ENVID and ORCPT go on as they were said (RFC 3461 §5.2.1), in UTF-8 where MAIL asks for it (RFC 6533 §3)', async () => {
    const server = await fakeServer();
    const connection = await openTo(server);
    const recipients = [
      ['a@fake.test', { orcpt: 'rfc822;A+b@x.test', orcptXtext: 'A+2Bb+40x.test' }],
      ['b@fake.test', { orcpt: 'utf-8;ä b+\\x{E9}@x.test' }],
    ] as const;
    await connection.send(envelopeTo(recipients, { envid: 'ab', envidXtext: '+61b', smtputf8: true }), HELLO);
    connection.destroy();
    expect(server.messages[0]?.mail).toContain(' ENVID=+61b');
    const said = server.messages[0]?.recipients.map((line) => Buffer.from(line, 'latin1').toString());
    expect(said).toEqual([
      'RCPT TO:<a@fake.test> ORCPT=rfc822;A+2Bb+40x.test',
      'RCPT TO:<b@fake.test> ORCPT=utf-8;ä\\x{20}b\\x{2B}\\x{E9}@x.test',
    ]);
  });

  test('more recipients than the server takes are left for another transaction', async () => {
    const many = Array.from({ length: 5 }, (_, index) => `r${index}@fake.test`);
    const limited = await fakeServer({ keywords: [...KEYWORDS, 'LIMITS RCPTMAX=2'] });
    const first = await openTo(limited);
    expect(kinds(await first.send(envelopeTo(many), HELLO))).toEqual(['delivered', 'delivered', null, null, null]);
    first.destroy();

    const grumpy = await fakeServer({
      on: (line, session) =>
        line.startsWith('RCPT') && session.recipients.length >= 3 ? '452 4.5.3 too many' : undefined,
    });
    const second = await openTo(grumpy);
    expect(kinds(await second.send(envelopeTo(many), HELLO))).toEqual([
      'delivered',
      'delivered',
      'delivered',
      null,
      null,
    ]);
    second.destroy();

    const never = await fakeServer({ on: (line) => (line.startsWith('RCPT') ? '452 4.5.3 too many' : undefined) });
    const third = await openTo(never);
    expect(kinds(await third.send(envelopeTo(['a@fake.test']), HELLO))).toEqual(['deferred']);
    third.destroy();
  });
});

describe('what a server lacks', () => {
  test('a message over its SIZE is failed here (RFC 1870 §6.1)', async () => {
    const server = await fakeServer({ keywords: ['SIZE 10'] });
    const connection = await openTo(server);
    const [outcome] = await connection.send(envelopeTo(['a@fake.test']), HELLO);
    expect(outcome).toMatchObject({ kind: 'failed', status: '5.3.4' });
    expect(connection.usable).toBe(true);
    connection.destroy();
  });

  test('8BITMIME: 8-bit content is returned, 7-bit content declared so goes (RFC 6152 §3)', async () => {
    const server = await fakeServer({ keywords: [] });
    const connection = await openTo(server);
    const send = (text: string) => connection.send(envelopeTo(['a@fake.test'], { body: '8BITMIME' }), contentOf(text));
    expect((await send('a: b\r\n\r\nä\r\n'))[0]).toMatchObject({ kind: 'failed', status: '5.6.3' });
    expect(kinds(await send('a: b\r\n\r\na\r\n'))).toEqual(['delivered']);
    connection.destroy();
  });

  test('SMTPUTF8: only what needs it is returned (RFC 6531 §3.2)', async () => {
    const server = await fakeServer({ keywords: ['8BITMIME'] });
    const connection = await openTo(server);
    const both = await connection.send(envelopeTo(['jürgen@fake.test', 'a@fake.test'], { smtputf8: true }), HELLO);
    expect(both.map((one) => [one?.kind, one?.status])).toEqual([
      ['failed', '5.6.7'],
      ['delivered', '2.0.0'],
    ]);
    const header = await connection.send(
      envelopeTo(['a@fake.test'], { smtputf8: true, body: '8BITMIME' }),
      contentOf('Subject: ä\r\n\r\nx\r\n'),
    );
    expect(header[0]).toMatchObject({ kind: 'failed', status: '5.6.7' });
    const bodyOnly = await connection.send(
      envelopeTo(['a@fake.test'], { smtputf8: true, body: '8BITMIME' }),
      contentOf('Subject: a\r\n\r\nä\r\n'),
    );
    expect(kinds(bodyOnly)).toEqual(['delivered']);
    const part = await connection.send(
      envelopeTo(['a@fake.test'], { smtputf8: true, body: '8BITMIME' }),
      contentOf('Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Description: ä\r\n\r\nx\r\n--b--\r\n'),
    );
    expect(part[0]).toMatchObject({ kind: 'failed', status: '5.6.7' });
    const sender = await connection.send(envelopeTo(['a@fake.test'], {}, 'ä@client.test'), HELLO);
    expect(sender[0]).toMatchObject({ kind: 'failed', status: '5.6.7' });
    connection.destroy();
  });

  test('SMTPUTF8 is asked for where it is offered and needed', async () => {
    const server = await fakeServer();
    const connection = await openTo(server);
    await connection.send(envelopeTo(['jürgen@fake.test'], { body: '8BITMIME' }), HELLO);
    await connection.send(envelopeTo(['a@fake.test']), HELLO);
    connection.destroy();
    const mails = server.sessions[0]?.commands.filter((line) => line.startsWith('MAIL'));
    expect(mails?.[0]).toContain(' BODY=8BITMIME SMTPUTF8');
    expect(mails?.[1]).not.toContain('SMTPUTF8');
  });
});
