// The rows of the ports that are about SMTP's language and TLS, by their number, against real listeners with raw
// sockets and node:tls. T2, T6, S2 and S3 are transcripts.

import { once } from 'node:events';
import type { ConnectionOptions } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { dial, type Gate, openGate } from './gate.ts';
import { Peer } from './peer.ts';

const PLAIN = `AUTH PLAIN ${Buffer.from('\0alice@example.test\0wonderland').toString('base64')}`;

async function deliver(peer: Peer): Promise<void> {
  await peer.begin();
  peer.send('Subject: x\r\n\r\ntext\r\n.\r\n');
  await peer.expect(250, '2.6.0');
}

describe('T1: port 25 takes mail', () => {
  test('in clear', async () => {
    await using gate = await openGate();
    await using peer = await Peer.at(gate);
    await deliver(peer);
    expect(gate.receiver.transactions[0]).toMatchObject({ taken: true, session: { tls: null } });
  });

  test('after STARTTLS', async () => {
    await using gate = await openGate();
    await using peer = await Peer.at(gate);
    await peer.startTls();
    await deliver(peer);
    expect(gate.receiver.transactions[0]).toMatchObject({
      taken: true,
      session: { tls: { protocol: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/), bits: expect.any(Number) } },
    });
  });
});

test('T2: AUTH is not offered on port 25, even if the Receiver could check passwords', async () => {
  await using gate = await openGate();
  gate.receiver.authentication = {
    verifier: null,
    tokens: null,
    certified: async () => ({ kind: 'account', account: 1 }),
    authenticate: async () => ({ accountId: 1, address: 'alice@example.test', mechanism: 'PLAIN' }),
  };
  await using peer = await Peer.at(gate);
  expect((await peer.say('EHLO client.test')).lines.join()).not.toContain('AUTH');
  await expect(peer.say(PLAIN)).resolves.toMatchObject({ code: 503 });
  await peer.startTls();
  expect((await peer.say('EHLO client.test')).lines.join()).not.toContain('AUTH');
  await expect(peer.say(PLAIN)).resolves.toMatchObject({ code: 503 });
});

describe('T4: port 25 takes any TLS that is TLS', () => {
  const weak = { ciphers: 'DEFAULT:@SECLEVEL=0' };
  const clients: readonly (readonly [string, ConnectionOptions, string])[] = [
    ['TLS 1.3', { minVersion: 'TLSv1.3' }, 'TLSv1.3'],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }, 'TLSv1.2'],
    ['TLS 1.1', { ...weak, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }, 'TLSv1.1'],
    ['TLS 1.0', { ...weak, minVersion: 'TLSv1', maxVersion: 'TLSv1' }, 'TLSv1'],
    [
      'TLS 1.0 with AES128-SHA alone (RSA key exchange)',
      { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'AES128-SHA:@SECLEVEL=0' },
      'TLSv1',
    ],
  ];
  test.each(clients)('%s', async (_name, options, protocol) => {
    await using gate = await openGate();
    await using peer = await Peer.at(gate);
    const socket = await peer.startTls(options);
    expect(socket.getProtocol()).toBe(protocol);
    await deliver(peer);
    expect(gate.receiver.transactions[0]?.session.tls?.protocol).toBe(protocol);
  });

  test.each([
    ['aNULL', { maxVersion: 'TLSv1.2', ciphers: 'aNULL:@SECLEVEL=0' }],
    ['eNULL', { maxVersion: 'TLSv1.2', ciphers: 'eNULL:@SECLEVEL=0' }],
  ] as const)('%s fails', async (_name, options) => {
    await using gate = await openGate();
    await using peer = await Peer.at(gate);
    await expect(peer.startTls(options)).rejects.toThrow();
  });
});

test('T4: SSLv3 fails', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  await peer.say('EHLO client.test');
  await peer.say('STARTTLS');
  peer.socket.removeAllListeners('data');
  const heard = once(peer.socket, 'data');
  // A ClientHello of SSLv3: client_version 3.0, one suite (TLS_RSA_WITH_AES_128_CBC_SHA), no compression.
  const hello = `0300${'11'.repeat(32)}000002002f0100`;
  const body = `01${(hello.length / 2).toString(16).padStart(6, '0')}${hello}`;
  peer.send(Buffer.from(`160300${(body.length / 2).toString(16).padStart(4, '0')}${body}`, 'hex'));
  // An alert (21), not a handshake message (22).
  const [octets] = await heard;
  expect(octets[0]).toBe(21);
});

