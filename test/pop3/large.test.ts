// Large things in bounded memory, and many of them without keeping others from their turn.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { Pop3Client } from '../clients/pop3.ts';
import { occupied } from '../fuzz/occupied.ts';
import { dial, PASSWORD } from '../imap/gate.ts';
import { openPop3Gate, type Pop3Gate } from './gate.ts';

const MiB = 1_048_576;
const BODY = 50 * MiB;
const COUNT = 20_000;

const alice = { user: 'alice@example.test', password: PASSWORD };
const bob = { ...alice, user: 'bob@example.test' };

let gate: Pop3Gate;
beforeAll(async () => {
  gate = await openPop3Gate({ clock: systemClock });
});
afterAll(() => gate[Symbol.asyncDispose]());

test('a message of 50 MB is fetched, octet for octet, in bounded memory', async () => {
  // Every other line begins with a dot.
  const line = Buffer.from('All work and no play makes Jack a dull boy.\r\n.\r\n');
  const sent = Buffer.concat([Buffer.from('Subject: big\r\n\r\n'), Buffer.alloc(BODY, line), Buffer.from('\r\n')]);
  await gate.beside.fill('INBOX', [sent]);
  using client = await Pop3Client.open({ port: gate.port }, alice);
  expect((await client.done('LIST 1')).text).toBe(`1 ${sent.length}`);
  const before = await occupied();
  let most = 0;
  const received = createHash('sha256');
  client.link.write('RETR 1\r\n');
  expect(await client.link.line()).toBe(`+OK ${sent.length} octets`);
  for (let lines = 0; ; lines++) {
    const next = await client.link.line();
    if (next === '.') break;
    received.update(`${next.startsWith('.') ? next.slice(1) : next}\r\n`);
    if (lines % 400_000 === 0) most = Math.max(most, await occupied());
  }
  expect(received.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
  expect(most - before).toBeLessThan(16 * MiB);

  // A client that takes nothing of it holds up nothing and nobody.
  await client.quit();
  using other = await Pop3Client.open({ port: gate.port }, bob);
  const unread = await occupied();
  const slow = await dial(gate.port);
  slow.pause();
  slow.write(`USER ${alice.user}\r\nPASS ${alice.password}\r\nRETR 1\r\n`);
  await expect.poll(() => gate.pop3.sessions).toBe(2);
  for (let i = 0; i < 500; i++) await other.done('NOOP');
  expect((await occupied()) - unread).toBeLessThan(4 * MiB);
  slow.destroy();
  await other.quit();
  await expect.poll(() => gate.pop3.sessions).toBe(0);
});

test('a maildrop of many messages is listed, thinned out and emptied', async () => {
  await gate.beside.renew();
  const octets = Buffer.from('Subject: one of many\r\n\r\n');
  for (let at = 0; at < COUNT; at += 2_000) await gate.beside.fill('INBOX', Array(2_000).fill(octets));
  using client = await Pop3Client.open({ port: gate.port }, alice);
  using other = await Pop3Client.open({ port: gate.port }, bob);
  // Another session has its turn while one has much to say.
  let listed = false;
  const listing = client.done('LIST').finally(() => {
    listed = true;
  });
  await other.done('NOOP');
  expect(listed).toBe(false);
  const { lines } = await listing;
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([COUNT, '1 24', `${COUNT} 24`]);
  const ids = (await client.done('UIDL')).lines.map((line) => line.split(' ')[1] ?? '');
  expect(new Set(ids).size).toBe(COUNT);
  expect(ids.filter((id) => !/^[\x21-\x7e]{1,70}$/.test(id))).toEqual([]);
  // Commands by the thousand, as a program that pipelines sends them.
  client.link.write(Array.from({ length: COUNT / 2 }, (_, at) => `DELE ${2 * at + 1}\r\n`).join(''));
  for (let at = 0; at < COUNT / 2; at++) expect((await client.reply(false)).ok).toBe(true);
  expect((await client.done('STAT')).text).toBe(`${COUNT / 2} ${(COUNT / 2) * octets.length}`);
  await client.quit();
  using again = await Pop3Client.open({ port: gate.port }, alice);
  const left = (await again.done('UIDL')).lines.map((line) => line.split(' ')[1]);
  expect(left).toEqual(ids.filter((_, at) => at % 2 === 1));
});

test('commands that are sent ahead leave others their turn between them', async () => {
  using other = await Pop3Client.open({ port: gate.port }, bob);
  const socket = await dial(gate.port);
  let heard = '';
  socket.on('data', (octets: Buffer) => {
    heard += octets.toString('latin1');
  });
  await once(socket, 'data');
  heard = '';
  socket.write('CAPA\r\n'.repeat(500));
  await other.done('NOOP');
  expect(heard.split('\r\n.\r\n').length).toBeLessThan(500);
  await expect.poll(() => heard.split('\r\n.\r\n').length).toBe(501);
  socket.destroy();
});
