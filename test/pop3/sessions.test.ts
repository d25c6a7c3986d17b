// A maildrop while other sessions work on the same INBOX: it is a snapshot, it is locked against POP3 and nobody else, and
// what it deletes goes at QUIT or not at all.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIMIT } from '../../src/pop3/limits.ts';
import { StoreError } from '../../src/store/store.ts';
import { ImapClient } from '../clients/imap.ts';
import { Pop3Client } from '../clients/pop3.ts';
import { FakeClock } from '../fake-clock.ts';
import { numbered, PASSWORD } from '../imap/gate.ts';
import { openPop3Gate, type Pop3Gate } from './gate.ts';

let gate: Pop3Gate;
let clock: FakeClock;

const login = { user: 'alice@example.test', password: PASSWORD };
const pop3 = (): Promise<Pop3Client> => Pop3Client.open({ port: gate.port }, login);
const imap = (): Promise<ImapClient> => ImapClient.open({ port: gate.beside.port }, login);
const flagsOf = async (client: ImapClient): Promise<string[]> =>
  (await client.done('FETCH 1:* (FLAGS)')).map(({ text }) => text.replaceAll(/ ?\\Recent/g, ''));

beforeEach(async () => {
  clock = new FakeClock();
  gate = await openPop3Gate({ clock });
});
afterEach(() => gate[Symbol.asyncDispose]());

describe('the snapshot', () => {
  test('what IMAP expunges can still be had, and what arrives is not seen', async () => {
    await gate.beside.fill('INBOX', numbered(3));
    using client = await pop3();
    using other = await imap();
    await other.done('SELECT INBOX');
    await other.done('STORE 1:2 +FLAGS.SILENT (\\Deleted)');
    await other.done('EXPUNGE');
    await gate.beside.fill('INBOX', numbered(1));
    expect((await client.done('STAT')).text).toBe('3 90');
    expect((await client.done('LIST')).lines).toEqual(['1 30', '2 30', '3 30']);
    expect(String(await client.retrieve(2))).toContain('Body 2');
    expect((await client.done('TOP 1 0')).lines).toEqual(['Subject: message 1', '']);
    // Deleting what is gone already is no error, and takes nothing else along.
    await client.done('DELE 1');
    await client.done('DELE 3');
    await client.quit();
    expect((await other.done('NOOP')).map(({ text }) => text)).toContain('* 1 EXPUNGE');
    using again = await pop3();
    expect((await again.done('STAT')).text).toBe('1 30');
    expect((await again.done('UIDL')).lines[0]).toMatch(/\.4$/);
  });

  test('IMAP hears of a deletion at QUIT, of all at once, and not before', async () => {
    await gate.beside.fill('INBOX', numbered(5));
    using other = await imap();
    await other.done('SELECT INBOX');
    using client = await pop3();
    for (const number of [1, 3, 5]) await client.done(`DELE ${number}`);
    expect(await other.done('NOOP')).toEqual([]);
    await client.quit();
    expect((await other.done('NOOP')).map(({ text }) => text)).toEqual([
      '* 5 EXPUNGE',
      '* 3 EXPUNGE',
      '* 1 EXPUNGE',
      '* 2 RECENT',
    ]);
    const [fetched] = await other.done('FETCH 1 (BODY.PEEK[TEXT])');
    expect(String(fetched?.literals[0])).toBe('Body 2\r\n');
  });

  test('\\Deleted of IMAP means nothing here, and DELE sets none', async () => {
    await gate.beside.fill('INBOX', numbered(2));
    using other = await imap();
    await other.done('SELECT INBOX');
    await other.done('STORE 1 +FLAGS.SILENT (\\Deleted)');
    using client = await pop3();
    expect((await client.done('STAT')).text).toBe('2 60');
    await client.done('DELE 2');
    await client.quit();
    expect((await other.done('NOOP')).map(({ text }) => text)).toContain('* 2 EXPUNGE');
    expect(await flagsOf(other)).toEqual(['* 1 FETCH (FLAGS (\\Deleted))']);
  });

  test('what RETR gave is \\Seen afterwards, with and without QUIT; TOP changes nothing; \\Recent is left to IMAP', async () => {
    await gate.beside.fill('INBOX', numbered(4));
    {
      using client = await pop3();
      await client.retrieve(1);
      await client.done('TOP 2 100');
      await client.quit();
    }
    const broken = await pop3();
    await broken.retrieve(3);
    broken.link.destroy();
    await expect.poll(() => gate.pop3.sessions).toBe(0);
    using other = await imap();
    expect((await other.done('SELECT INBOX')).map(({ text }) => text)).toContain('* 4 RECENT');
    expect(await flagsOf(other)).toEqual([
      '* 1 FETCH (FLAGS (\\Seen))',
      '* 2 FETCH (FLAGS ())',
      '* 3 FETCH (FLAGS (\\Seen))',
      '* 4 FETCH (FLAGS ())',
    ]);
  });

  test('a session that keeps expunged messages from being freed is ended, and deletes nothing', async () => {
    await gate.beside.fill('INBOX', numbered(2));
    using client = await pop3();
    using other = await imap();
    await other.done('SELECT INBOX');
    await client.done('DELE 2');
    await other.done('STORE 1 +FLAGS.SILENT (\\Deleted)');
    await other.done('EXPUNGE');
    for (let passed = 0; passed < LIMIT.expungedElsewhere - 5 * 60_000; passed += 5 * 60_000) {
      clock.advance(5 * 60_000);
      await client.done('NOOP');
      await other.done('NOOP');
    }
    expect(String(await client.retrieve(1))).toContain('Body 1');
    clock.advance(5 * 60_000);
    expect((await client.reply(false)).text).toMatch(/^\[SYS\/TEMP\]/);
    await client.link.closed();
    await other.done('NOOP');
    expect(await other.status('INBOX', 'MESSAGES')).toBe(1);
  });

  test('an account that is removed takes its sessions along', async () => {
    await gate.beside.fill('INBOX', numbered(1));
    using client = await pop3();
    await gate.beside.renew();
    expect((await client.reply(false)).text).toMatch(/^\[SYS\/PERM\]/);
    await client.link.closed();
    using again = await pop3();
    expect((await again.done('STAT')).text).toBe('0 0');
  });
});

