// BDAT as the Receiver sees it: one content, however it was cut into chunks and pieces, octet for octet, with back-pressure.

import { expect, test } from 'vitest';
import { Refusal } from '../../../src/formats/refusal.ts';
import { Gathering } from '../../../src/smtp/listener/gathering.ts';
import { LIMITS, TIMES } from '../../../src/smtp/listener/limits.ts';
import { LineCheck } from '../../../src/smtp/listener/line-check.ts';
import { FakeClock } from '../../fake-clock.ts';
import { openGate } from './gate.ts';
import { Peer } from './peer.ts';

const ALL = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));

test('every octet arrives as it was sent, across chunks and pieces of any size', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  const header = Buffer.from('Content-Transfer-Encoding: binary\r\n\r\n');
  const content = Buffer.concat([header, ...Array.from({ length: 300 }, () => ALL), Buffer.from('\r\n.\r\n.')]);
  for (const size of [1, 7, 255, 65_536, content.length]) {
    await peer.envelope(' BODY=BINARYMIME');
    const octets = size === 1 ? content.subarray(0, 600) : content;
    const parts: Buffer[] = [];
    for (let at = 0; at < octets.length; at += size) {
      const chunk = octets.subarray(at, at + size);
      parts.push(Buffer.from(`BDAT ${chunk.length}${at + size >= octets.length ? ' LAST' : ''}\r\n`), chunk);
    }
    peer.send(Buffer.concat(parts));
    for (let count = 1; count < parts.length / 2; count++) await peer.expect(250, '2.0.0');
    await peer.expect(250, '2.6.0');
    const seen = gate.receiver.transactions.at(-1);
    expect(seen?.content === octets.toString('latin1')).toBe(true);
    expect(seen).toMatchObject({ taken: true, abandoned: 0, parameters: { body: 'BINARYMIME' } });
  }
});

test('an octet at a time does not make the Receiver keep as many pieces', async () => {
  for (const how of ['BDAT', 'DATA']) {
    await using gate = await openGate();
    let pieces = 0;
    let content = '';
    gate.receiver.sender = async () => ({
      recipient: async () => {},
      abandon: () => {},
      message: async (all) => {
        for await (const piece of all) {
          pieces++;
          content += Buffer.from(piece).toString('latin1');
        }
        return { code: 250, status: '2.0.0', text: 'OK' };
      },
    });
    await using peer = await Peer.at(gate);
    await peer.envelope();
    const text = `a: ${'b'.repeat(3_000)}\r\n`;
    if (how === 'BDAT') {
      peer.send([...text].map((octet) => `BDAT 1\r\n${octet}`).join(''));
      for (const _ of text) await peer.expect(250, '2.0.0');
      peer.send('BDAT 0 LAST\r\n');
    } else {
      await peer.say('DATA');
      for (const octet of text) await new Promise<void>((resolve) => peer.socket.write(octet, () => resolve()));
      peer.send('.\r\n');
    }
    await peer.expect(250, '2.0.0');
    expect(content).toBe(text);
    expect(pieces).toBeLessThan(80);
  }
});

test.each([1, 3, 100, 1_023, 1_024, 5_000, 20_000])('pieces of %i octets are gathered without loss', (size) => {
  const gathering = new Gathering();
  const whole = Buffer.from(Array.from({ length: 200_000 }, (_, at) => at % 251));
  const out: Buffer[] = [];
  for (let at = 0; at < whole.length; at += size)
    out.push(gathering.add(whole.subarray(at, at + size)) ?? Buffer.alloc(0));
  out.push(gathering.rest() ?? Buffer.alloc(0));
  expect(Buffer.concat(out).equals(whole)).toBe(true);
  expect(gathering.rest()).toBe(null);
  expect(out.filter(({ length }) => length > 0).length).toBeLessThanOrEqual(65 + whole.length / 1_024);
});

