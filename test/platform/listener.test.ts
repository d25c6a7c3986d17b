// The listener: where it binds, whom it lets in, whom it shows the right door, and what it leaves behind.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { BindError } from '../../src/platform/bind.ts';
import { type Connection, type Listener, type ListenerOptions, listen } from '../../src/platform/listener.ts';
import { recordingLog } from '../recording-log.ts';
import { testKeeper } from '../smtp/listener/gate.ts';

interface Gate {
  readonly listener: Listener;
  readonly port: number;
  readonly connections: Connection[];
  readonly log: Record<string, unknown>[];
  /** Resolves when so many connections were handed over in all. */
  handed(count: number): Promise<void>;
  logged(text: string): Promise<Record<string, unknown>>;
}

const gates: Gate[] = [];

afterEach(async () => {
  for (const { listener, connections } of gates.splice(0)) {
    await listener.close();
    for (const { socket } of connections) socket.destroy();
  }
});

async function open(options: Partial<ListenerOptions> = {}, handle?: (connection: Connection) => void): Promise<Gate> {
  const log: Record<string, unknown>[] = [];
  const connections: Connection[] = [];
  const waiting = new Set<() => void>();
  const look = () => {
    for (const each of waiting) each();
  };
  const until = <T>(find: () => T | undefined) =>
    new Promise<T>((resolve) => {
      const test = () => {
        const found = find();
        if (found === undefined) return;
        waiting.delete(test);
        resolve(found);
      };
      waiting.add(test);
      test();
    });
  const listener = await listen(
    {
      role: 'imap',
      addresses: ['127.0.0.1'],
      port: 0,
      tls: 'none',
      floor: 'strict',
      keeper: await testKeeper(),
      log: recordingLog(log, 'trace', look),
      maxConnections: 100,
      maxConnectionsPerSource: 100,
      busyLine: 'BUSY\r\n',
      wrongDoorLine: (seen) => `WRONG ${seen}\r\n`,
      handshakeTimeout: 10_000,
      ...options,
    },
    (connection) => {
      connections.push(connection);
      connection.socket.on('error', () => undefined);
      handle?.(connection);
      look();
    },
  );
  const gate: Gate = {
    listener,
    port: listener.bound[0]?.port ?? 0,
    connections,
    log,
    handed: (count) => until(() => (connections.length >= count ? true : undefined)).then(() => undefined),
    logged: (text) => until(() => log.find(({ msg }) => String(msg).includes(text))),
  };
  gates.push(gate);
  return gate;
}

async function dial(port: number, from = '127.0.0.1', host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host, localAddress: from });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** All that a server says until it closes. */
async function heard(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (octets) => {
    text += octets;
  });
  await once(socket, 'close');
  return text;
}

async function dialTls(port: number): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

async function refused(port: number, host: string): Promise<boolean> {
  const socket = connect({ port, host });
  return await new Promise((resolve) => {
    socket.on('connect', () => resolve(false)).on('error', () => resolve(true));
  }).then((result) => {
    socket.destroy();
    return result as boolean;
  });
}

it('binds several addresses to one free port', async () => {
  const gate = await open({ addresses: ['127.0.0.1', '127.0.0.2'] });
  expect(gate.listener.bound.map(({ address }) => address)).toEqual(['127.0.0.1', '127.0.0.2']);
  expect(new Set(gate.listener.bound.map(({ port }) => port)).size).toBe(1);
  expect(gate.port).toBeGreaterThan(0);
  await dial(gate.port, '127.0.0.5', '127.0.0.2');
  await gate.handed(1);
  expect(gate.connections[0]).toMatchObject({
    id: expect.stringMatching(/^[0-9a-z]{12}$/),
    remoteAddress: '127.0.0.5',
    localAddress: '127.0.0.2',
    localPort: gate.port,
    tls: null,
  });
});