test('T5: after a failed handshake the client comes back in clear and is served', async () => {
  await using gate = await openGate();
  for (let time = 0; time < 3; time++) {
    await using peer = await Peer.at(gate);
    await expect(peer.startTls({ maxVersion: 'TLSv1.2', ciphers: 'aNULL:@SECLEVEL=0' })).rejects.toThrow();
    await gate.logged((line) => line.msg === 'session ended' && line.error !== undefined);
  }
  await using peer = await Peer.at(gate);
  await deliver(peer);
});

test.each([
  ['good', {}],
  ['failed', { maxVersion: 'TLSv1.2', ciphers: 'aNULL:@SECLEVEL=0' }],
] as const)('T5: a connection with a %s handshake is counted out at its end', async (_name, options) => {
  await using gate = await openGate({ connections: 2 });
  for (let time = 0; time < 5; time++) {
    await using peer = await Peer.at(gate);
    await peer.startTls(options).catch(() => undefined);
    peer.socket.destroy();
    await expect.poll(() => gate.smtp.sessions).toBe(0);
  }
});

test('T5: octets that are no TLS behind STARTTLS end that connection alone', async () => {
  await using gate = await openGate();
  await using peer = await Peer.at(gate);
  await peer.say('EHLO client.test');
  expect((await peer.say('STARTTLS')).code).toBe(220);
  peer.send('MAIL FROM:<a@sender.test>\r\n');
  await peer.closed();
  expect(gate.receiver.transactions).toHaveLength(0);
});

describe('S1: port 465', () => {
  const options = { role: 'submission', tls: 'implicit' } as const;

  test('starts TLS at once, never offers STARTTLS, and takes mail after AUTH', async () => {
    await using gate = await openGate(options);
    await using peer = await Peer.secure(gate);
    const hello = await peer.say('EHLO client.test');
    expect(hello.lines).not.toContain('STARTTLS');
    expect(hello.lines).toContain('AUTH PLAIN LOGIN');
    expect((await peer.say('MAIL FROM:<alice@example.test>')).lines[0]).toMatch(/^5\.7\.0 /);
    await peer.say(PLAIN);
    await deliver(peer);
    expect(gate.receiver.transactions[0]).toMatchObject({
      session: { identity: { address: 'alice@example.test', mechanism: 'PLAIN' }, tls: { protocol: 'TLSv1.3' } },
    });
  });

  test('STARTTLS is named in the log, answered and followed by the end', async () => {
    await using gate = await openGate(options);
    await using peer = await Peer.secure(gate);
    await peer.say('EHLO client.test');
    expect(await peer.say('STARTTLS')).toMatchObject({ code: 503, lines: [expect.stringMatching(/^5\.5\.1 /)] });
    await peer.closed();
    await gate.logged((line) => line.msg === 'wrong door' && line.door === 'STARTTLS on implicit TLS');
  });

  test('cleartext is answered with the port to use', async () => {
    await using gate = await openGate(options);
    const peer = new Peer(await dial(gate.port));
    peer.send('EHLO client.test\r\nSTARTTLS\r\n');
    const reply = await peer.expect(421);
    expect(reply.lines[0]).toContain('587');
    await peer.closed();
    await gate.logged((line) => String(line.msg).startsWith('wrong door'));
  });
});

describe('S2: a password that is sent early', () => {
  test('is neither evaluated nor logged', async () => {
    await using gate = await openGate({ role: 'submission', tls: 'required' });
    await using peer = await Peer.at(gate);
    const secret = Buffer.from('\0alice\0opensesame').toString('base64');
    peer.send(`EHLO c\r\nAUTH PLAIN ${secret}\r\nAUTH LOGIN\r\n${secret}\r\n`);
    await peer.expect(250);
    for (let count = 0; count < 3; count++) await peer.expect(530, '5.7.0');
    await peer.say('QUIT');
    await gate.logged((line) => line.msg === 'session ended');
    expect(gate.receiver.claims).toHaveLength(0);
    expect(gate.logText()).not.toContain(secret);
    expect(gate.logText()).not.toContain('opensesame');
  });

  test('nor on port 25', async () => {
    await using gate = await openGate();
    await using peer = await Peer.at(gate);
    const secret = Buffer.from('\0alice\0opensesame').toString('base64');
    peer.send(`EHLO c\r\nAUTH PLAIN ${secret}\r\nAUTH LOGIN\r\n${secret}\r\n`);
    await peer.expect(250);
    for (const code of [503, 503, 500]) await peer.expect(code);
    await gate.logged((line) => line.door === 'AUTH on a transfer port');
    expect(gate.logText()).not.toContain(secret);
  });
});

