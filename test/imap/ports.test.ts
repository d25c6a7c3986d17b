// PORTS.md A1 to A5 for 143 and 993, and the wrong door, against real listeners by raw sockets and node:tls. What takes
// whole conversations stands in transcripts/starttls.transcript, under the same numbers.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/imap/commands/table.ts';
import { ImapClient } from '../clients/imap.ts';
import { LineSocket } from '../clients/line-socket.ts';
import { agreedVersion } from '../tls-version.ts';
import { type Gate, openGate, PASSWORD } from './gate.ts';

let starttls: Gate;
let implicit: Gate;

beforeAll(async () => {
  [starttls, implicit] = await Promise.all([openGate({ tls: 'required' }), openGate({ tls: 'implicit' })]);
});
afterAll(async () => {
  await Promise.all([starttls[Symbol.asyncDispose](), implicit[Symbol.asyncDispose]()]);
});

describe('A1: 993 starts TLS at once', () => {
  test('and greets inside it', async () => {
    using client = await ImapClient.open({ port: implicit.port, tls: 'implicit' });
    expect(client.capabilities).toContain('AUTH=PLAIN');
    expect(client.capabilities).not.toContain('STARTTLS');
  });

  test('cleartext to it is told where to go', async () => {
    using socket = await LineSocket.open({ port: implicit.port });
    socket.write('a1 CAPABILITY\r\n');
    expect(await socket.line()).toMatch(/^\* BYE .*\b993\b.*\b143\b/);
    await socket.closed();
  });
});

describe('A2: 143 wants TLS before anything else', () => {
  test('a password that is sent early is never tried or logged', async () => {
    using client = await ImapClient.open({ port: starttls.port });
    expect(client.capabilities).toContain('LOGINDISABLED');
    const secret = 'open-sesame';
    const plain = Buffer.from(`\0alice@example.test\0${secret}`).toString('base64');
    expect((await client.command(`LOGIN alice@example.test ${secret}`)).text).toMatch(/^\[PRIVACYREQUIRED\]/);
    expect((await client.command(`AUTHENTICATE PLAIN ${plain}`)).text).toMatch(/^\[PRIVACYREQUIRED\]/);
    // More than three: they are no failed logins, since nobody looked at them.
    for (let i = 0; i < 5; i++) await client.command(`LOGIN alice@example.test ${PASSWORD}`);
    expect((await client.command('NOOP')).status).toBe('OK');
    expect(starttls.logText()).not.toMatch(new RegExp(`${secret}|${plain}|${PASSWORD}`));
  });
});

describe('A3: STARTTLS', () => {
  test('the session goes on inside TLS', async () => {
    using client = await ImapClient.open(
      { port: starttls.port, tls: 'starttls' },
      { user: 'alice@example.test', password: PASSWORD },
    );
    expect(client.capabilities).toContain('MOVE');
    expect(await client.status('INBOX', 'MESSAGES')).toBe(0);
  });

  test('a handshake that fails ends the connection, and only that', async () => {
    using socket = await LineSocket.open({ port: starttls.port });
    await socket.line();
    socket.write('a1 STARTTLS\r\n');
    expect(await socket.line()).toMatch(/^a1 OK/);
    socket.write('a2 NOOP\r\n');
    await socket.closed();
    using other = await ImapClient.open({ port: starttls.port });
    expect((await other.command('NOOP')).status).toBe('OK');
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

describe('A5: nothing of any mailbox is visible without authentication', () => {
  test('every command that needs it is refused before its arguments are read', async () => {
    await implicit.fill('INBOX', ['Subject: private\r\n\r\n']);
    const needs = COMMANDS.filter(({ states }) => !states.includes('not authenticated'));
    expect(needs.length).toBeGreaterThan(20);
    for (const { name, uid } of needs) {
      for (const form of uid === 'allowed' ? [name, `UID ${name}`] : [name]) {
        using client = await ImapClient.open({ port: implicit.port, tls: 'implicit' });
        const { status, untagged } = await client.command(`${form} INBOX`);
        expect([form, status, untagged]).toEqual([form, 'BAD', []]);
      }
    }
  });
});

describe('the wrong door', () => {
  test('TLS spoken to 143', async () => {
    using socket = await LineSocket.open({ port: starttls.port });
    await socket.line();
    socket.write(Buffer.from('16030100c8010000c40303', 'hex'));
    expect(await socket.line()).toMatch(new RegExp(`^\\* BYE .*\\b${starttls.port}\\b.*STARTTLS.*\\b993\\b`));
    await socket.closed();
    expect(starttls.log.some((line) => line.seen === 'tls')).toBe(true);
  });

  test.each([
    ['http', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', /IMAP/],
    ['smtp', 'EHLO client.test\r\n', /\b465\b.*\b587\b/],
    ['pop3', 'USER alice\r\n', /IMAP/],
  ])('%s spoken to it', async (seen, text, answer) => {
    for (const gate of [starttls, implicit]) {
      using socket = await LineSocket.open({ port: gate.port, tls: gate === implicit ? 'implicit' : 'none' });
      await socket.line();
      socket.write(text);
      let line = await socket.line();
      while (/^(?:\S+) BAD /.test(line)) line = await socket.line();
      expect(line).toMatch(/^\* BYE /);
      expect(line).toMatch(answer);
      await socket.closed();
      expect(gate.log.some((entry) => entry.seen === seen)).toBe(true);
    }
  });

  test('a client that has spoken IMAP may err without being sent away', async () => {
    using client = await ImapClient.open({ port: starttls.port });
    await client.done('NOOP');
    expect((await client.command('FROM:<x>')).status).toBe('BAD');
    expect((await client.command('NOOP')).status).toBe('OK');
  });
});

test('H1: the hop is named in the log, and no content or password is', async () => {
  const before = implicit.log.length;
  const client = await ImapClient.open(
    { port: implicit.port, tls: 'implicit' },
    { user: 'alice@example.test', password: PASSWORD },
  );
  await implicit.fill('Notes', ['Subject: very-private\r\n\r\nmore-private\r\n']);
  await client.messages('Notes');
  await client.logout();
  await client.link.closed();
  const ours = () => implicit.log.slice(before).filter((line) => line.hop === 'MS→MUA');
  await expect.poll(ours).toContainEqual(expect.objectContaining({ account: 'alice@example.test', messages: 1 }));
  expect(implicit.logText()).not.toMatch(/very-private|more-private|wonderland/);
});

test('the log tells how many octets have gone to the client, some fields of a header among them', async () => {
  await implicit.fill('Fields', ['Subject: tea\r\nTo: bob@example.test\r\n\r\nText\r\n']);
  const before = implicit.log.length;
  const client = await ImapClient.open(
    { port: implicit.port, tls: 'implicit' },
    { user: 'alice@example.test', password: PASSWORD },
  );
  await client.done('EXAMINE Fields');
  const [told] = await client.done('FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]');
  await client.logout();
  await client.link.closed();
  const octets = told?.literals[0]?.length;
  expect(octets).toBe('Subject: tea\r\n\r\n'.length);
  await expect.poll(() => implicit.log.slice(before)).toContainEqual(expect.objectContaining({ messages: 1, octets }));
});