it('a port that is taken is named in one line, and nothing is left open', async () => {
  // Addresses that nothing else here listens on or dials from: the port is taken on one of the two, and free on the other.
  const taken = createServer();
  await once(taken.listen(0, '127.0.86.2'), 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const error = await open({ addresses: ['127.0.86.1', '127.0.86.2'], port }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BindError);
  expect(error).toMatchObject({ code: 'EADDRINUSE' });
  const { message } = error as BindError;
  expect(message).toContain(String(port));
  expect(message).toContain('127.0.86.2');
  expect(message).not.toContain('\n');
  expect(await refused(port, '127.0.86.1')).toBe(true);
  taken.close();
});

it('an address that this machine does not have is named', async () => {
  await expect(open({ addresses: ['192.0.2.1'] })).rejects.toMatchObject({
    code: 'EADDRNOTAVAIL',
    message: expect.stringContaining('192.0.2.1'),
  });
});

it('lets in so many of one source, tells the next one, and lets in again when one has gone', async () => {
  const gate = await open({ maxConnectionsPerSource: 2 });
  const first = await dial(gate.port);
  await dial(gate.port);
  await gate.handed(2);
  expect(await heard(await dial(gate.port))).toBe('BUSY\r\n');
  // Another source is not concerned.
  await dial(gate.port, '127.0.0.3');
  await gate.handed(3);
  first.destroy();
  await once(gate.connections[0]?.socket as Socket, 'close'); // the first of them
  await dial(gate.port);
  await gate.handed(4);
  expect(await gate.logged('too many')).toMatchObject({ level: 40, limit: 'source', remoteAddress: '127.0.0.1' });
});

it('lets in so many in all', async () => {
  const gate = await open({ maxConnections: 2 });
  await dial(gate.port, '127.0.0.2');
  await dial(gate.port, '127.0.0.3');
  await gate.handed(2);
  expect(await heard(await dial(gate.port, '127.0.0.4'))).toBe('BUSY\r\n');
  expect(await gate.logged('too many')).toMatchObject({ limit: 'total' });
});

it('a flood of refused connections is one line in the log', async () => {
  const gate = await open({ maxConnections: 1 });
  await dial(gate.port);
  await gate.handed(1);
  for (let round = 0; round < 20; round++) await heard(await dial(gate.port));
  expect(gate.log.filter(({ msg }) => msg === 'too many connections')).toHaveLength(1);
});

it('on implicit TLS a client over the limit is just closed, and who has gone makes room', async () => {
  const gate = await open({ tls: 'implicit', maxConnectionsPerSource: 1 });
  for (let round = 1; round <= 3; round++) {
    const socket = await dialTls(gate.port);
    await gate.handed(round);
    expect(await heard(await dial(gate.port))).toBe('');
    const closed = once(gate.connections.at(-1)?.socket as Socket, 'close'); // the one just handed over
    gate.connections.at(-1)?.socket.resume();
    socket.destroy();
    await closed;
  }
  // Handshakes that failed leave nothing behind, either.
  for (let round = 0; round < 3; round++) {
    const wrong = await dial(gate.port);
    wrong.write('\x16\x03\x01\xff\xff nonsense');
    await heard(wrong);
  }
  await dialTls(gate.port);
  await gate.handed(4);
});

it('does the handshake of implicit TLS before it hands over', async () => {
  const gate = await open({ tls: 'implicit' }, ({ socket }) => socket.write('welcome'));
  const socket = await dialTls(gate.port);
  const [octets] = await once(socket, 'data');
  expect(String(octets)).toBe('welcome');
  expect(gate.connections[0]?.tls).toMatchObject({ protocol: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/) });
  socket.destroy();
});

it.each([
  ['EHLO mail.example.test\r\n', 'smtp'],
  ['a1 LOGIN alice secret\r\n', 'imap'],
  ['a1 STARTTLS\r\n', 'starttls'],
  ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'http'],
  ['CAPA\r\n', 'pop3'],
  ['what is this\r\n', 'cleartext'],
  ['x'.repeat(200), 'cleartext'],
])('%j on implicit TLS is the wrong door', async (text, seen) => {
  const gate = await open({ tls: 'implicit' });
  const socket = await dial(gate.port);
  socket.write(text);
  expect(await heard(socket)).toBe(`WRONG ${seen}\r\n`);
  expect(await gate.logged('wrong door')).toMatchObject({ level: 40, seen, localPort: gate.port });
  // What was said is nobody's business.
  expect(JSON.stringify(gate.log)).not.toContain('secret');
  expect(gate.connections).toEqual([]);
});

it('a word in pieces is waited for, and one that never ends is judged by what there is', async () => {
  const patient = await open({ tls: 'implicit' });
  const slow = await dial(patient.port);
  slow.setNoDelay(true);
  for (const part of ['EH', 'LO mail', '.example.test\r', '\n']) {
    slow.write(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await heard(slow)).toBe('WRONG smtp\r\n');
  const gate = await open({ tls: 'implicit', handshakeTimeout: 150 });
  const halting = await dial(gate.port);
  halting.write('EHLO x');
  expect(await heard(halting)).toBe('WRONG smtp\r\n');
});

it('a client that waits for a greeting on implicit TLS has the time of the handshake', async () => {
  const gate = await open({ tls: 'implicit', handshakeTimeout: 50 });
  expect(await heard(await dial(gate.port))).toBe('');
  expect(await gate.logged('nothing said')).toMatchObject({ level: 30 });
});

it('so has one that stops within the handshake', async () => {
  const gate = await open({ tls: 'implicit', handshakeTimeout: 50 });
  const socket = await dial(gate.port);
  socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
  await heard(socket);
  expect(await gate.logged('handshake')).toMatchObject({ tls: 'timeout' });
});

it('who comes and goes without a word leaves no line but for debugging', async () => {
  const gate = await open({ tls: 'implicit' });
  (await dial(gate.port)).end();
  expect(await gate.logged('closed unsaid')).toMatchObject({ level: 20 });
});

it('an error of a protocol ends that connection, and no other', async () => {
  let first = true;
  const gate = await open({}, () => {
    if (first) {
      first = false;
      throw new Error('the protocol is broken');
    }
  });
  await heard(await dial(gate.port));
  expect(await gate.logged('error of ours')).toMatchObject({ level: 50 });
  await dial(gate.port);
  await gate.handed(2);
});

it('a client that is reset before anything is said does no harm', async () => {
  const gate = await open({ tls: 'implicit' });
  for (let round = 0; round < 20; round++)
    connect(gate.port, '127.0.0.1', function (this: Socket) {
      this.resetAndDestroy();
    }).on('error', () => undefined);
  const socket = await dialTls(gate.port);
  await gate.handed(1);
  socket.destroy();
});

it('closing stops accepting, ends what no protocol has yet, and leaves the rest', async () => {
  const gate = await open({ tls: 'implicit' });
  const open1 = await dialTls(gate.port);
  await gate.handed(1);
  const silent = await dial(gate.port);
  const gone = heard(silent);
  // It is known to the server when another, later one has been let in.
  await dialTls(gate.port);
  await gate.handed(2);
  await gate.listener.close();
  await gone;
  expect(await refused(gate.port, '127.0.0.1')).toBe(true);
  gate.connections[0]?.socket.write('still here');
  const [octets] = await once(open1, 'data');
  expect(String(octets)).toBe('still here');
});