describe('the lock', () => {
  test('holds against a second session until the first has ended, in whichever way', async () => {
    await gate.beside.fill('INBOX', numbered(1));
    const endings: readonly ((client: Pop3Client) => Promise<void> | void)[] = [
      (client) => client.quit(),
      (client) => client.link.destroy(),
      (client) => {
        client.link.socket.end();
      },
      (client) => {
        client.link.write('RETR 1\r\n');
        client.link.destroy();
      },
      async (client) => {
        clock.advance(LIMIT.idleTime);
        await client.link.closed();
      },
    ];
    for (const [at, end] of endings.entries()) {
      using first = await pop3();
      await expect(pop3()).rejects.toThrow('[IN-USE]');
      using reader = await imap();
      expect(await reader.status('INBOX', 'MESSAGES')).toBe(1);
      await end(first);
      await expect.poll(() => [at, gate.pop3.sessions]).toEqual([at, 0]);
      using second = await pop3();
      await second.quit();
    }
  });

  test('is one a maildrop, not one a server', async () => {
    using alice = await pop3();
    using bob = await Pop3Client.open({ port: gate.port }, { ...login, user: 'bob@example.test' });
    await alice.done('NOOP');
    await bob.done('NOOP');
  });

  test('is not taken by who cannot open the maildrop', async () => {
    const { store } = gate.beside;
    const { maildrop } = store.read;
    store.read.maildrop = async () => {
      throw new StoreError('closed', 'not now');
    };
    await expect(pop3()).rejects.toThrow('[SYS/TEMP]');
    store.read.maildrop = maildrop;
    using client = await pop3();
    await client.quit();
  });
});

describe('QUIT', () => {
  test('that cannot delete says so, and everything is there', async () => {
    await gate.beside.fill('INBOX', numbered(3));
    const { store } = gate.beside;
    const { execute } = store;
    const commands: string[] = [];
    // The store's own type: what is done for another kind is what it was.
    store.execute = ((command: Parameters<typeof execute>[0]) => {
      commands.push(command.kind);
      return command.kind === 'expunge' ? Promise.reject(new StoreError('full', 'no room')) : execute(command);
    }) as typeof execute;
    using client = await pop3();
    for (const number of [1, 2, 3]) await client.done(`DELE ${number}`);
    const reply = await client.command('QUIT');
    expect(reply).toMatchObject({ ok: false, text: expect.stringMatching(/^\[SYS\/TEMP\]/) });
    await client.link.closed();
    // One command, so that it is all or nothing.
    expect(commands.filter((kind) => kind === 'expunge')).toHaveLength(1);
    store.execute = execute;
    using again = await pop3();
    expect((await again.done('STAT')).text).toBe('3 90');
  });

  test('has the maildrop free when it is answered', async () => {
    for (let round = 0; round < 20; round++) {
      using client = await pop3();
      await client.done('QUIT');
      using next = await pop3();
      await next.done('QUIT');
    }
  });
});

test('large messages whose memory is given back come whole, again and again', async () => {
  const lines = `${'x'.repeat(76)}\r\n`.repeat(4_000);
  const plain = `Subject: large\r\n\r\n${lines}`;
  const foreign = `Subject: gro\u00df\r\n\r\n${lines}`;
  await gate.beside.fill(
    'INBOX',
    [plain, foreign].map((text) => Buffer.from(text)),
  );
  using client = await pop3();
  for (let round = 0; round < 3; round++) {
    expect((await client.retrieve(1)).equals(Buffer.from(plain))).toBe(true);
    // A surrogate of the header, and the body from the middle of a chunk on.
    expect(String(await client.retrieve(2)).endsWith(`\r\n\r\n${lines}`)).toBe(true);
    expect((await client.done('TOP 1 3000')).lines.length).toBe(3_002);
  }
});
