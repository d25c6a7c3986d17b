// BDAT from the client's side (RFC 3030): when it is used, how content is cut, what each reply means, what must not be sent.

import { expect, test } from 'vitest';
import { needsOf } from '../../../src/smtp/client/content.ts';
import type { Outcome } from '../../../src/smtp/client/outcome.ts';
import { type FakeServer, fakeServer, KEYWORDS, type Script } from '../fake-server.ts';
import { contentOf, envelopeTo, openTo } from './try-out.ts';

const CHUNKED = [...KEYWORDS, 'CHUNKING'];
const BINARY = [...CHUNKED, 'BINARYMIME'];
const serve = (script: Script = {}) => fakeServer({ keywords: BINARY, ...script });
const MEBI = 1_048_576;
const kinds = (outcomes: readonly (Outcome | null)[]) => outcomes.map((one) => one?.kind ?? null);
const bdats = (server: FakeServer) => server.sessions[0]?.commands.filter((line) => line.startsWith('BDAT'));
const binary = contentOf('Subject: x\r\n\r\n\0\r\n.\r\nab\ncd\r');
const to = envelopeTo(['a@fake.test'], { body: 'BINARYMIME' });
const large = contentOf(`a: b\r\n\r\n${'.23456789abcdef\r\n'.repeat(600_000)}`);

test('binary content goes in a chunk, octet for octet, and is declared', async () => {
  const server = await serve();
  const connection = await openTo(server);
  expect(kinds(await connection.send(to, binary))).toEqual(['delivered']);
  expect(connection.usable).toBe(true);
  expect(kinds(await connection.send(to, contentOf('')))).toEqual(['delivered']);
  await connection.quit();
  expect(server.messages.map(({ content }) => content)).toEqual(['Subject: x\r\n\r\n\0\r\n.\r\nab\ncd\r', '']);
  expect(server.sessions[0]?.commands).toEqual([
    'EHLO client.test',
    `MAIL FROM:<alice@client.test> SIZE=${binary.size} BODY=BINARYMIME`,
    'RCPT TO:<a@fake.test>',
    `BDAT ${binary.size} LAST`,
    'MAIL FROM:<alice@client.test> SIZE=0 BODY=BINARYMIME',
    'RCPT TO:<a@fake.test>',
    'BDAT 0 LAST',
    'QUIT',
  ]);
});

test('content of some MB goes in chunks where they are offered, whatever the pieces it is read in', async () => {
  for (const piece of [65_536, 5 * MEBI, large.size]) {
    const server = await serve({ keywords: CHUNKED });
    const connection = await openTo(server);
    const text = `a: b\r\n\r\n${'.23456789abcdef\r\n'.repeat(600_000)}`;
    expect(kinds(await connection.send(envelopeTo(['a@fake.test']), contentOf(text, piece)))).toEqual(['delivered']);
    expect(server.messages[0]?.content === text).toBe(true);
    expect(bdats(server)).toEqual([`BDAT ${4 * MEBI}`, `BDAT ${4 * MEBI}`, `BDAT ${large.size - 8 * MEBI} LAST`]);
    connection.destroy();
  }
});

test('small content goes by DATA all the same, and so does all where chunks are not offered', async () => {
  const server = await serve();
  const connection = await openTo(server);
  await connection.send(envelopeTo(['a@fake.test'], { body: '8BITMIME' }), contentOf('a: b\r\n\r\nx\r\n'));
  connection.destroy();
  const plain = await serve({ keywords: KEYWORDS });
  const other = await openTo(plain);
  await other.send(envelopeTo(['a@fake.test']), large);
  other.destroy();
  expect([bdats(server), bdats(plain)]).toEqual([[], []]);
});

test('binary content is returned where BINARYMIME is missing; what is only declared so goes as what it is', async () => {
  for (const keywords of [KEYWORDS, CHUNKED, [...KEYWORDS, 'BINARYMIME']]) {
    const server = await serve({ keywords });
    const connection = await openTo(server);
    expect((await connection.send(to, binary))[0]).toMatchObject({ kind: 'failed', status: '5.6.3' });
    expect(kinds(await connection.send(to, contentOf('a: b\r\n\r\nx\r\n')))).toEqual(['delivered']);
    expect(kinds(await connection.send(to, contentOf('a: b\r\n\r\n\u00e4\r\n')))).toEqual(['delivered']);
    connection.destroy();
    expect(server.messages.map(({ mail }) => / BODY=(\w+)/.exec(mail)?.[1])).toEqual([undefined, '8BITMIME']);
  }
  const seven = await serve({ keywords: ['PIPELINING'] });
  const connection = await openTo(seven);
  expect((await connection.send(to, contentOf('a: b\r\n\r\n\u00e4\r\n')))[0]).toMatchObject({ status: '5.6.3' });
  expect(kinds(await connection.send(to, contentOf('a: b\r\n\r\nx\r\n')))).toEqual(['delivered']);
  connection.destroy();
});

