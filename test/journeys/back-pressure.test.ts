// A queue that is full: who sends elsewhere is told to come back before anything is taken, who sends within is not.

import { expect, test } from 'vitest';
import { addressOf, createWorld, loginOf } from '../world.ts';
import { queueWaits } from './passage.ts';

test('above the size of the queue, mail elsewhere is put off at RCPT, and mail within passes', async () => {
  await using world = await createWorld({
    servers: 2,
    configure: (config) => ({ ...config, limits: { ...config.limits, queueEntries: 1 } }),
  });
  const { here, clock } = world;
  here.wayOut.target = null;
  await here.submit('alice', { to: addressOf('carol'), text: 'x' });
  await queueWaits(here);
  clock.advance(1_000);
  using client = await here.smtp(587, loginOf('alice'));
  await client.command(`MAIL FROM:<${addressOf('alice')}>`, 250);
  await client.command(`RCPT TO:<${addressOf('dave')}>`, 452);
  await client.command(`RCPT TO:<${addressOf('bob')}>`, 250);
  await client.command('DATA', 354);
  await client.command('Subject: within\r\n\r\nx\r\n.', 250);
  await client.quit();
  expect(await here.messages('bob')).toHaveLength(1);
  expect(await here.running.store.read.queue.size()).toBe(1);
});
