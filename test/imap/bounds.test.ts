// Times and bounds of a session: nobody waits for ever, nothing grows for ever, and what ends says so.

import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIMIT } from '../../src/imap/limits.ts';
import { Limit } from '../../src/store/limits.ts';
import { ImapClient } from '../clients/imap.ts';
import { FakeClock } from '../fake-clock.ts';
import { dial, type Gate, numbered, openGate, PASSWORD } from './gate.ts';

let gate: Gate;
let clock: FakeClock;

const login = { user: 'alice@example.test', password: PASSWORD };

beforeEach(async () => {
  clock = new FakeClock();
  gate = await openGate({ clock });
});
afterEach(() => gate[Symbol.asyncDispose]());

describe('time', () => {
  test('a client that does not log in is sent away', async () => {
    using client = await ImapClient.open({ port: gate.port });
    await client.done('NOOP');
    clock.advance(LIMIT.loginTime);
    expect((await client.response()).text).toMatch(/^\* BYE /);
    await client.link.closed();
  });

  test('RFC 3501 §5.4: 29 minutes of silence are well, 30 are not; IDLE is no exception (RFC 2177 §3)', async () => {
    using client = await ImapClient.open({ port: gate.port }, login);
    clock.advance(29 * 60_000);
    await client.done('NOOP');
    clock.advance(29 * 60_000);
    await client.idle();
    clock.advance(29 * 60_000);
    expect(gate.imap.sessions).toBe(1);
    clock.advance(60_000);
    expect((await client.response()).text).toMatch(/^\* BYE /);
    await client.link.closed();
  });

  test('a session that keeps expunged messages from being freed is ended', async () => {
    await gate.fill('INBOX', numbered(2));
    using one = await ImapClient.open({ port: gate.port }, login);
    using other = await ImapClient.open({ port: gate.port }, login);
    await one.done('SELECT INBOX');
    await other.done('SELECT INBOX');
    await one.done('STORE 1 +FLAGS.SILENT (\\Deleted)');
    await one.done('EXPUNGE');
    // It speaks, but never says anything that lets EXPUNGE be told.
    for (let minutes = 0; minutes < 50; minutes += 10) {
      clock.advance(10 * 60_000);
      await other.done('FETCH 1 (UID)');
      await one.done('NOOP');
    }
    clock.advance(10 * 60_000);
    expect((await other.response()).text).toMatch(/^\* BYE /);
    await other.link.closed();
    await one.done('NOOP');
  });
});

