// A message that a user wants sent later, in time, or with any octet in it, through whole servers.

import { describe, expect, test } from 'vitest';
import { SmtpClient } from '../clients/smtp.ts';
import { addressOf, createWorld, loginOf, type Server } from '../world.ts';
import { MINUTE, queueOf } from './passage.ts';

const HOUR = 60 * MINUTE;

async function submit(server: Server, to: readonly string[], parameters: string, content: string): Promise<void> {
  using client = await SmtpClient.open({ port: server.port(465), tls: 'implicit' }, loginOf('alice'));
  const octets = Buffer.from(content, 'latin1');
  const middle = Math.floor(octets.length / 2);
  const chunks = [octets.subarray(0, middle), octets.subarray(middle)];
  await client.sendChunks(addressOf('alice'), to, chunks, parameters);
  await client.quit();
}

describe('RFC 4865: sent later', () => {
  test('neither the neighbour nor the other server has it before its time', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there, clock } = world;
    const to = [addressOf('bob'), addressOf('carol')];
    await submit(here, to, ' HOLDFOR=3600', `From: <${addressOf('alice')}>\r\nSubject: later\r\n\r\nx\r\n`);
    const entries = await queueOf(here);
    expect(entries.map(({ nextAt }) => nextAt - clock.now())).toEqual([HOUR, HOUR]);
    clock.advance(HOUR - 1);
    expect(await here.messages('bob')).toEqual([]);
    clock.advance(1);
    await here.queueEmpty();
    const [near] = await here.messages('bob');
    const [far] = await there.messages('carol');
    expect(String(near)).toContain('Subject: later');
    expect(String(far)).toContain('Subject: later');
  });
});

describe('RFC 3030: any octet, and many', () => {
  const content = `From: <${addressOf('alice')}>\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\r\n.\r\n\n\r\xff${'.\n'.repeat(70_000)}`;
  const body = content.slice(content.indexOf('\r\n\r\n'));

  test('a binary message reaches a mailbox here and one at another server as it is', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there } = world;
    await submit(here, [addressOf('bob'), addressOf('carol')], ' BODY=BINARYMIME', content);
    await here.queueEmpty();
    for (const [server, user] of [
      [here, 'bob'],
      [there, 'carol'],
    ] as const) {
      expect((await stored(server, user)).endsWith(body)).toBe(true);
    }
  });

  test('a message of some MB goes from one server to the other in chunks', async () => {
    await using world = await createWorld({ servers: 2 });
    const { here, there } = world;
    const text = `From: <${addressOf('alice')}>\r\nSubject: large\r\n\r\n${'.123456789abcde\r\n'.repeat(600_000)}`;
    await submit(here, [addressOf('carol')], '', text);
    await here.queueEmpty();
    const arrived = await stored(there, 'carol');
    expect(arrived.endsWith(text.slice(text.indexOf('\r\n\r\n')))).toBe(true);
  });
});

/** The only message in a user's INBOX, as the store has it: latin1. */
async function stored({ running }: Server, user: string): Promise<string> {
  const { read } = running.store;
  const account = (await read.accounts()).find(({ address }) => address === addressOf(user));
  if (account === undefined) throw new Error(`${user} has no account`);
  const box = await read.mailboxByName(account.id, 'INBOX');
  if (box === undefined) throw new Error(`${user} has no INBOX`);
  const { uids } = await read.uids(box.id);
  const { rows } = await read.messages(box.id, uids);
  const [row] = rows;
  if (row === undefined || rows.length > 1) throw new Error(`${user} has ${rows.length} messages`);
  const size = row.size - row.prefix.length;
  let text = '';
  while (text.length < size) {
    text += Buffer.from(await read.body(row.body, text.length, size - text.length)).toString('latin1');
  }
  return text;
}
