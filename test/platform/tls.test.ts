// The two floors as real handshakes: what an old sender gets on port 25, what every other port refuses, and how a handshake
// that comes to nothing ends.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  channelBinding,
  type TlsFacts,
  TlsFailure,
  type TlsFloor,
  type TlsKeeper,
  tlsFacts,
  upgrade,
} from '../../src/platform/tls.ts';
import { testKeeper } from '../smtp/listener/gate.ts';

let server: Server;
const sockets = new Set<Socket>();

beforeEach(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
  await once(server, 'close');
});

function port(): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

/** The server's end of the next connection, upgraded. */
async function accept(floor: TlsFloor, timeoutMs = 10_000, kept?: TlsKeeper): Promise<TLSSocket> {
  const connection = once(server, 'connection');
  const keeper = kept ?? (await testKeeper());
  const [socket] = (await connection) as [Socket]; // as net.Server emits it
  return await upgrade(socket, keeper, floor, timeoutMs);
}

interface Handshake {
  readonly facts: TlsFacts | null;
  readonly failure: TlsFailure | null;
  /** The kind of key that the client was shown. */
  readonly key: 'EC' | 'RSA' | null;
}

async function handshake(floor: TlsFloor, options: ConnectionOptions): Promise<Handshake> {
  const accepted = accept(floor).then(
    (socket) => ({ facts: tlsFacts(socket), failure: null }),
    (error: unknown) => {
      if (error instanceof TlsFailure) return { facts: null, failure: error };
      throw error;
    },
  );
  const client = connectTls({ host: '127.0.0.1', port: port(), rejectUnauthorized: false, ...options });
  const key = await new Promise<Handshake['key']>((resolve) => {
    client.once('secureConnect', () => resolve(client.getPeerCertificate().asn1Curve === undefined ? 'RSA' : 'EC'));
    client.on('error', () => resolve(null));
  });
  const result = { ...(await accepted), key };
  client.destroy();
  return result;
}

const old = (version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2', ciphers = 'DEFAULT'): ConnectionOptions => ({
  minVersion: version,
  maxVersion: version,
  ciphers: `${ciphers}:@SECLEVEL=0`,
});

it.each<readonly [string, TlsFloor, ConnectionOptions, Partial<TlsFacts>, 'EC' | 'RSA']>([
  ['a client of today', 'lenient', {}, { protocol: 'TLSv1.3', bits: 256 }, 'EC'],
  ['a client of today', 'strict', {}, { protocol: 'TLSv1.3', bits: 256 }, 'EC'],
  ['TLS 1.0 with RSA key exchange', 'lenient', old('TLSv1', 'AES128-SHA'), { protocol: 'TLSv1', bits: 128 }, 'RSA'],
  ['TLS 1.0 with ECDHE', 'lenient', old('TLSv1', 'ECDHE-ECDSA-AES256-SHA'), { protocol: 'TLSv1', bits: 256 }, 'EC'],
  ['TLS 1.1', 'lenient', old('TLSv1.1'), { protocol: 'TLSv1.1' }, 'EC'],
  ['TLS 1.2 with CBC', 'lenient', old('TLSv1.2', 'AES256-SHA'), { protocol: 'TLSv1.2', bits: 256 }, 'RSA'],
  ['TLS 1.2', 'strict', old('TLSv1.2'), { protocol: 'TLSv1.2', bits: 256 }, 'EC'],
  ['TLS 1.2 without ECDSA', 'strict', old('TLSv1.2', 'ECDHE-RSA-AES128-GCM-SHA256'), { bits: 128 }, 'RSA'],
  ['ChaCha20', 'strict', { ciphers: 'TLS_CHACHA20_POLY1305_SHA256' }, { bits: 256 }, 'EC'],
  ['TLS 1.3 without ECDSA', 'strict', { sigalgs: 'RSA-PSS+SHA256' }, { protocol: 'TLSv1.3' }, 'RSA'],
])('%s on the %s floor', async (_, floor, options, facts, key) => {
  const result = await handshake(floor, options);
  expect(result.failure).toBeNull();
  expect(result.facts).toMatchObject(facts);
  expect(result.key).toBe(key);
});

it.each<readonly [string, TlsFloor, ConnectionOptions]>([
  ['TLS 1.0', 'strict', old('TLSv1')],
  ['TLS 1.1', 'strict', old('TLSv1.1')],
  ['TLS 1.2 with CBC', 'strict', old('TLSv1.2', 'AES128-SHA')],
  ['TLS 1.2 with RSA key exchange', 'strict', old('TLSv1.2', 'AES128-GCM-SHA256')],
  ['no certificate', 'lenient', old('TLSv1.2', 'aNULL')],
  ['no encryption', 'lenient', old('TLSv1.2', 'eNULL')],
])('%s is refused on the %s floor, and the log can say why', async (_, floor, options) => {
  const { failure, key } = await handshake(floor, options);
  expect(key).toBeNull();
  expect(failure?.code).toMatch(/^ERR_SSL_/);
  expect(failure?.message).not.toContain(failure?.code);
});

/** Both ends of a connection. */
async function ends(
  keeper: TlsKeeper,
  options: ConnectionOptions,
): Promise<readonly [server: TLSSocket, client: TLSSocket]> {
  const accepted = accept('strict', 10_000, keeper);
  const client = connectTls({ host: '127.0.0.1', port: port(), rejectUnauthorized: false, ...options });
  client.on('error', () => undefined);
  const [secured] = await Promise.all([accepted, once(client, 'secureConnect')]);
  return [secured, client];
}

