// What a next hop hears of DELIVERBY (RFC 2852) and MT-PRIORITY (RFC 6710), and who may have a message that is in a hurry.

import { expect, test } from 'vitest';
import { FakeClock } from '../../fake-clock.ts';
import { fakeServer, KEYWORDS } from '../fake-server.ts';
import { contentOf, envelopeTo, openTo } from './try-out.ts';

const HELLO = contentOf('Subject: hello\r\n\r\nbye\r\n');
const HOUR = 3_600_000;

async function stage(...keywords: readonly string[]) {
  const server = await fakeServer({ keywords: [...KEYWORDS, ...keywords] });
  const clock = new FakeClock();
  return { server, clock, connection: await openTo(server, {}, clock) };
}

test('what is left of the time is said, and the priority, where they are offered', async () => {
  const { server, clock, connection } = await stage('DELIVERBY', 'MT-PRIORITY STANAG4406');
  const at = clock.now() + HOUR;
  const send = (deliverBy: { at: number; mode: 'R' | 'N'; trace: boolean }, priority: number) =>
    connection.send(envelopeTo(['a@fake.test'], { deliverBy, priority }), HELLO);
  await send({ at, mode: 'R', trace: true }, -4);
  clock.advance(HOUR / 2 + 1);
  await send({ at, mode: 'N', trace: false }, 9);
  clock.advance(HOUR);
  await send({ at, mode: 'N', trace: true }, 0);
  connection.destroy();
  expect(server.messages.map(({ mail }) => mail.replace(/.*SIZE=\d+ /, ''))).toEqual([
    'BY=3600;RT MT-PRIORITY=-4',
    'BY=1799;N MT-PRIORITY=9',
    'BY=-1801;NT MT-PRIORITY=0',
  ]);
});

test('a message that must be there in time goes to nobody who does not promise it (RFC 2852 §4)', async () => {
  for (const [keyword, seconds, status] of [
    ['X-NOTHING', 3_600, '5.3.3'],
    ['DELIVERBY 3601', 3_600, '5.4.7'],
    ['DELIVERBY', 0, '5.4.7'],
    ['DELIVERBY 3600', 3_600, '2.0.0'],
    ['DELIVERBY nonsense', 3_600, '2.0.0'],
  ] as const) {
    const { server, clock, connection } = await stage(keyword);
    const deliverBy = { at: clock.now() + seconds * 1_000, mode: 'R', trace: false } as const;
    expect((await connection.send(envelopeTo(['a@fake.test'], { deliverBy }), HELLO))[0]?.status).toBe(status);
    const notify = { ...deliverBy, mode: 'N' } as const;
    expect((await connection.send(envelopeTo(['a@fake.test'], { deliverBy: notify }), HELLO))[0]?.kind).toBe(
      'delivered',
    );
    expect(server.messages).toHaveLength(status === '2.0.0' ? 2 : 1);
    connection.destroy();
  }
});