test.each([
  ['', '7BIT'],
  ['a\r\n', '7BIT'],
  ['\u00e4\r\n', '8BITMIME'],
  ['a', 'BINARYMIME'],
  ['a\r', 'BINARYMIME'],
  ['a\rb\r\n', 'BINARYMIME'],
  ['a\nb\r\n', 'BINARYMIME'],
  ['a\0\r\n', 'BINARYMIME'],
  [`${'x'.repeat(998)}\r\n`, '7BIT'],
  [`${'x'.repeat(999)}\r\n`, 'BINARYMIME'],
] as const)('what %j needs: %s', async (text, needs) => {
  for (const piece of [1, 3, 1_000]) expect(await needsOf(contentOf(text, piece))).toBe(needs);
});

test.each(['452 4.3.1 full', '552 5.3.4 too big'])('%s to a chunk: no other follows, RSET does', async (reply) => {
  const server = await serve({ on: (line) => (line.startsWith('BDAT') ? reply : undefined) });
  const connection = await openTo(server);
  const [outcome] = await connection.send(envelopeTo(['a@fake.test']), large);
  expect(outcome).toMatchObject({ reply: { code: Number(reply.slice(0, 3)) } });
  expect(bdats(server)).toHaveLength(1);
  expect(server.sessions[0]?.commands.at(-1)).toBe('RSET');
  server.script = { keywords: BINARY };
  expect(connection.usable).toBe(true);
  connection.destroy();
});

test('a server, or a firewall before it, that knows no BDAT gets the next message by DATA', async () => {
  const server = await serve({
    on: (line) =>
      line.startsWith('BDAT') ? '500 5.5.1 what' : line.includes('gone@') ? '550 5.1.1 nobody' : undefined,
  });
  const quirks = new Set<'CHUNKING'>();
  const envelope = envelopeTo(['gone@fake.test', 'a@fake.test']);
  const first = await openTo(server, { quirks });
  expect(kinds(await first.send(envelope, large))).toEqual(['failed', 'deferred']);
  expect(first.usable).toBe(false);
  expect(server.messages).toEqual([]);
  const second = await openTo(server, { quirks });
  expect(kinds(await second.send(envelopeTo(['a@fake.test']), large))).toEqual(['delivered']);
  second.destroy();
});

test.each(['close', 'reset'] as const)('a %s instead of the reply to a chunk defers', async (what) => {
  const server = await serve({ on: (line) => (line.startsWith('BDAT') ? { do: what } : undefined) });
  const connection = await openTo(server);
  expect((await connection.send(to, binary))[0]).toMatchObject({ kind: 'deferred', status: '4.4.2' });
  expect(connection.usable).toBe(false);
});

test('421 to a chunk defers', async () => {
  const server = await serve({ on: (line) => (line.startsWith('BDAT') ? '421 4.3.2 closing' : undefined) });
  const connection = await openTo(server);
  expect((await connection.send(to, binary))[0]).toMatchObject({ kind: 'deferred', status: '4.3.2' });
});

test('nobody is to have it: no chunk is sent', async () => {
  const server = await serve({ on: (line) => (line.startsWith('RCPT') ? '550 5.1.1 nobody' : undefined) });
  const connection = await openTo(server);
  expect(kinds(await connection.send(to, binary))).toEqual(['failed']);
  expect(bdats(server)).toEqual([]);
  expect(connection.usable).toBe(true);
  connection.destroy();
});

test('content that is not what it says is never a whole message', async () => {
  const claims = (size: number, ...pieces: string[]) => ({
    size,
    async *open() {
      for (const piece of pieces) yield Buffer.from(piece);
    },
  });
  for (const content of [claims(10, 'a\0', 'b'), claims(2, 'a\0', 'b'), claims(2, 'a\0b')]) {
    const server = await serve();
    const connection = await openTo(server);
    await expect(connection.send(to, content)).rejects.toThrow('than it says');
    await server.until(() => server.sessions[0]?.closed ?? false);
    expect(server.messages).toEqual([]);
  }
});

test('the last octets wait for the end of the content, which may fail', async () => {
  const server = await serve();
  const connection = await openTo(server);
  const content = {
    size: 200_000,
    async *open() {
      yield Buffer.alloc(100_000);
      yield Buffer.alloc(100_000);
      throw new Error('what was before it is not settled');
    },
  };
  await expect(connection.send(to, content)).rejects.toThrow('not settled');
  await server.until(() => server.sessions[0]?.closed ?? false);
  expect(server.messages).toEqual([]);
});
