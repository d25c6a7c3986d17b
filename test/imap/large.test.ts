// Large things in bounded memory.

import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LIMIT } from '../../src/imap/limits.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { ImapClient } from '../clients/imap.ts';
import { dial, type Gate, openGate, PASSWORD } from './gate.ts';

const MiB = 1_048_576;
const BODY = 50 * MiB;
const PIECE = MiB;

let gate: Gate;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void; // V8's own

const login = { user: 'alice@example.test', password: PASSWORD };

beforeAll(async () => {
  gate = await openGate({ clock: systemClock });
});
afterAll(() => gate[Symbol.asyncDispose]());

/** The octets that this process (both ends) holds outside the heap, garbage not counted. */
const held = () => {
  collect();
  return process.memoryUsage().arrayBuffers;
};

/** A line of text, over and over. */
const piece = Buffer.alloc(PIECE, 'All work and no play makes Jack a dull boy.\r\n');

describe('a message of 50 MB', () => {
  test('is appended and fetched, octet for octet, in bounded memory', async () => {
    using client = await ImapClient.open({ port: gate.port }, login);
    const sent = createHash('sha256');
    let most = held();
    const least = most;
    const watch = () => {
      most = Math.max(most, held());
    };
    client.link.write(`big APPEND Archive {${BODY}+}\r\n`);
    const head = Buffer.from('Subject: big\r\n\r\n');
    sent.update(head);
    await client.link.flush(head);
    for (let left = BODY - head.length; left > 0; ) {
      const next = piece.subarray(0, Math.min(PIECE, left));
      sent.update(next);
      await client.link.flush(next);
      left -= next.length;
      watch();
    }
    client.link.write('\r\n');
    expect((await client.response()).text).toMatch(/^big OK \[APPENDUID \d+ 1\]/);

    await client.done('SELECT Archive');
    const received = createHash('sha256');
    client.link.write('get FETCH 1 BODY.PEEK[]\r\n');
    expect(await client.link.line()).toBe(`* 1 FETCH (BODY[] {${BODY}}`);
    for (let left = BODY; left > 0; ) {
      const octets = await client.link.octets(Math.min(PIECE, left));
      received.update(octets);
      left -= octets.length;
      watch();
    }
    expect(await client.link.line()).toBe(')');
    expect(await client.link.line()).toMatch(/^get OK/);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    expect(most - least).toBeLessThan(12 * MiB);
    const [part] = await client.done(`FETCH 1 BODY.PEEK[]<${BODY - 10}.100>`);
    expect(part?.literals[0]?.length).toBe(10);
  });
});

test('a response of many sections waits for its client between them', async () => {
  using other = await ImapClient.open({ port: gate.port }, login);
  const slow = await dial(gate.port);
  const before = held();
  const sections = Array.from({ length: 400 }, (_, i) => `BODY.PEEK[]<${i}.${65_536}>`);
  slow.write(`a LOGIN ${login.user} ${login.password}\r\nb SELECT Archive\r\nc FETCH 1 (${sections.join(' ')})\r\n`);
  slow.pause();
  await expect.poll(() => gate.imap.sessions).toBe(2);
  // Long enough for all hundred megabytes, if nothing held them back.
  for (let i = 0; i < 500; i++) await other.done('NOOP');
  expect(held() - before).toBeLessThan(16 * MiB);
  slow.destroy();
  await expect.poll(() => gate.imap.sessions).toBe(1);
});

test('a response of one text over and over goes out as it is made', async () => {
  await gate.fill('Repeated', [`Subject: ${'x'.repeat(250_000)}\r\n\r\n`]);
  using client = await ImapClient.open({ port: gate.port }, login);
  await client.done('EXAMINE Repeated');
  // A gigabyte, which is more than one string can be.
  client.link.write(`a FETCH 1 (${Array(4_000).fill('ENVELOPE').join(' ')})\r\n`);
  expect(String(await client.link.octets(21))).toBe('* 1 FETCH (ENVELOPE (');
});

describe('a mailbox of many messages', () => {
  const COUNT = 20_000;

  test('is filled, selected, listed and searched', async () => {
    const octets = Buffer.from('Subject: one of many\r\n\r\n');
    for (let at = 0; at < COUNT; at += 2_000) await gate.fill('Many', Array(2_000).fill(octets));
    using client = await ImapClient.open({ port: gate.port }, login);
    using other = await ImapClient.open({ port: gate.port }, login);
    await client.done('SELECT Many');
    await other.done('SELECT Many');

    // Another session has its turn while one has much to say.
    let listed = false;
    const listing = client.done('FETCH 1:* (UID FLAGS)').finally(() => {
      listed = true;
    });
    await other.done('NOOP');
    expect(listed).toBe(false);
    const responses = await listing;
    expect(responses.length).toBe(COUNT);
    expect(responses.at(-1)?.text).toBe(`* ${COUNT} FETCH (UID ${COUNT} FLAGS (\\Recent))`);

    const [found] = await client.done('UID SEARCH UNSEEN');
    expect(found?.text.split(' ').length).toBe(COUNT + 2);

    // More changes than a view keeps: they are read again.
    expect(COUNT).toBeGreaterThan(LIMIT.pendingFlags);
    await client.done('STORE 1:* +FLAGS.SILENT (\\Deleted)');
    const told = await other.done('NOOP');
    expect(told.length).toBe(COUNT);
    expect(told[5]?.text).toBe('* 6 FETCH (FLAGS (\\Deleted))');

    const expunged = await client.done('EXPUNGE');
    expect(expunged.map(({ text }) => text).slice(0, 2)).toEqual([`* ${COUNT} EXPUNGE`, `* ${COUNT - 1} EXPUNGE`]);
    expect((await other.done('NOOP')).length).toBe(COUNT);
    expect((await other.command('FETCH 1 FLAGS')).status).toBe('BAD');
  });
});