describe('S4: plaintext behind STARTTLS is discarded', () => {
  const behind: readonly (readonly [string, string])[] = [
    ['a command', 'RSET\r\n'],
    ['a transaction', 'EHLO evil\r\nMAIL FROM:<evil@sender.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n.\r\n'],
    ['many lines and half a line', `${'NOOP\r\n'.repeat(300)}MAIL FROM:<evil`],
  ];
  test.each(behind)('%s', async (_name, injected) => {
    await using gate = await openGate({ role: 'submission', tls: 'required' });
    await using peer = await Peer.at(gate);
    peer.send(`EHLO client.test\r\nSTARTTLS\r\n${injected}`);
    await peer.expect(250);
    await peer.expect(220);
    await peer.negotiate();
    // Nothing of what was said in clear is known: neither the name nor any command.
    await expect(peer.say(PLAIN)).resolves.toMatchObject({ code: 503 });
    await peer.say('EHLO client.test');
    await expect(peer.say('RCPT TO:<bob@example.test>')).resolves.toMatchObject({ code: 503 });
    await peer.say('QUIT');
    expect(gate.receiver.transactions).toHaveLength(0);
  });
});

describe('S5: submission takes TLS 1.2 and 1.3 alone', () => {
  const versions = [
    ['TLSv1', false],
    ['TLSv1.1', false],
    ['TLSv1.2', true],
    ['TLSv1.3', true],
  ] as const;
  test.each(versions)('STARTTLS with %s: %s', async (version, good) => {
    await using gate = await openGate({ role: 'submission', tls: 'required' });
    await using peer = await Peer.at(gate);
    const options = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    const outcome = await peer.startTls(options).then(
      () => true,
      () => false,
    );
    expect(outcome).toBe(good);
  });
});

describe('S8 S9: submission with either TLS mode, on any port', () => {
  const ways: readonly (readonly ['implicit' | 'required', (gate: Gate) => Promise<Peer>])[] = [
    ['implicit', (gate) => Peer.secure(gate)],
    [
      'required',
      async (gate) => {
        const peer = await Peer.at(gate);
        await peer.startTls();
        return peer;
      },
    ],
  ];
  test.each(ways)('%s', async (tls, connect) => {
    await using gate = await openGate({ role: 'submission', tls });
    await using peer = await connect(gate);
    await peer.say('EHLO client.test');
    await expect(peer.say(PLAIN)).resolves.toMatchObject({ code: 235 });
    await deliver(peer);
  });
});

describe('the wrong door', () => {
  test.each([
    ['transfer', 'offered'],
    ['submission', 'required'],
  ] as const)('a TLS hello on %s with STARTTLS', async (role, tls) => {
    await using gate = await openGate({ role, tls });
    await using peer = await Peer.at(gate);
    peer.send(Buffer.from('16030100c8010000c40303', 'hex'));
    const reply = await peer.expect(421);
    expect(reply.lines[0]).toContain(String(gate.port));
    expect(reply.lines[0]).toContain('465');
    await peer.closed();
    await gate.logged((line) => line.msg === 'wrong door' && line.door === 'tls');
  });

  test.each([
    ['http', 'GET / HTTP/1.1\r\nHost: mail\r\n\r\n'],
    ['http', 'POST /x HTTP/1.1\r\nContent-Length: 20\r\n\r\nEHLO x\r\nMAIL FROM:<>\r\n'],
    ['imap', 'a1 CAPABILITY\r\n'],
    ['imap', 'a1 LOGIN alice opensesame\r\n'],
    ['pop3', 'USER alice\r\n'],
  ])('%s: %j', async (door, text) => {
    for (const [role, tls] of [
      ['transfer', 'offered'],
      ['submission', 'required'],
    ] as const) {
      await using gate = await openGate({ role, tls });
      await using peer = await Peer.at(gate);
      peer.send(text);
      await peer.expect(421);
      await peer.closed();
      await gate.logged((line) => line.msg === 'wrong door' && line.door === door);
      expect(gate.logText()).not.toContain('opensesame');
    }
  });

  test('HTTP, one octet at a time', async () => {
    await using gate = await openGate();
    await using peer = await Peer.at(gate);
    for (const octet of 'GET / HTTP/1.1\r\n') {
      if (peer.socket.destroyed || !peer.socket.writable) break;
      await new Promise<void>((resolve) => peer.socket.write(octet, () => resolve()));
    }
    await peer.expect(421);
    await once(peer.socket, 'close');
  });
});
