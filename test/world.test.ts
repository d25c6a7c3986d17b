// The world stands: two servers start, take mail on each gate, hand it to each other, and stop.

import { expect, test } from 'vitest';
import { addressOf, createWorld, loginOf } from './world.ts';

test('two servers, every gate, mail from one to the other', async () => {
  await using world = await createWorld({ servers: 2 });
  for (const gate of [25, 465, 587] as const) {
    using client = await world.here.smtp(gate, gate === 25 ? undefined : loginOf('alice'));
    await client.send(addressOf('alice'), [addressOf('bob')], `Subject: gate ${gate}\r\n\r\nhello\r\n.\r\n`);
  }
  for (const gate of [993, 143] as const) {
    using client = await world.here.imap('bob', gate);
    expect(await client.status('INBOX', 'MESSAGES')).toBe(3);
  }
  await world.here.submit('alice', { to: addressOf('carol'), subject: 'over there', text: 'hello' });
  await world.here.queueEmpty();
  expect(await world.there.messages('carol')).toHaveLength(1);
  const flow = await world.there.flow('carol');
  expect(await flow.status('INBOX', { messages: true })).toMatchObject({ messages: 1 });
  await flow.logout();
});
