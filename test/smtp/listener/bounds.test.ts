// What a hostile or broken client can take from a listener: time, commands, recipients, memory, each to a bound. Time
// is in the test's hand.

import { expect, test } from 'vitest';
import { CONTENT_RATE, LIMITS, TIMES } from '../../../src/smtp/listener/limits.ts';
import { FakeClock } from '../../fake-clock.ts';
import { dial, openGate } from './gate.ts';
import { Peer } from './peer.ts';

test('RFC 5321 §4.5.3.2.7: a silent client is told so after five minutes', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock });
  await using peer = await Peer.at(gate);
  await peer.say('EHLO client.test');
  clock.advance(TIMES.command - 1);
  await expect(peer.say('NOOP')).resolves.toMatchObject({ code: 250 });
  clock.advance(TIMES.command);
  await peer.expect(421, '4.4.2');
  await peer.closed();
});

test('a command that comes an octet at a time has the same time', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock });
  await using peer = await Peer.at(gate);
  for (const octet of 'NOOP') {
    await new Promise<void>((resolve) => peer.socket.write(octet, () => resolve()));
    clock.advance(TIMES.command / 4);
  }
  await peer.expect(421, '4.4.2');
  await peer.closed();
});

test('the whole session ends after an hour, however busy it looks', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock });
  await using peer = await Peer.at(gate);
  let reply = await peer.say('NOOP');
  for (let passed = 0; reply.code === 250 && passed < 2 * TIMES.session; passed += TIMES.command / 2) {
    clock.advance(TIMES.command / 2);
    reply = await peer.say('NOOP').catch(() => reply);
  }
  // The NOOP that crosses the hour may still be answered, then the connection ends.
  for (let next = await peer.replyOrEnd(); next !== null; next = await peer.replyOrEnd()) reply = next;
  expect(reply.code).toBe(421);
});

test('a transaction that never comes to DATA ends with the session', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock });
  await using peer = await Peer.at(gate);
  peer.send('EHLO c\r\nMAIL FROM:<>\r\n');
  for (const code of [250, 250]) await peer.expect(code);
  clock.advance(TIMES.command - 1);
  for (let passed = TIMES.command; passed < TIMES.session; passed += TIMES.command / 2) {
    await peer.say('NOOP');
    clock.advance(TIMES.command / 2);
  }
  clock.advance(1);
  await peer.expect(421, '4.4.2');
  await peer.closed();
  await expect.poll(() => gate.receiver.transactions[0]?.abandoned).toBe(1);
});

test('RFC 5321 §4.5.3.2.5: content that stops is waited for three minutes', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock });
  await using peer = await Peer.at(gate);
  await peer.begin();
  peer.send('some\r\n');
  await expect.poll(() => gate.receiver.transactions[0]?.content).toBe('some\r\n');
  clock.advance(TIMES.contentPiece - 1);
  peer.send('more\r\n');
  await expect.poll(() => gate.receiver.transactions[0]?.content).toBe('some\r\nmore\r\n');
  clock.advance(TIMES.contentPiece);
  await peer.expect(421, '4.4.2');
  await peer.closed();
  await expect.poll(() => gate.receiver.transactions[0]?.abandoned).toBe(1);
  expect(gate.receiver.transactions[0]?.taken).toBe(false);
});

test('content that trickles is cut after the time of grace, at the pace of the minimum rate it would live', async () => {
  for (const [rate, lives] of [
    [CONTENT_RATE / 4, false],
    [CONTENT_RATE * 2, true],
  ] as const) {
    const clock = new FakeClock();
    await using gate = await openGate({ clock, messageSize: 50_000_000 });
    await using peer = await Peer.at(gate);
    await peer.begin();
    const step = TIMES.contentPiece / 2;
    const line = `${'x'.repeat((rate * step) / 1_000 / 100 - 2)}\r\n`.repeat(100);
    let received = 0;
    let cut = false;
    for (let passed = 0; passed < 4 * TIMES.contentGrace && !cut; passed += step) {
      peer.send(line);
      received += line.length;
      await expect.poll(() => gate.receiver.receiving === 0 || content(gate) >= received).toBe(true);
      clock.advance(step);
      await new Promise((resolve) => setImmediate(resolve));
      cut = gate.receiver.receiving === 0;
    }
    expect(cut).toBe(!lives);
    if (!lives) continue;
    peer.send('.\r\n');
    await peer.expect(250);
  }
});

function content(gate: { readonly receiver: { readonly transactions: readonly { content: string }[] } }): number {
  return gate.receiver.transactions[0]?.content.length ?? 0;
}