describe('the end', () => {
  test('close says BYE to who waits, also in IDLE, and to who comes late', async () => {
    using waiting = await ImapClient.open({ port: gate.port });
    using idle = await ImapClient.open({ port: gate.port }, login);
    await idle.idle();
    const closed = gate.imap.close(1_000);
    expect((await waiting.response()).text).toMatch(/^\* BYE \[UNAVAILABLE\]/);
    expect((await idle.response()).text).toMatch(/^\* BYE \[UNAVAILABLE\]/);
    await closed;
    expect(gate.imap.sessions).toBe(0);
    const late = await dial(gate.port);
    const [greeting] = await once(late, 'data');
    expect(String(greeting)).toMatch(/^\* BYE \[UNAVAILABLE\]/);
    late.destroy();
  });

  test('who has lost the account is sent away, and reads nothing more of what others share', async () => {
    using alice = await ImapClient.open({ port: gate.port }, login);
    await alice.done('SETACL INBOX anyone lr');
    using bob = await ImapClient.open({ port: gate.port }, { user: 'bob@example.test', password: PASSWORD });
    await bob.done('STATUS "Other Users/alice@example.test/INBOX" (MESSAGES)');
    const account = await gate.store.read.accountNamed('bob@example.test');
    if (!account) throw new Error('there is no bob');
    await gate.store.execute({ kind: 'remove-account', account: account.id });
    expect((await bob.response()).text).toMatch(/^\* BYE /);
    await bob.link.closed();
    await alice.done('NOOP');
  });

  test('a client that vanishes leaves nothing behind', async () => {
    await gate.fill('INBOX', numbered(1));
    for (const last of ['', 'a1 IDLE\r\n', 'a1 APPEND INBOX {100+}\r\nhalf', 'a1 LOGIN {5}\r\n', 'a1 FETCH 1 BODY[']) {
      const client = await ImapClient.open({ port: gate.port }, login);
      await client.done('SELECT INBOX');
      client.link.write(last);
      client[Symbol.dispose]();
    }
    await expect.poll(() => gate.imap.sessions).toBe(0);
    using again = await ImapClient.open({ port: gate.port }, login);
    expect(await again.status('INBOX', 'MESSAGES')).toBe(1);
  });

  test('a response that cannot be finished is broken off: nothing stands in it that could be its content', async () => {
    await gate.fill('INBOX', numbered(1));
    const { read } = gate.store;
    const { body } = read;
    read.body = async () => {
      throw new Error('the disk is gone');
    };
    for (const item of ['BODY.PEEK[]', 'BODY.PEEK[HEADER.FIELDS (SUBJECT)]']) {
      const socket = await dial(gate.port);
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.write(`a1 LOGIN alice@example.test ${PASSWORD}\r\na2 SELECT INBOX\r\na3 FETCH 1 ${item}\r\na4 NOOP\r\n`);
      await once(socket, 'close');
      expect(Buffer.concat(chunks).toString()).toMatch(/a2 OK [^\n]*\n\* 1 FETCH [^\n]*(?:\n$|$)/);
    }
    read.body = body;
  });

  test('a client that ends its half is answered what it had asked', async () => {
    const socket = await dial(gate.port);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.end(`a1 LOGIN alice@example.test ${PASSWORD}\r\na2 LIST "" INBOX\r\na3 NOOP\r\n`);
    await once(socket, 'close');
    expect(Buffer.concat(chunks).toString()).toMatch(/^a1 OK .*\s+\* LIST .*\s+a2 OK .*\s+a3 OK /m);
  });
});