test('a Receiver that does not read makes the client wait', async () => {
  await using gate = await openGate({ messageSize: 64_000_000 });
  const { promise, resolve } = Promise.withResolvers<void>();
  let pieces = 0;
  gate.receiver.sender = async () => ({
    recipient: async () => {},
    abandon: () => {},
    message: async (content) => {
      for await (const _ of content) {
        pieces++;
        await promise;
      }
      return { code: 250, status: '2.0.0', text: 'OK' };
    },
  });
  await using peer = await Peer.at(gate);
  await peer.envelope();
  const chunk = Buffer.alloc(30_000_000, 'x\r\n');
  peer.send('BDAT 2\r\n\r\n');
  let sent = false;
  peer.send(`BDAT ${chunk.length} LAST\r\n`);
  peer.socket.write(chunk, () => {
    sent = true;
  });
  await expect.poll(() => pieces).toBe(1);
  expect(sent).toBe(false);
  resolve();
  await peer.expect(250, '2.0.0');
  await peer.expect(250, '2.0.0');
  expect(sent).toBe(true);
});

test('what the Receiver throws in the middle is the reply to that chunk, and the transaction is over', async () => {
  await using gate = await openGate();
  let abandoned = 0;
  gate.receiver.sender = async () => ({
    recipient: async () => {},
    abandon: () => {
      abandoned++;
    },
    message: async (content) => {
      let octets = 0;
      for await (const piece of content) {
        octets += piece.length;
        if (octets > 6) throw new Refusal(452, '4.3.1', 'Full');
      }
      throw new Error('broken');
    },
  });
  await using peer = await Peer.at(gate);
  await peer.envelope();
  peer.send('BDAT 4\r\n\r\n\r\nBDAT 4\r\n\r\n\r\nBDAT 4 LAST\r\n\r\n\r\n');
  await peer.expect(250, '2.0.0');
  await peer.expect(452, '4.3.1');
  await peer.expect(503, '5.5.1');
  expect(abandoned).toBe(1);
  await peer.envelope();
  peer.send('BDAT 4 LAST\r\n\r\n\r\n');
  await peer.expect(451, '4.3.0');
  expect(abandoned).toBe(2);
  await peer.envelope();
});

test('RSET between chunks ends the Receiver before it is answered', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  await peer.envelope();
  peer.send('BDAT 4\r\n\r\n\r\n');
  await peer.expect(250, '2.0.0');
  expect(gate.receiver.receiving).toBe(1);
  await peer.say('RSET');
  expect(gate.receiver.receiving).toBe(0);
  expect(gate.receiver.transactions[0]).toMatchObject({ taken: false, abandoned: 1, threw: expect.any(Error) });
});

test('a server that stops lets a client finish its chunks', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  await peer.envelope();
  peer.send('BDAT 4\r\n\r\n\r\n');
  await peer.expect(250, '2.0.0');
  const closed = gate.smtp.close(10_000);
  peer.send('BDAT 4 LAST\r\n\r\n\r\n');
  await peer.expect(250, '2.6.0');
  await peer.expect(421, '4.3.2');
  peer.socket.end();
  await closed;
  expect(gate.receiver.transactions[0]?.taken).toBe(true);
});

test('RFC 3030 §2: a chunk has the time that content has; between two chunks a client has that of a command', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock });
  await using peer = await Peer.at(gate);
  await peer.envelope();
  peer.send('BDAT 5\r\n\r\nabc');
  await peer.expect(250, '2.0.0');
  clock.advance(TIMES.command - 1);
  peer.send('BDAT 5\r\nab');
  await expect.poll(() => gate.receiver.transactions[0]?.content.length).toBe(7);
  clock.advance(TIMES.contentPiece - 1);
  peer.send('cde');
  await peer.expect(250, '2.0.0');
  peer.send('BDAT 5 LAST\r\nab');
  await expect.poll(() => gate.receiver.transactions[0]?.content.length).toBe(12);
  clock.advance(TIMES.contentPiece);
  await peer.expect(421, '4.4.2');
  await peer.closed();
  await expect.poll(() => gate.receiver.transactions[0]?.abandoned).toBe(1);
  expect(gate.receiver.transactions[0]?.taken).toBe(false);
});