test('envelopes that are large together come all, each with its message', async () => {
  const COUNT = 40;
  const subject = (number: number) => `${number} ${'x'.repeat(250_000)}`;
  const messages = Array.from({ length: COUNT }, (_, at) => `Subject: ${subject(at + 1)}\r\n\r\n`);
  for (const message of messages) await gate.fill('Wordy', [message]);
  using client = await ImapClient.open({ port: gate.port }, login);
  await client.done('EXAMINE Wordy');
  const responses = await client.done('FETCH 1:* ENVELOPE');
  const wrong = responses.filter(({ text }, at) => {
    return text !== `* ${at + 1} FETCH (ENVELOPE (NIL "${subject(at + 1)}" NIL NIL NIL NIL NIL NIL NIL NIL))`;
  });
  expect(responses.length).toBe(COUNT);
  expect(wrong.map(({ text }) => text.slice(0, 100))).toEqual([]);
});

describe('a header that is looked through again and again leaves others their turn', () => {
  const times = (what: string) => Array(60).fill(what).join(' ');
  const RUMP =
    'imap://alice%40example.test@mail.example.test/Heads/;UID=1/;SECTION=HEADER.FIELDS%20(X);URLAUTH=anonymous';

  beforeAll(() => gate.fill('Heads', [`${'X-Field: and a value\r\n'.repeat(10_000)}\r\nbody\r\n`]));

  test.each([
    { what: 'fields', command: () => `FETCH 1 (${times('BODY.PEEK[HEADER.FIELDS (X)]')})` },
    { what: 'encodings', command: () => `FETCH 1 (${times('BINARY.SIZE[1]')})` },
    { what: 'URLs', command: (url: string) => `URLFETCH ${times(url)}` },
  ])('$what', async ({ command }) => {
    using client = await ImapClient.open({ port: gate.port }, login);
    using other = await ImapClient.open({ port: gate.port }, login);
    await client.done('SELECT Heads');
    const [signed] = await client.done(`GENURLAUTH "${RUMP}" INTERNAL`);
    const [url = ''] = /"[^"]+"/.exec(signed?.text ?? '') ?? [];
    let answered = false;
    const answer = client.done(command(url)).finally(() => {
      answered = true;
    });
    await other.done('NOOP');
    expect(answered).toBe(false);
    expect((await answer).at(-1)?.text).not.toContain('NIL');
  });
});

test('commands that are sent ahead leave others their turn between them', async () => {
  using other = await ImapClient.open({ port: gate.port }, login);
  const socket = await dial(gate.port);
  let heard = '';
  socket.on('data', (octets: Buffer) => {
    heard += octets.toString('latin1');
  });
  socket.write(`${'a NOOP\r\n'.repeat(1_000)}z NOOP\r\n`);
  await other.done('NOOP');
  expect(heard).not.toContain('z OK');
  await expect.poll(() => heard).toContain('z OK');
  socket.destroy();
});

test('so do mailboxes whose messages are counted one after another', async () => {
  using client = await ImapClient.open({ port: gate.port }, login);
  using other = await ImapClient.open({ port: gate.port }, login);
  for (let i = 0; i < 20; i++) {
    await gate.fill(`Counted/${i}`, Array(500).fill('\r\n'));
    await client.done(`SELECT Counted/${i}`);
    await client.done('STORE 1:* +FLAGS.SILENT (\\Deleted)');
  }
  let answered = false;
  const answer = client.done('LIST "" "Counted/%" RETURN (STATUS (DELETED-STORAGE))').finally(() => {
    answered = true;
  });
  await other.done('NOOP');
  expect(answered).toBe(false);
  expect((await answer).at(-1)?.text).toBe('* STATUS "Counted/9" (DELETED-STORAGE 1000)');
});

test('so do the mailboxes that NOTIFY looks at', async () => {
  for (let i = 0; i < 400; i++) await gate.fill(`Watched/${i}`, []);
  using client = await ImapClient.open({ port: gate.port }, login);
  using other = await ImapClient.open({ port: gate.port }, login);
  const groups = Array(15).fill(`(subtree (${Array(1_000).fill('abc').join(' ')}) (MessageNew MessageExpunge))`);
  let answered = false;
  const answer = client.done(`NOTIFY SET ${groups.join(' ')}`).finally(() => {
    answered = true;
  });
  await other.done('NOOP');
  expect(answered).toBe(false);
  await answer;
});

test('so do the messages that a thousand sets name', async () => {
  await gate.fill('Named', Array(2_000).fill('\r\n'));
  using client = await ImapClient.open({ port: gate.port }, login);
  using other = await ImapClient.open({ port: gate.port }, login);
  await client.done('SELECT Named');
  let answered = false;
  const sets = Array.from({ length: 900 }, (_, i) => `UID ${i + 1}:*`);
  const answer = client.done(`UID SEARCH RETURN (COUNT MIN) ${sets.join(' ')}`).finally(() => {
    answered = true;
  });
  await other.done('NOOP');
  expect(answered).toBe(false);
  expect((await answer).at(-1)?.text).toMatch(/ UID MIN 900 COUNT 1101$/);
});
