// The way of a signature: submitted on 587, relayed over port 25 to another server, read there by IMAP, where anybody who
// has the records verifies it. And a signature that cannot be made.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { dkimFolder } from '../../src/trust/dkim/keys.ts';
import { good, verify } from '../trust/verifier.ts';
import { addressOf, createWorld, loginOf, type WorldOptions } from '../world.ts';

const signing = (config: Config): Config => ({ ...config, dkim: { ...config.dkim, enabled: true } });
const world = (options: WorldOptions = {}) => createWorld({ level: 'warn', configure: signing, ...options });

test('what arrives at another server verifies, and so does the copy that stays', async () => {
  await using both = await world({ servers: 2 });
  const { here, there } = both;
  const attachment = Buffer.alloc(600_000, 'all work and no play ');
  for (const mail of [
    { subject: 'Grüße', text: 'Ein Satz mit  Lücken \r\n\r\n.\r\n..\r\n\r\n\r\n', html: '<p>Ein Satz</p>' },
    { subject: 'large', text: 'see there', attachments: [{ content: attachment }] },
  ]) {
    await here.submit('alice', { to: addressOf('carol'), cc: addressOf('bob'), ...mail }, 587);
  }
  await here.queueEmpty();
  const arrived = [...(await there.messages('carol')), ...(await here.messages('bob'))];
  expect(arrived).toHaveLength(4);
  for (const message of arrived) {
    expect(await verify(message, dkimFolder(here.config.data), here.config.domains)).toEqual(good('example.test'));
  }
});

test('8-bit text arrives as 7-bit at the other server, the same to read, and verifies there', async () => {
  await using both = await world({ servers: 2 });
  const { here, there } = both;
  const part = (type: string, text: string) =>
    `--b\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${text}\r\n`;
  const content =
    'From: alice@example.test\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n' +
    `Content-Type: multipart/alternative; boundary=b\r\n\r\n${part('text/plain', 'Viele Grüße, €, \u{1f4ec}')}` +
    `${part('text/html', `<p>${'Viele Grüße, € '.repeat(500)}</p>`)}--b--\r\n`;
  using client = await here.smtp(587, loginOf('alice'));
  await client.command(`MAIL FROM:<${addressOf('alice')}> BODY=8BITMIME`, 250);
  await client.command(`RCPT TO:<${addressOf('carol')}>`, 250);
  await client.command('DATA', 354);
  // The client's lines have one character for each octet.
  await client.command(`${Buffer.from(content).toString('latin1')}.`, 250);
  await here.queueEmpty();
  const [message = Buffer.alloc(0)] = await there.messages('carol');
  expect(message.every((octet) => octet < 128)).toBe(true);
  expect(await verify(message, dkimFolder(here.config.data), here.config.domains)).toEqual(good('example.test'));
  const mail = await simpleParser(message);
  expect([mail.text, mail.html]).toEqual(['Viele Grüße, €, \u{1f4ec}', `<p>${'Viele Grüße, € '.repeat(500)}</p>`]);
});

test('the transcript of 587 says nothing of it; a key that is no key is answered 451, and nobody has the mail', async () => {
  await using one = await world({ level: 'fatal' });
  const { here } = one;
  const keys = join(dkimFolder(here.config.data), 'example.test');
  await mkdir(keys, { recursive: true });
  await writeFile(join(keys, 'postern-rsa.pem'), 'no key');
  using client = await here.smtp(587, loginOf('alice'));
  await client.command(`MAIL FROM:<${addressOf('alice')}>`, 250);
  await client.command(`RCPT TO:<${addressOf('bob')}>`, 250);
  await client.command('DATA', 354);
  const reply = await client.command('Subject: x\r\n\r\nx\r\n.');
  expect([reply.code, reply.lines[0]?.split(' ')[0]]).toEqual([451, '4.3.0']);
  expect(await here.messages('bob')).toEqual([]);
});

test('a catcher signs nothing', async () => {
  const catching = (config: Config): Config => ({ ...signing(config), test: { ...config.test, catchAll: true } });
  await using one = await world({ configure: catching });
  await one.here.submit('alice', { to: addressOf('bob'), text: 'x' });
  const [message] = await one.here.messages('bob');
  expect(message?.toString()).not.toContain('DKIM-Signature');
});