test('chunks that trickle are cut by the rate that counts over all of them', async () => {
  const clock = new FakeClock();
  await using gate = await openGate({ clock });
  await using peer = await Peer.at(gate);
  await peer.envelope();
  peer.send('BDAT 2\r\n\r\n');
  await peer.expect(250, '2.0.0');
  const step = TIMES.contentPiece - 1;
  let spent = 0;
  for (let received = 2; spent + step < TIMES.contentGrace; received += 2) {
    peer.send('BDAT 2\r\nx');
    await expect.poll(() => gate.receiver.transactions[0]?.content.length).toBe(received + 1);
    clock.advance(step);
    spent += step;
    peer.send('x');
    await peer.expect(250, '2.0.0');
    clock.advance(TIMES.command - 1);
  }
  peer.send('BDAT 2\r\nx');
  await expect.poll(() => clock.next).toBeLessThan(clock.now() + 1_000);
  clock.advance(1_000);
  await peer.expect(421, '4.4.2');
  await peer.closed();
});

test('a client that goes away between two chunks, or in one, leaves nothing', async () => {
  for (const last of ['', 'BDAT 5\r\nQUI', 'BDAT 6 LAST\r\nQUIT\r']) {
    await using gate = await openGate();
    await using peer = await Peer.at(gate);
    await peer.envelope();
    peer.send('BDAT 5\r\n\r\nabc');
    await peer.expect(250, '2.0.0');
    peer.send(last);
    peer.socket.end();
    await expect.poll(() => gate.receiver.transactions[0]?.abandoned).toBe(1);
    await expect.poll(() => gate.smtp.sessions).toBe(0);
    expect(gate.receiver.transactions[0]?.taken).toBe(false);
    expect(gate.receiver.receiving).toBe(0);
  }
});

test('chunks of nothing are commands that lead nowhere', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  await peer.envelope();
  peer.send('BDAT 0\r\n'.repeat(LIMITS.idleCommands + 10));
  // EHLO was the first.
  for (let count = 1; count < LIMITS.idleCommands; count++) await peer.expect(250);
  await peer.expect(421, '4.7.0');
  await peer.closed();
});

test.each([
  ['a\r\nb\r\n', null],
  ['a\r\nb', null],
  ['', null],
  ['a\rb', 'bare CR'],
  ['a\r\r\n', 'bare CR'],
  ['a\r', 'bare CR'],
  ['a\nb', 'bare LF'],
  ['\n', 'bare LF'],
  ['a\r\n\n', 'bare LF'],
  ['a\0', 'NUL'],
  ['x'.repeat(10), null],
  ['x'.repeat(11), 'line too long'],
  [`${'x'.repeat(10)}\r\n${'x'.repeat(10)}\r\n`, null],
  [`${'x'.repeat(11)}\r\n`, 'line too long'],
  [`a\tb\r\n${'x'.repeat(12)}\r\n`, 'line too long'],
])('text %j: %s, whatever the pieces', (text, fault) => {
  for (const binary of [false, true]) {
    for (const cut of [1, 2, 3, 100]) {
      const check = new LineCheck(10, binary);
      const octets = Buffer.from(text);
      for (let at = 0; at < octets.length; at += cut) check.read(octets.subarray(at, at + cut));
      check.end();
      expect(check.fault).toBe(fault);
    }
  }
});

test('behind the header of a binary message nothing is a fault', () => {
  for (const text of ['a: b\r\n\r\n\r\0\n', '\r\n\r', `\r\n${'x'.repeat(50)}`]) {
    for (const cut of [1, 2, 3, 100]) {
      const check = new LineCheck(10, true);
      const octets = Buffer.from(text);
      for (let at = 0; at < octets.length; at += cut) check.read(octets.subarray(at, at + cut));
      check.end();
      expect(check.fault).toBe(null);
    }
  }
});