describe('size', () => {
  test('a line without end is not gathered', async () => {
    using client = await ImapClient.open({ port: gate.port }, login);
    client.link.write('a1 SEARCH TEXT "');
    for (let i = 0; i < 40; i++) await client.link.flush(Buffer.alloc(1_048_576, 'x'));
    client.link.write('"\r\na2 NOOP\r\n');
    expect((await client.response()).text).toMatch(/^a1 BAD /);
    expect((await client.response()).text).toMatch(/^a2 OK /);
  });

  test('before login even less is gathered', async () => {
    using client = await ImapClient.open({ port: gate.port });
    expect((await client.command(`LOGIN x ${'y'.repeat(LIMIT.lineBeforeLogin)}`)).status).toBe('BAD');
    expect((await client.command(`LOGIN x {${LIMIT.literalBeforeLogin + 1}}`)).status).toBe('NO');
    expect((await client.command('NOOP')).status).toBe('OK');
  });

  test('RFC 2971 §3.3: an ID may be long before login, too', async () => {
    using client = await ImapClient.open({ port: gate.port });
    const field = (name: number) => `"${String(name).padEnd(30, 'x')}" "${'y'.repeat(1_024)}"`;
    const fields = Array.from({ length: 30 }, (_, name) => field(name));
    expect((await client.command(`ID (${fields.join(' ')})`)).status).toBe('OK');
  });

  test('a literal that is too large and comes all the same is dropped, up to a bound', async () => {
    using client = await ImapClient.open({ port: gate.port }, login);
    client.link.write(`a1 SELECT {${10 * 1_048_576}+}\r\n`);
    await client.link.flush(Buffer.alloc(10 * 1_048_576, 'x'));
    client.link.write('\r\na2 NOOP\r\n');
    expect((await client.response()).text).toMatch(/^a1 NO \[TOOBIG\]/);
    expect((await client.response()).text).toMatch(/^a2 OK /);
    client.link.write(`a3 SELECT {${LIMIT.skipped + 1}+}\r\n`);
    expect((await client.response()).text).toMatch(/^\* BYE /);
  });

  test('a mailbox that is full of keywords promises no new ones (RFC 3501 §7.1)', async () => {
    await gate.fill('INBOX', numbered(1));
    using client = await ImapClient.open({ port: gate.port }, login);
    const permanent = async () => {
      const told = (await client.done('SELECT INBOX')).find(({ text }) => text.includes('[PERMANENTFLAGS'));
      return told?.text ?? '';
    };
    expect(await permanent()).toContain('\\*)]');
    for (let at = 0; at < Limit.keywords; at += 64) {
      const some = Array.from({ length: Math.min(64, Limit.keywords - at) }, (_, i) => `k${at + i}`);
      await client.done(`STORE 1 FLAGS.SILENT (${some.join(' ')})`);
    }
    expect(await permanent()).toContain(`k${Limit.keywords - 1})]`);
    expect((await client.command('STORE 1 +FLAGS (another)')).text).toMatch(/^\[LIMIT\]/);
    await client.done('STORE 1 +FLAGS (k0)');
  });

  test('a message that is too large is refused before it is sent, or dropped', async () => {
    await gate[Symbol.asyncDispose]();
    gate = await openGate({ clock, limits: { message: 1_000, header: 100 } });
    using client = await ImapClient.open({ port: gate.port }, login);
    client.link.write('a1 APPEND INBOX {1001}\r\n');
    expect((await client.response()).text).toMatch(/^a1 NO \[TOOBIG\]/);
    expect((await client.command('APPEND INBOX {1001+}', [Buffer.alloc(1_001, 'x')])).text).toMatch(/^\[TOOBIG\]/);
    const header = Buffer.from(`Subject: ${'x'.repeat(100)}\r\n\r\n`);
    expect((await client.command(`APPEND INBOX {${header.length}+}`, [header])).text).toMatch(/^\[TOOBIG\]/);
    expect(await client.status('INBOX', 'MESSAGES')).toBe(0);
  });

  test('what is put together is bounded as what is sent (RFC 4469 §4.2)', async () => {
    await gate[Symbol.asyncDispose]();
    gate = await openGate({ clock, limits: { message: 1_000, header: 500 } });
    await gate.fill('INBOX', [`Subject: x\r\n\r\n${'x'.repeat(500)}`]);
    using client = await ImapClient.open({ port: gate.port }, login);
    const append = async (parts: string) => (await client.command(`APPEND INBOX CATENATE (${parts})`)).text;
    const url = (path: string) => `URL "/INBOX/;UID=1${path}"`;
    expect(await append(`${url('')} ${url('')}`)).toMatch(/^\[TOOBIG\]/);
    expect((await client.command(`APPEND INBOX CATENATE (${url('')} TEXT {500}`)).text).toMatch(/^\[TOOBIG\]/);
    const empty = Array.from({ length: LIMIT.catenatedParts }, () => url('/;PARTIAL=900'));
    expect(await append([url(''), ...empty].join(' '))).toMatch(/^\[LIMIT\]/);
    expect(await append([url(''), ...empty.slice(1)].join(' '))).toMatch(/^\[APPENDUID \d+ 2\]/);
    expect(await append(url(`/;SECTION=${'1.'.repeat(LIMIT.url)}1`))).toMatch(/^\[BADURL /);
  });

  test('one APPEND brings so many messages and no more (RFC 3502)', async () => {
    using client = await ImapClient.open({ port: gate.port }, login);
    const most = `a1 APPEND INBOX${' {3+}\r\nabc'.repeat(LIMIT.appendedMessages)}`;
    client.link.write(`${most}\r\n`);
    expect((await client.response()).text).toMatch(
      new RegExp(`^a1 OK \\[APPENDUID \\d+ 1:${LIMIT.appendedMessages}\\]`),
    );
    client.link.write(`${most} {3+}\r\nabc\r\na2 NOOP\r\n`);
    expect((await client.response()).text).toMatch(/^a1 NO \[LIMIT\]/);
    expect((await client.response()).text).toMatch(/^a2 OK/);
    expect(await client.status('INBOX', 'MESSAGES')).toBe(LIMIT.appendedMessages);
  });
});
