// A message on its way to a program that fetches: in by 25 or 465, out by 995 or 110, while IMAP looks on; and the rules of
// [pop3] as they are configured.

import { expect, test } from 'vitest';
import { addressOf, createWorld } from '../world.ts';

test('what is delivered is fetched and deleted, and IMAP in IDLE hears of it', async () => {
  await using world = await createWorld();
  const { here } = world;
  await here.submit('alice', { to: addressOf('bob'), subject: 'inside', text: 'x' });
  using outside = await here.smtp(25);
  await outside.send('eve@elsewhere.test', [addressOf('bob')], 'Subject: outside\r\n\r\n..dot\r\n.\r\n');

  using watching = await here.imap('bob');
  await watching.done('SELECT INBOX');
  const done = await watching.idle();
  using client = await here.pop3('bob', 110);
  const messages = (await client.messages()).map(String);
  expect(messages.map((octets) => /^Subject: (.*)\r$/m.exec(octets)?.[1])).toEqual(['inside', 'outside']);
  expect(messages[1]).toMatch(/\r\n\r\n\.dot\r\n$/);
  expect(messages).toEqual((await here.messages('bob')).map(String));
  await client.done('DELE 1');
  await client.quit();
  const heard: string[] = [];
  while (!heard.at(-1)?.includes('FETCH')) heard.push((await watching.response()).text);
  await done();
  heard.push(...(await watching.done('NOOP')).map(({ text }) => text));
  expect(heard.filter((text) => text.endsWith('EXPUNGE'))).toEqual(['* 1 EXPUNGE']);
  expect(heard.some((text) => /^\* 1 FETCH \(.*\\Seen/.test(text))).toBe(true);
});

test('a maildrop is one for both ports and for every name of its owner', async () => {
  await using world = await createWorld({ level: 'warn' });
  const { here } = world;
  using first = await here.pop3('alice', 995);
  await expect(here.pop3('alice', 110)).rejects.toThrow('[IN-USE]');
  await expect(here.pop3('ALICE', 995)).rejects.toThrow('[IN-USE]');
  await first.quit();
  using second = await here.pop3('alice', 110);
  await second.quit();
});

test('a delay between logins and a retention are announced, and the delay is kept', async () => {
  await using world = await createWorld({
    level: 'warn',
    configure: (config) => ({ ...config, pop3: { loginDelay: 90_000, expire: 30 } }),
  });
  const { here, clock } = world;
  using client = await here.pop3('bob');
  expect((await client.done('CAPA')).lines).toEqual(expect.arrayContaining(['LOGIN-DELAY 90', 'EXPIRE 30']));
  await client.quit();
  await expect(here.pop3('bob', 110)).rejects.toThrow('[LOGIN-DELAY]');
  clock.advance(90_000);
  using later = await here.pop3('bob', 110);
  await later.quit();
});
