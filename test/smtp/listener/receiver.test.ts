// What a Receiver is given: envelope and content as values, back-pressure, and the truth about what did not arrive.

import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Refusal } from '../../../src/formats/refusal.ts';
import { FakeClock } from '../../fake-clock.ts';
import { addressed, openGate } from './gate.ts';
import { Peer } from './peer.ts';

test('the envelope comes with all its parameters, decoded', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  peer.send(
    'EHLO Client.Test\r\n' +
      'MAIL FROM:<"a b"@Sender.Test> SIZE=12345 BODY=8BITMIME RET=HDRS ENVID=QQ+2B1 SMTPUTF8\r\n' +
      'RCPT TO:<Postmaster> NOTIFY=NEVER\r\n' +
      'RCPT TO:<@route.test:Bob+x@EXAMPLE.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2Bx@example.test\r\n',
  );
  for (const code of [250, 250, 250, 250]) await peer.expect(code);
  const [seen] = gate.receiver.transactions;
  expect(seen?.reversePath).toEqual({ localPart: 'a b', domain: 'sender.test' });
  expect(seen?.parameters).toEqual({ size: 12_345, body: '8BITMIME', ret: 'HDRS', envid: 'QQ+1', smtputf8: true });
  expect(seen?.recipients).toEqual([
    { address: { localPart: 'postmaster', domain: '' }, parameters: { notify: 'never' } },
    {
      address: { localPart: 'Bob+x', domain: 'example.test' },
      parameters: { notify: ['success', 'delay'], orcpt: 'rfc822;Bob+x@example.test' },
    },
  ]);
  expect(seen?.session).toMatchObject({ hello: { verb: 'EHLO', name: 'Client.Test' }, tls: null, identity: null });
  expect(seen?.session.id).toMatch(/^[a-z0-9]{12}$/);
});

test('RFC 3461 §5.2.1: what the next hop is to get as it was said is kept so', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  peer.send(
    'EHLO c\r\nMAIL FROM:<> ENVID=+41+2B\r\n' +
      'RCPT TO:<a@example.test> ORCPT=rfc822;a+40b.test\r\n' +
      'RCPT TO:<b@example.test> ORCPT=rfc822;b+3db.test\r\n',
  );
  for (const code of [250, 250, 250, 250]) await peer.expect(code);
  const [seen] = gate.receiver.transactions;
  expect(seen?.parameters).toEqual({ envid: 'A+', envidXtext: '+41+2B' });
  // The second is none to the letter of RFC 3461 §4, and goes on as one that is.
  expect(seen?.recipients.map(({ parameters }) => parameters)).toEqual([
    { orcpt: 'rfc822;a@b.test', orcptXtext: 'a+40b.test' },
    { orcpt: 'rfc822;b=b.test' },
  ]);
});

test('parameters that were not said are absent, and the null path is null', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  peer.send('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\n');
  for (const code of [250, 250, 250]) await peer.expect(code);
  expect(gate.receiver.transactions[0]).toMatchObject({ reversePath: null, parameters: {} });
  expect(gate.receiver.transactions[0]?.recipients[0]?.parameters).toEqual({});
});

test('SMTPUTF8: address and ORCPT as they are', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  peer.send(
    Buffer.from(
      'EHLO c\r\nMAIL FROM:<jürgen@bücher.test> SMTPUTF8\r\nRCPT TO:<δ@example.test> ORCPT=utf-8;δ@example.test\r\n',
    ),
  );
  for (const code of [250, 250, 250]) await peer.expect(code);
  const [seen] = gate.receiver.transactions;
  expect(seen?.reversePath).toEqual({ localPart: 'jürgen', domain: 'xn--bcher-kva.test' });
  expect(seen?.recipients[0]).toEqual({
    address: { localPart: 'δ', domain: 'example.test' },
    parameters: { orcpt: 'utf-8;δ@example.test' },
  });
});

test('the content comes octet for octet, dots taken out', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  await peer.begin();
  const octets = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)).toString('latin1');
  const line = octets.replace(/[\0\r\n]/g, '');
  peer.send(`Subject: x\r\n\r\n..\r\n.y\r\n${line}\r\n.\r\n`);
  await peer.expect(250);
  expect(gate.receiver.transactions[0]).toMatchObject({
    taken: true,
    threw: null,
    abandoned: 0,
    content: `Subject: x\r\n\r\n.\r\ny\r\n${line}\r\n`,
  });
});

test.each([
  ['bare LF', 'a\nb\r\n.\r\n', '5.6.11'],
  ['bare CR', 'a\rb\r\n.\r\n', '5.6.11'],
  ['CR CR LF', 'a\r\r\n.\r\n', '5.6.11'],
  ['NUL', 'a\0b\r\n.\r\n', '5.6.11'],
  ['a line of 300,000 octets', `${'x'.repeat(300_000)}\r\n.\r\n`, '5.6.0'],
])('%s: the iteration throws and the transaction is abandoned', async (_name, content, status) => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  await peer.begin();
  peer.send(content);
  await peer.expect(550, status);
  const [seen] = gate.receiver.transactions;
  expect(seen?.threw).toBeInstanceOf(Refusal);
  expect(seen).toMatchObject({ taken: false, abandoned: 1 });
});

