// The end of a listener: idle sessions at once, transactions after their end, everything else by force.

import { expect, test } from 'vitest';
import { FakeClock } from '../../fake-clock.ts';
import { dial, openGate } from './gate.ts';
import { Peer } from './peer.ts';

test('an idle session gets 421 at once', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  await peer.say('EHLO client.test');
  const closed = gate.smtp.close(5_000);
  await peer.expect(421, '4.3.2');
  await peer.closed();
  await closed;
  expect(gate.smtp.sessions).toBe(0);
});

test('a transaction comes to its end, then 421', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  await peer.begin();
  const closed = gate.smtp.close(5_000);
  peer.send('text\r\n.\r\n');
  await peer.expect(250, '2.6.0');
  await peer.expect(421, '4.3.2');
  await peer.closed();
  await closed;
  expect(gate.receiver.transactions[0]?.taken).toBe(true);
});

test('what does not end in time gets 421, and nothing of it is kept', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  await peer.begin();
  peer.send('half');
  await expect.poll(() => gate.receiver.transactions[0]?.content).toBe('half');
  await gate.smtp.close(50);
  await peer.expect(421, '4.3.2');
  await peer.closed();
  await expect.poll(() => gate.receiver.transactions[0]?.abandoned).toBe(1);
  expect(gate.receiver.transactions[0]?.taken).toBe(false);
});

test('a message that is being stored when the time is over is not answered 421', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock });
  await using peer = await Peer.at(gate);
  const { promise, resolve } = Promise.withResolvers<void>();
  gate.receiver.hold = promise;
  await peer.begin();
  peer.send('text\r\n.\r\n');
  await expect.poll(() => gate.receiver.transactions[0]?.content).toBe('text\r\n');
  const closed = gate.smtp.close(5_000);
  clock.advance(5_000);
  resolve();
  await peer.expect(250, '2.6.0');
  await peer.expect(421, '4.3.2');
  await peer.closed();
  await closed;
});

test('a connection that comes afterwards gets 421 instead of a greeting', async () => {
  await using gate = await openGate();
  await gate.smtp.close(0);
  const peer = new Peer(await dial(gate.port));
  await peer.expect(421, '4.3.2');
  await peer.closed();
});

test('while the greeting is held back, the end comes instead of it', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock, earlyTalkerWait: 5_000 });
  const peer = new Peer(await dial(gate.port));
  await expect.poll(() => clock.next).not.toBe(null);
  const closed = gate.smtp.close(60_000);
  clock.advance(5_000);
  await peer.expect(421, '4.3.2');
  await peer.closed();
  await closed;
});

test('a socket that is gone before it is handed over leaves nothing behind', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using gate = await openGate({
    wrap: (connection) => {
      connection.socket.destroy();
      connection.socket.once('close', () => resolve());
      return connection;
    },
    late: promise,
  });
  const socket = await dial(gate.port);
  await promise;
  await expect.poll(() => gate.log.some((line) => line.msg === 'session ended')).toBe(true);
  expect(gate.smtp.sessions).toBe(0);
  socket.destroy();
});
