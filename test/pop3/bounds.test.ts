// Times and bounds of a session: nobody waits for ever, nothing grows for ever, and what ends deletes nothing.

import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIMIT } from '../../src/pop3/limits.ts';
import { Pop3Client } from '../clients/pop3.ts';
import { FakeClock } from '../fake-clock.ts';
import { dial, numbered, PASSWORD } from '../imap/gate.ts';
import { openPop3Gate, type Pop3Gate } from './gate.ts';

let gate: Pop3Gate;
let clock: FakeClock;

const MiB = 1_048_576;
const login = { user: 'alice@example.test', password: PASSWORD };
const opened = (): Promise<Pop3Client> => Pop3Client.open({ port: gate.port }, login);

beforeEach(async () => {
  clock = new FakeClock();
  gate = await openPop3Gate({ clock });
});
afterEach(() => gate[Symbol.asyncDispose]());

/** Everything that a connection says until it is closed. */
async function heard(port: number, said: string): Promise<string> {
  const socket = await dial(port);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(said);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

describe('time', () => {
  test('RFC 1939 §3: 10 minutes of silence end a session without a word, and delete nothing', async () => {
    await gate.beside.fill('INBOX', numbered(2));
    {
      using client = await opened();
      await client.done('DELE 1');
      clock.advance(LIMIT.idleTime - 1);
      await client.done('NOOP');
      clock.advance(LIMIT.idleTime - 1);
      expect(gate.pop3.sessions).toBe(1);
      clock.advance(1);
      await expect(client.reply(false)).rejects.toThrow('closed');
    }
    expect(LIMIT.idleTime).toBeGreaterThanOrEqual(10 * 60_000);
    await expect.poll(() => gate.pop3.sessions).toBe(0);
    using again = await opened();
    expect((await again.done('STAT')).text).toBe('2 60');
  });

  test('a client that does not log in is sent away, whatever it says', async () => {
    using client = await Pop3Client.open({ port: gate.port });
    await client.done('CAPA');
    clock.advance(LIMIT.loginTime - 1);
    await client.done('CAPA');
    clock.advance(1);
    await expect(client.reply(false)).rejects.toThrow('closed');
  });

  test('nor may it sit in the middle of AUTH', async () => {
    using client = await Pop3Client.open({ port: gate.port });
    client.link.write('AUTH PLAIN\r\n');
    expect(await client.link.line()).toBe('+ ');
    clock.advance(LIMIT.loginTime);
    await expect(client.reply(false)).rejects.toThrow('closed');
  });
});

describe('the end', () => {
  test('a server that stops says so to who waits and to who comes late, and deletes nothing', async () => {
    await gate.beside.fill('INBOX', numbered(1));
    using waiting = await Pop3Client.open({ port: gate.port });
    using reading = await opened();
    await reading.done('DELE 1');
    const closed = gate.pop3.close(1_000);
    expect((await waiting.reply(false)).text).toMatch(/^\[SYS\/TEMP\]/);
    expect((await reading.reply(false)).text).toMatch(/^\[SYS\/TEMP\]/);
    await closed;
    expect(gate.pop3.sessions).toBe(0);
    expect(await heard(gate.port, '')).toMatch(/^-ERR \[SYS\/TEMP\][^\n]*\n$/);
    const inbox = await gate.beside.store.read.mailboxByName(gate.beside.alice, 'INBOX');
    expect(inbox?.messages).toBe(1);
  });

  test('a client that takes nothing is cut when the grace is over', async () => {
    await gate.beside.fill('INBOX', [Buffer.alloc(8 * MiB, 'x')]);
    const slow = await dial(gate.port);
    slow.pause();
    slow.write(`USER ${login.user}\r\nPASS ${login.password}\r\nRETR 1\r\n`);
    await expect.poll(() => gate.beside.log.some(({ msg }) => msg === 'pop3: logged in')).toBe(true);
    const closed = gate.pop3.close(1_000);
    clock.advance(1_000);
    await closed;
    slow.destroy();
  });

  test('a client that vanishes leaves nothing behind', async () => {
    await gate.beside.fill('INBOX', numbered(1));
    for (const last of ['', 'LIST', 'RETR 1\r\n', 'DELE 1\r\n', 'DELE 1\r\nQUI']) {
      const client = await opened();
      client.link.write(last);
      client[Symbol.dispose]();
      await expect.poll(() => gate.pop3.sessions).toBe(0);
    }
    using again = await opened();
    expect((await again.done('STAT')).text).toBe('1 30');
  });

  test('a response that cannot be finished is broken off: nothing stands in it that could be its content', async () => {
    await gate.beside.fill('INBOX', numbered(1));
    const { read } = gate.beside.store;
    const { body } = read;
    read.body = async () => {
      throw new Error('the disk is gone');
    };
    const logIn = `USER ${login.user}\r\nPASS ${login.password}\r\n`;
    const said = await heard(gate.port, `UTF8\r\n${logIn}RETR 1\r\nNOOP\r\n`);
    read.body = body;
    expect(said.split('\r\n').slice(4)).toEqual(['+OK 30 octets', '']);
    // Nobody has read it.
    const inbox = await gate.beside.store.read.mailboxByName(gate.beside.alice, 'INBOX');
    expect(inbox?.unseen).toBe(1);
  });

  test('a client that ends its half is answered what it had asked', async () => {
    await gate.beside.fill('INBOX', numbered(1));
    const socket = await dial(gate.port);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.end(`USER ${login.user}\r\nPASS ${login.password}\r\nSTAT\r\nLIST\r\n`);
    await once(socket, 'close');
    expect(Buffer.concat(chunks).toString()).toMatch(/\+OK 1 30\r\n\+OK [^\n]*\n1 30\r\n\.\r\n$/);
  });
});

describe('size', () => {
  test('a line without end is not gathered, and ends the session', async () => {
    using client = await opened();
    client.link.socket.on('error', () => undefined);
    client.link.write(Buffer.alloc(LIMIT.skipped + LIMIT.line + 1, 'x'));
    expect((await client.reply(false)).ok).toBe(false);
    await client.link.closed();
  });

  test('long lines one after another are bounded together', async () => {
    using client = await opened();
    client.link.socket.on('error', () => undefined);
    const line = Buffer.concat([Buffer.alloc(LIMIT.line + 100_000, 'x'), Buffer.from('\r\n')]);
    let refused = 0;
    for (let sent = 0; sent < 20; sent++) client.link.write(line);
    try {
      for (; refused < 20; refused++) expect((await client.reply(false)).ok).toBe(false);
    } catch {
      // Closed.
    }
    expect(refused).toBeGreaterThan(5);
    expect(refused).toBeLessThan(20);
  });

  test('commands without end are read no faster than they are answered', async () => {
    await gate.beside.fill('INBOX', [Buffer.alloc(MiB, 'All work and no play.\r\n')]);
    const slow = await dial(gate.port);
    slow.on('error', () => undefined);
    slow.pause();
    slow.write(`USER ${login.user}\r\nPASS ${login.password}\r\n${'RETR 1\r\n'.repeat(4_000_000)}`);
    await expect.poll(() => gate.beside.log.some(({ msg }) => msg === 'pop3: logged in')).toBe(true);
    using other = await Pop3Client.open({ port: gate.port }, { ...login, user: 'bob@example.test' });
    for (let i = 0; i < 200; i++) await other.done('NOOP');
    // Most of what was sent is still on this side.
    expect(slow.writableLength).toBeGreaterThan(MiB);
    slow.destroy();
  });
});
