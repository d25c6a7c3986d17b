// PORTS.md A1 to A5 for 110 and 995, and the wrong door, against real listeners by raw sockets and node:tls. What takes
// whole conversations stands in transcripts/stls.transcript, under the same numbers.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/pop3/commands/table.ts';
import { LineSocket } from '../clients/line-socket.ts';
import { Pop3Client } from '../clients/pop3.ts';
import { PASSWORD } from '../imap/gate.ts';
import { agreedVersion } from '../tls-version.ts';
import { openPop3Gate, type Pop3Gate } from './gate.ts';

let stls: Pop3Gate;
let implicit: Pop3Gate;

const login = { user: 'alice@example.test', password: PASSWORD };

beforeAll(async () => {
  [stls, implicit] = await Promise.all([openPop3Gate({ tls: 'required' }), openPop3Gate({ tls: 'implicit' })]);
});
afterAll(async () => {
  await Promise.all([stls[Symbol.asyncDispose](), implicit[Symbol.asyncDispose]()]);
});

describe('A1: 995 starts TLS at once', () => {
  test('and greets inside it', async () => {
    using client = await Pop3Client.open({ port: implicit.port, tls: 'implicit' });
    const { lines } = await client.done('CAPA');
    expect(lines).toContain('SASL PLAIN LOGIN');
    expect(lines).not.toContain('STLS');
  });

  test('cleartext to it is told where to go', async () => {
    using socket = await LineSocket.open({ port: implicit.port });
    socket.write('CAPA\r\n');
    expect(await socket.line()).toMatch(/^-ERR .*\b995\b.*\b110\b.*STLS/);
    await socket.closed();
  });
});

describe('A2: 110 wants TLS before anything else', () => {
  test('a password that is sent early is never tried or logged', async () => {
    using client = await Pop3Client.open({ port: stls.port });
    const secret = 'open-sesame';
    const plain = Buffer.from(`\0alice@example.test\0${secret}`).toString('base64');
    for (const line of [`USER ${login.user}`, `PASS ${secret}`, `AUTH PLAIN ${plain}`]) {
      expect((await client.command(line)).ok).toBe(false);
    }
    // More than three: they are no failed logins, since nobody looked at them.
    for (let i = 0; i < 5; i++) {
      await client.command(`USER ${login.user}`);
      await client.command(`PASS ${PASSWORD}`);
    }
    expect((await client.command('CAPA')).ok).toBe(true);
    expect(stls.beside.logText()).not.toMatch(new RegExp(`${secret}|${plain}|${PASSWORD}`));
  });
});

describe('A3: STLS', () => {
  test('the session goes on inside TLS', async () => {
    using client = await Pop3Client.open({ port: stls.port, tls: 'starttls' }, login);
    expect((await client.done('STAT')).text).toBe('0 0');
    await client.quit();
  });

  test('a handshake that fails ends the connection, and only that', async () => {
    using socket = await LineSocket.open({ port: stls.port });
    await socket.line();
    socket.write('STLS\r\n');
    expect(await socket.line()).toMatch(/^\+OK/);
    socket.write('CAPA\r\n');
    await socket.closed();
    using other = await Pop3Client.open({ port: stls.port });
    expect((await other.command('CAPA')).ok).toBe(true);
  });
});

describe('A4: TLS 1.2 and 1.3 only', () => {
  test.each([
    ['TLSv1', null],
    ['TLSv1.1', null],
    ['TLSv1.2', 'TLSv1.2'],
    ['TLSv1.3', 'TLSv1.3'],
  ] as const)('%s', async (version, agreed) => {
    expect(await agreedVersion(implicit.port, version)).toBe(agreed);
  });
});

describe('A5: nothing of any maildrop is visible without authentication', () => {
  test('every command that needs it is refused before its argument is read', async () => {
    await implicit.beside.fill('INBOX', ['Subject: private\r\n\r\n']);
    const needs = COMMANDS.filter(({ states }) => !states.includes('authorization'));
    expect(needs.map(({ name }) => name).sort()).toEqual('DELE LIST NOOP RETR RSET STAT TOP UIDL'.split(' '));
    for (const { name } of needs) {
      for (const argument of ['', ' 1', ' 1 1']) {
        using client = await Pop3Client.open({ port: implicit.port, tls: 'implicit' });
        expect([name, await client.command(`${name}${argument}`)]).toEqual([
          name,
          expect.objectContaining({ ok: false }),
        ]);
        // A name, and a password that is wrong, change nothing.
        await client.done(`USER ${login.user}`);
        await client.command('PASS wrong');
        expect((await client.command(`${name}${argument}`)).ok).toBe(false);
      }
    }
  });
});

describe('the wrong door', () => {
  test('TLS spoken to 110', async () => {
    using socket = await LineSocket.open({ port: stls.port });
    await socket.line();
    socket.write(Buffer.from('16030100c8010000c40303', 'hex'));
    expect(await socket.line()).toMatch(new RegExp(`^-ERR .*\\b${stls.port}\\b.*STLS.*\\b995\\b`));
    await socket.closed();
    expect(stls.beside.log.some((line) => line.seen === 'tls')).toBe(true);
  });

  test.each([
    ['http', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', /POP3/],
    ['smtp', 'EHLO client.test\r\n', /\b465\b.*\b587\b/],
    ['imap', 'a1 CAPABILITY\r\n', /\b993\b.*\b143\b/],
  ])('%s spoken to it', async (seen, text, answer) => {
    for (const gate of [stls, implicit]) {
      using socket = await LineSocket.open({ port: gate.port, tls: gate === implicit ? 'implicit' : 'none' });
      await socket.line();
      socket.write(text);
      const line = await socket.line();
      expect(line).toMatch(/^-ERR /);
      expect(line).toMatch(answer);
      await socket.closed();
      expect(gate.beside.log.some((entry) => entry.seen === seen)).toBe(true);
    }
  });

  test('a client that has spoken POP3 may err without being sent away', async () => {
    using client = await Pop3Client.open({ port: stls.port });
    await client.done('CAPA');
    expect((await client.command('EHLO client.test')).ok).toBe(false);
    expect((await client.command('STARTTLS')).ok).toBe(false);
    expect((await client.command('CAPA')).ok).toBe(true);
  });
});

test('H1: the hop is named in the log, and no content or password is', async () => {
  await implicit.beside.renew();
  await implicit.beside.fill('INBOX', ['Subject: very-private\r\n\r\nmore-private\r\n']);
  const before = implicit.beside.log.length;
  const client = await Pop3Client.open({ port: implicit.port, tls: 'implicit' }, login);
  await client.retrieve(1);
  await client.done('DELE 1');
  await client.quit();
  const ours = () => implicit.beside.log.slice(before).filter((line) => line.hop === 'MS→MUA');
  await expect
    .poll(ours)
    .toContainEqual(expect.objectContaining({ account: 'alice@example.test', messages: 1, deleted: 1 }));
  expect(implicit.beside.logText()).not.toMatch(/very-private|more-private|wonderland/);
});

test('who comes and goes without a word is no news', async () => {
  const before = stls.beside.log.length;
  const socket = await LineSocket.open({ port: stls.port });
  await socket.line();
  socket.destroy();
  const ended = () => stls.beside.log.slice(before).find(({ msg }) => msg === 'pop3: ended');
  // pino's number for `debug`.
  await expect.poll(ended).toMatchObject({ level: 20 });
});