test('a client that goes away in the middle: the iteration throws, nothing is kept', async () => {
  await using gate = await openGate();
  for (const leave of ['destroy', 'end'] as const) {
    await using peer = await Peer.at(gate);
    await peer.begin();
    peer.send('half a message\r\n');
    await expect.poll(() => gate.receiver.transactions.at(-1)?.content).toContain('half');
    peer.socket[leave]();
    await expect.poll(() => gate.receiver.transactions.at(-1)?.abandoned).toBe(1);
    expect(gate.receiver.transactions.at(-1)?.threw).toBeInstanceOf(Error);
    expect(gate.receiver.transactions.at(-1)?.taken).toBe(false);
  }
  await expect.poll(() => gate.smtp.sessions).toBe(0);
});

test.each([
  ['RSET', 'RSET\r\n'],
  ['EHLO', 'EHLO again\r\n'],
  ['QUIT', 'QUIT\r\n'],
])('%s abandons the transaction once', async (_name, command) => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  peer.send(`EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\n${command}`);
  for (let count = 0; count < 4; count++) await peer.reply();
  peer.socket.end();
  await expect.poll(() => gate.smtp.sessions).toBe(0);
  expect(gate.receiver.transactions[0]).toMatchObject({ abandoned: 1, taken: false });
});

test('a client that ends its side behind its last command still gets every reply', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  const { promise, resolve } = Promise.withResolvers<void>();
  gate.receiver.hold = promise;
  await peer.begin();
  // As `printf … | nc` does it.
  (peer.socket as typeof peer.socket & { allowHalfOpen: boolean }).allowHalfOpen = true;
  peer.socket.end('text\r\n.\r\n');
  await expect.poll(() => gate.receiver.transactions[0]?.content).toBe('text\r\n');
  resolve();
  await peer.expect(250, '2.6.0');
});

test('a message of several megabytes is not read faster than the Receiver takes it', async () => {
  await using gate = await openGate({ messageSize: 64_000_000 });
  await using peer = await Peer.at(gate);
  const { promise, resolve } = Promise.withResolvers<void>();
  let taken = 0;
  gate.receiver.sender = async () => ({
    recipient: async () => {},
    abandon: () => {},
    message: async (content) => {
      for await (const piece of content) {
        taken += piece.length;
        await promise;
      }
      return { code: 250, text: 'OK' };
    },
  });
  await peer.begin();
  const part = Buffer.from(`${'x'.repeat(98)}\r\n`.repeat(10_000));
  let sent = 0;
  for (let count = 0; count < 20; count++) peer.socket.write(part, () => (sent += part.length));
  peer.socket.write('.\r\n');
  await expect.poll(() => taken).toBeGreaterThan(0);
  // Time for whatever would be read too early: what is waited for is that nothing happens.
  await wait(100);
  expect(taken).toBeLessThan(100_000);
  expect(sent).toBeLessThan(20_000_000);
  resolve();
  await peer.expect(250);
  expect(taken).toBe(20_000_000);
});

test('an error of ours is 451, its text is in the log alone', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  await peer.begin('fail@example.test');
  peer.send('.\r\n');
  const reply = await peer.expect(451, '4.3.0');
  expect(reply.lines.join()).not.toContain('store');
  expect(await gate.logged((line) => line.msg === 'command failed')).toMatchObject({
    verb: 'DATA',
    err: { stack: expect.stringContaining('the store is broken') },
  });
});

test('a refusal leaves a line with its private reason, and the session one at its end', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  await peer.begin();
  peer.send('x\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<unknown1@example.test>\r\nQUIT\r\n');
  for (const code of [250, 250, 550, 221]) await peer.expect(code);
  expect(await gate.logged((line) => line.msg === 'refused')).toMatchObject({
    hop: 'MTA→MTA',
    verb: 'RCPT',
    code: 550,
    status: '5.1.1',
    reason: 'private: unknown1',
  });
  expect(await gate.logged((line) => line.msg === 'session ended')).toMatchObject({
    remoteAddress: '127.0.0.1',
    hello: 'client.test',
    messages: 1,
    refusals: 1,
    end: 'QUIT',
  });
  expect(addressed(gate.receiver.transactions[0])).toEqual(['bob@example.test']);
});

test('when a message is to leave and to be there, and its rank, are values against the time at MAIL', async () => {
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  const now = clock.now();
  await using gate = await openGate({ role: 'submission', tls: 'none', clock });
  await using peer = await Peer.at(gate);
  peer.send(`EHLO c\r\nAUTH PLAIN ${Buffer.from('\0alice\0wonderland').toString('base64')}\r\n`);
  for (const code of [250, 235]) await peer.expect(code);
  for (const [said, parameters] of [
    [
      'HOLDFOR=60 BY=90;RT',
      {
        holdUntil: now + 60_000,
        holdRequest: 'for;60',
        deliverBy: { at: now + 90_000, mode: 'R', trace: true },
      },
    ],
    ['BY=-5;N MT-PRIORITY=-3', { deliverBy: { at: now - 5_000, mode: 'N', trace: false }, priority: -3 }],
    ['HOLDUNTIL=2026-01-01T01:00:00.5Z', { holdUntil: now + 3_600_500, holdRequest: 'until;2026-01-01T01:00:00.5Z' }],
    ['BODY=BINARYMIME', { body: 'BINARYMIME' }],
  ] as const) {
    peer.send(`MAIL FROM:<a@sender.test> ${said}\r\nRSET\r\n`);
    for (const code of [250, 250]) await peer.expect(code);
    expect(gate.receiver.transactions.at(-1)?.parameters).toEqual(parameters);
  }
});