test('no time-out while the server is the one that is awaited', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock });
  await using peer = await Peer.at(gate);
  const { promise, resolve } = Promise.withResolvers<void>();
  gate.receiver.hold = promise;
  await peer.begin();
  peer.send('text\r\n.\r\n');
  await expect.poll(() => gate.receiver.transactions[0]?.content).toBe('text\r\n');
  clock.advance(TIMES.command * 3);
  resolve();
  await peer.expect(250, '2.6.0');
});

test('a TLS handshake that does not come is cut', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock });
  await using peer = await Peer.at(gate);
  await peer.say('EHLO client.test');
  await peer.say('STARTTLS');
  await expect.poll(() => clock.next).toBe(clock.now() + TIMES.handshake);
  clock.advance(TIMES.handshake);
  await peer.closed();
});

test('unknown commands are bounded', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  for (let count = 0; count < LIMITS.faults; count++)
    await expect(peer.say('XYZZY')).resolves.toMatchObject({ code: 500 });
  await peer.expect(421, '4.7.0');
  await peer.closed();
});

test('commands that lead nowhere are bounded, and a message forgives them', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  peer.send('NOOP\r\n'.repeat(LIMITS.idleCommands - 10));
  for (let count = 0; count < LIMITS.idleCommands - 10; count++) await peer.expect(250);
  await peer.begin();
  peer.send('.\r\n');
  await peer.expect(250);
  peer.send('NOOP\r\n'.repeat(LIMITS.idleCommands + 10));
  for (let count = 0; count < LIMITS.idleCommands; count++) await peer.expect(250);
  await peer.expect(421, '4.7.0');
  await peer.closed();
});

test('refused recipients are answered ever more slowly, and then not at all', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock });
  await using peer = await Peer.at(gate);
  peer.send('EHLO c\r\nMAIL FROM:<>\r\n');
  for (const code of [250, 250]) await peer.expect(code);
  for (let count = 0; count < LIMITS.refusedRecipientsSlow; count++) {
    await expect(peer.say('RCPT TO:<unknown@example.test>')).resolves.toMatchObject({ code: 550 });
  }
  for (let count = LIMITS.refusedRecipientsSlow; count < LIMITS.refusedRecipients; count++) {
    const reply = peer.say('RCPT TO:<unknown@example.test>');
    await expect.poll(() => clock.next).toBe(clock.now() + TIMES.tarpit);
    await expect(Promise.race([reply, Promise.resolve('nothing yet')])).resolves.toBe('nothing yet');
    clock.advance(TIMES.tarpit);
    await expect(reply).resolves.toMatchObject({ code: 550 });
  }
  await peer.expect(421, '4.7.0');
  await peer.closed();
});

test('commands that are refused are bounded, whatever for', async () => {
  for (const [line, code] of [
    ['MAIL FROM:<> SIZE=2000000', 552],
    ['MAIL FROM:<unknown@sender.test>', 550],
    ['MAIL FROM:<broken@sender.test>', 451],
  ] as const) {
    await using gate = await openGate();
    await using peer = await Peer.at(gate);
    await peer.say('EHLO c');
    peer.send(`${line}\r\n`.repeat(LIMITS.refusedCommands + 1));
    for (let count = 0; count < LIMITS.refusedCommands; count++) await peer.expect(code);
    await peer.expect(421, '4.7.0');
    await peer.closed();
  }
});

test('RFC 5321 §4.5.3.1.10: 10,000 recipients: those within the limit get the message, and the log stays short', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  const recipients = (count: number) => 'RCPT TO:<bob@example.test>\r\n'.repeat(count);
  peer.send(`EHLO c\r\nMAIL FROM:<>\r\n${recipients(10_000)}DATA\r\n`);
  for (let count = 0; count < 102; count++) await peer.expect(250);
  for (let count = 100; count < 10_000; count++) await peer.expect(452, '4.5.3');
  await peer.expect(354);
  peer.send('.\r\n');
  await peer.expect(250);
  expect(gate.receiver.transactions[0]?.recipients).toHaveLength(100);
  expect(gate.log.length).toBeLessThan(10);
  peer.send(`MAIL FROM:<>\r\n${recipients(100 + LIMITS.excessRecipients)}`);
  for (let count = 0; count < 101; count++) await peer.expect(250);
  for (let count = 0; count < LIMITS.excessRecipients; count++) await peer.expect(452, '4.5.3');
  await peer.expect(421, '4.7.0');
  await peer.closed();
});