it('each version of TLS has its bindings, and a session that is resumed in TLS 1.2 has none (RFC 7677 §4)', async () => {
  const made = await testKeeper();
  // Its tickets are good for as long as the context is one.
  const context = made.context('strict');
  const keeper: TlsKeeper = { ...made, context: () => context };
  const [modern, today] = await ends(keeper, {});
  expect(channelBinding(modern, 'tls-exporter')).toEqual(channelBinding(today, 'tls-exporter'));
  expect(channelBinding(modern, 'tls-exporter')).toHaveLength(32);
  expect(channelBinding(modern, 'tls-unique')).toBeNull();
  expect(channelBinding(modern, 'tls-server-end-point')).toHaveLength(32);
  today.destroy();

  const [older, yesterday] = await ends(keeper, old('TLSv1.2'));
  expect(channelBinding(older, 'tls-exporter')).toBeNull();
  expect(channelBinding(older, 'tls-unique')).toEqual(yesterday.getFinished());
  expect(channelBinding(older, 'tls-unique')).toHaveLength(12);
  expect(channelBinding(older, 'tls-server-end-point')).toHaveLength(32);
  const session = yesterday.getSession();
  yesterday.destroy();

  const [resumed, again] = await ends(keeper, { ...old('TLSv1.2'), ...(session ? { session } : {}) });
  expect(again.isSessionReused()).toBe(true);
  for (const name of ['tls-exporter', 'tls-unique', 'tls-server-end-point'] as const)
    expect(channelBinding(resumed, name), name).toBeNull();
  again.destroy();
});

it('what the client sends before its handshake is answered is not lost', async () => {
  const accepted = accept('strict');
  const client = connectTls({ host: '127.0.0.1', port: port(), rejectUnauthorized: false });
  client.write('hello');
  const socket = await accepted;
  const [octets] = await once(socket, 'data');
  expect(String(octets)).toBe('hello');
  client.destroy();
});

it('octets that were read already belong to the handshake', async () => {
  const keeper = await testKeeper();
  const connection = once(server, 'connection');
  const client = connectTls({ host: '127.0.0.1', port: port(), rejectUnauthorized: false });
  const [socket] = (await connection) as [Socket]; // as net.Server emits it
  await once(socket, 'readable');
  const head: Buffer = socket.read();
  expect(head[0]).toBe(0x16);
  const [secured] = await Promise.all([upgrade(socket, keeper, 'strict', 10_000, head), once(client, 'secureConnect')]);
  expect(secured.getProtocol()).toBe('TLSv1.3');
  client.destroy();
});

/** How an upgrade ends whose client is a plain socket. */
async function failing(act: (client: Socket) => void, timeoutMs?: number): Promise<string> {
  const accepted = accept('strict', timeoutMs).then(
    () => 'secured',
    (error: TlsFailure) => error.code,
  );
  const client = connect(port(), '127.0.0.1');
  client.on('error', () => undefined);
  await once(client, 'connect');
  act(client);
  const code = await accepted;
  // The server's end is gone, whatever the client does.
  client.resume();
  if (!client.destroyed) await once(client, 'close');
  return code;
}

/** The beginning of a real ClientHello. */
async function halfHello(): Promise<Buffer> {
  const listening = createServer();
  await once(listening.listen(0, '127.0.0.1'), 'listening');
  const address = listening.address();
  const connection = once(listening, 'connection');
  const client = connectTls({ port: typeof address === 'object' && address ? address.port : 0, host: '127.0.0.1' });
  client.on('error', () => undefined);
  const [socket] = (await connection) as [Socket]; // as net.Server emits it
  const [octets] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  listening.close();
  return (octets as Buffer).subarray(0, 100); // no encoding was set
}

it('a client that says nothing, or half of it, has its time', async () => {
  expect(await failing(() => undefined, 30)).toBe('timeout');
  const half = await halfHello();
  expect(await failing((client) => client.write(half), 60)).toBe('timeout');
});

it('a client that goes away, by the door or through the window, is no error of ours', async () => {
  const half = await halfHello();
  expect(await failing((client) => client.destroy())).not.toBe('secured');
  expect(await failing((client) => client.resetAndDestroy())).not.toBe('secured');
  expect(await failing((client) => client.write(half, () => client.resetAndDestroy()))).not.toBe('secured');
  expect(await failing((client) => client.end(half))).not.toBe('secured');
});

it('what is no TLS ends at once', async () => {
  expect(await failing((client) => client.write('EHLO mail.example.test\r\n'))).toMatch(/^ERR_SSL_/);
  expect(await failing((client) => client.write('GET / HTTP/1.1\r\n\r\n'))).toMatch(/^ERR_SSL_/);
  expect(await failing((client) => client.write(Buffer.alloc(4096, 0x16)))).toMatch(/^ERR_SSL_/);
});

it('a socket that is gone already is said to be closed', async () => {
  const connection = once(server, 'connection');
  const client = connect(port(), '127.0.0.1');
  const [socket] = (await connection) as [Socket]; // as net.Server emits it
  socket.destroy();
  await expect(upgrade(socket, await testKeeper(), 'strict', 1_000)).rejects.toMatchObject({ code: 'closed' });
  client.destroy();
});

it('a reset after the handshake reaches whoever has the socket then', async () => {
  const accepted = accept('strict');
  const plain = connect(port(), '127.0.0.1');
  const client = connectTls({ socket: plain, rejectUnauthorized: false });
  client.on('error', () => undefined);
  const [socket] = await Promise.all([accepted, once(client, 'secureConnect')]);
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  socket.resume();
  plain.resetAndDestroy();
  await closed;
});