test('who asks again at once for an AUTH that was put off waits', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ role: 'submission', tls: 'none', clock });
  await using peer = await Peer.at(gate);
  await peer.say('EHLO c');
  const attempt = `AUTH PLAIN ${Buffer.from('\0busy\0wonderland').toString('base64')}`;
  await expect(peer.say(attempt)).resolves.toMatchObject({ code: 454 });
  const reply = peer.say(attempt);
  await expect.poll(() => clock.next).toBe(clock.now() + TIMES.tarpit);
  clock.advance(TIMES.tarpit);
  await expect(reply).resolves.toMatchObject({ code: 454 });
});

test('RFC 2920 §3.2: replies to pipelined commands come in one write', async () => {
  let writes = 0;
  await using gate = await openGate({
    wrap: (connection) => {
      const write = connection.socket.write.bind(connection.socket);
      connection.socket.write = ((...args: Parameters<typeof write>) => {
        writes++;
        return write(...args);
      }) as typeof write;
      return connection;
    },
  });
  await using peer = await Peer.at(gate);
  await peer.say('EHLO client.test');
  writes = 0;
  const recipients = Array.from({ length: 50 }, (_, index) => `RCPT TO:<user${index}@example.test>\r\n`).join('');
  peer.send(`MAIL FROM:<a@sender.test>\r\n${recipients}DATA\r\n`);
  for (let count = 0; count < 51; count++) await peer.expect(250);
  await peer.expect(354);
  expect(writes).toBe(1);
});

test('10,000 pipelined commands of a client that reads nothing fill no memory', async () => {
  await using gate = await openGate({ recipients: 100_000 });
  const socket = await dial(gate.port);
  socket.pause();
  let waiting = 0;
  gate.receiver.sender = async () => ({
    recipient: async () => {
      waiting++;
    },
    abandon: () => {},
    message: async () => ({ code: 250, text: 'OK' }),
  });
  socket.write(`EHLO c\r\nMAIL FROM:<>\r\n${`RCPT TO:<${'x'.repeat(60)}@example.test>\r\n`.repeat(10_000)}`);
  await expect.poll(() => waiting).toBe(10_000);
  const peer = new Peer(socket);
  socket.resume();
  await peer.expect(220);
  for (let count = 0; count < 10_002; count++) await peer.expect(250);
  socket.destroy();
});

test('a client that never reads is not answered without end', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock, recipients: 10_000_000 });
  const socket = await dial(gate.port);
  socket.pause();
  let taken = 0;
  gate.receiver.sender = async () => ({
    recipient: async () => {
      taken++;
    },
    abandon: () => {},
    message: async () => ({ code: 250, text: 'OK' }),
  });
  socket.write('EHLO c\r\nMAIL FROM:<>\r\n');
  const batch = 'RCPT TO:<b@example.test>\r\n'.repeat(10_000);
  let blocked = false;
  for (let count = 0; count < 100 && !blocked; count++) {
    blocked = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), 500);
      socket.write(batch, () => {
        clearTimeout(timer);
        resolve(false);
      });
    });
  }
  // The replies do not leave, so the commands are not read: TCP makes the client wait.
  expect(blocked).toBe(true);
  expect(taken).toBeLessThan(1_000_000);
  // A busy machine may still be about to stop reading: time goes on until it has.
  const sessions = () => {
    clock.advance(TIMES.drain);
    return gate.smtp.sessions;
  };
  await expect.poll(sessions).toBe(0);
  socket.destroy();
});

test('an endless message is cut with its refusal', async () => {
  await using gate = await openGate({ messageSize: 10_000 });
  await using peer = await Peer.at(gate);
  await peer.begin();
  const part = `${'x'.repeat(98)}\r\n`.repeat(1_000);
  for (let count = 0; count < 20 && peer.socket.writable; count++) peer.send(part);
  await peer.expect(552, '5.3.4');
  await peer.closed();
  await expect.poll(() => gate.receiver.transactions[0]?.abandoned).toBe(1);
  expect(gate.receiver.transactions[0]?.taken).toBe(false);
});

test('early talkers are turned away, where that is asked for; others are greeted after the wait', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock, earlyTalkerWait: 5_000 });
  const early = new Peer(await dial(gate.port));
  early.send('EHLO early\r\n');
  await early.expect(554);
  // RFC 5321 §3.1: the connection stays, and is of no use.
  await early.expect(503);
  for (const line of ['MAIL FROM:<a@sender.test>', 'STARTTLS', 'NOOP']) {
    await expect(early.say(line)).resolves.toMatchObject({ code: 503 });
  }
  await expect(early.say('QUIT')).resolves.toMatchObject({ code: 221 });
  await early.closed();
  const patient = new Peer(await dial(gate.port));
  await expect.poll(() => clock.next).toBe(clock.now() + 5_000);
  clock.advance(5_000);
  await patient.expect(220);
  await expect(patient.say('EHLO patient')).resolves.toMatchObject({ code: 250 });
  patient.socket.destroy();
});
