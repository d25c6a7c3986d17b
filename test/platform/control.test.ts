// The control socket: requests of several verbs at once, what is said back, and what a stranger's octets do to it.

import { once } from 'node:events';
import { link, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ControlHandlers, connectControl, serveControl } from '../../src/platform/control.ts';
import { FrameError, frameReader, MAX_FRAME, toFrame } from '../../src/platform/frames.ts';

let folder = '';
let path = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-control-'));
  path = join(folder, 'data', 'postern.sock');
});
afterEach(() => rm(folder, { recursive: true }));

const handlers: ControlHandlers = {
  echo: (argument) => argument,
  late: (argument) => new Promise((resolve) => setTimeout(() => resolve(argument), Number(argument))),
  refuse: () => {
    throw Object.assign(new Error('not today'), { kind: 'busy' });
  },
  mistake: () => {
    throw new TypeError('undefined is not a function');
  },
  text: () => Promise.reject('just text'),
  huge: () => Buffer.alloc(MAX_FRAME + 1),
  function: () => () => undefined,
};

async function open(patience?: number) {
  const client = await connectControl(path, patience);
  if (client === null) throw new Error('nobody serves');
  return client;
}

it('answers each request by its id, whoever asks and in whatever order it is done', async () => {
  await using _ = await serveControl(path, handlers);
  await using one = await open();
  await using two = await open();
  const value = { map: new Map([[1, 'ä']]), octets: Buffer.from([0, 255]), big: 2n ** 70n, none: undefined };
  const answers = await Promise.all([
    one.request('late', 30),
    one.request('echo', value),
    two.request('late', 15),
    two.request('echo'),
  ]);
  expect(answers).toEqual([30, { ...value, octets: expect.anything() }, 15, undefined]);
  expect(Buffer.from((answers[1] as typeof value).octets)).toEqual(value.octets);
});

it('is for its owner alone', async () => {
  await using _ = await serveControl(path, handlers);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700);
});

it('hands on what a handler throws, with its kind', async () => {
  await using _ = await serveControl(path, handlers);
  await using client = await open();
  await expect(client.request('refuse')).rejects.toMatchObject({ kind: 'busy', message: 'not today' });
  await expect(client.request('mistake')).rejects.toMatchObject({ kind: 'TypeError' });
  await expect(client.request('text')).rejects.toMatchObject({ kind: 'failed' });
  for (const name of ['none', 'constructor', 'toString', '__proto__']) {
    await expect(client.request(name)).rejects.toMatchObject({ kind: 'unknown' });
  }
  // What cannot be sent is an error that can.
  await expect(client.request('huge')).rejects.toMatchObject({ kind: 'FrameError' });
  await expect(client.request('function')).rejects.toMatchObject({ kind: 'FrameError' });
  await expect(client.request('echo', () => undefined)).rejects.toThrow(FrameError);
  expect(await client.request('echo', 'still here')).toBe('still here');
});

it('is nobody where there is no socket, a dead one, or another file', async () => {
  expect(await connectControl(path)).toBeNull();
  await serveControl(path, handlers).then((control) => control[Symbol.asyncDispose]());
  expect(await connectControl(path)).toBeNull();
  // As kill -9 leaves it: bound once, nobody behind it.
  const server = createServer();
  const other = join(folder, 'data', 'other.sock');
  await once(server.listen(other), 'listening');
  await link(other, `${other}2`);
  server.close();
  await once(server, 'close');
  await rename(`${other}2`, path);
  expect((await stat(path)).isSocket()).toBe(true);
  expect(await connectControl(path)).toBeNull();
  {
    await using _ = await serveControl(path, handlers);
    await using client = await open();
    expect(await client.request('echo', 1)).toBe(1);
  }
  await writeFile(path, 'a file');
  expect(await connectControl(path)).toBeNull();
  expect(await connectControl(join(path, 'below'))).toBeNull();
});

it('a path that the system cannot bind is refused in words', async () => {
  const long = join(folder, 'x'.repeat(120), 'postern.sock');
  await expect(serveControl(long, handlers)).rejects.toThrow(long);
});

it('a server that does not answer is not waited for, and one that goes away is noticed', async () => {
  const silent = createServer();
  await serveControl(path, handlers).then((control) => control[Symbol.asyncDispose]());
  await once(silent.listen(path), 'listening');
  {
    await using client = await open(30);
    await expect(client.request('echo')).rejects.toMatchObject({ kind: 'timeout' });
  }
  silent.once('connection', (socket) => socket.once('data', () => socket.destroy()));
  await using client = await open();
  await expect(client.request('echo')).rejects.toMatchObject({ kind: 'closed' });
  await expect(client.request('echo')).rejects.toMatchObject({ kind: 'closed' });
  silent.close();
});

it('requests under way end when the server does', async () => {
  const control = await serveControl(path, handlers);
  await using client = await open();
  const waiting = expect(client.request('late', 60_000)).rejects.toMatchObject({ kind: 'closed' });
  await client.request('echo');
  await control[Symbol.asyncDispose]();
  await waiting;
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
});

const announced = (octets: number) => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(octets);
  return head;
};

it.each([
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a frame that is too long', announced(MAX_FRAME + 1)],
  ['an empty frame', announced(0)],
  ['no serialised value', Buffer.concat([announced(3), Buffer.from('abc')])],
  ['no request', toFrame('hello')],
  ['no name', toFrame({ id: 1, name: 7 })],
  ['null', toFrame(null)],
  [
    'too many at once',
    Buffer.concat(Array.from({ length: 65 }, (_, id) => toFrame({ id, name: 'late', argument: 50 }))),
  ],
])('%s ends that connection, and no other', async (_, octets) => {
  await using server = await serveControl(path, handlers);
  await using client = await open();
  const stranger = connect(path);
  stranger.write(octets);
  stranger.resume();
  await once(stranger, 'close');
  expect(await client.request('echo', 'here')).toBe('here');
  void server;
});

it('so many connections and no more', async () => {
  await using _ = await serveControl(path, handlers);
  const clients = await Promise.all(Array.from({ length: 32 }, () => open()));
  await Promise.all(clients.map((client) => client.request('echo')));
  const late = await open();
  await expect(late.request('echo')).rejects.toMatchObject({ kind: 'closed' });
  await Promise.all(clients.map((client) => client.close()));
});

it('a client that takes no answers is not asked for more, and gets them all in the end', async () => {
  let asked = 0;
  const answer = Buffer.alloc(1024 * 1024);
  await using _ = await serveControl(path, {
    large: () => {
      asked += 1;
      return answer;
    },
  });
  const lazy = connect(path);
  await once(lazy, 'connect');
  let got = 0;
  const complete = new Promise<void>((resolve) => {
    const take = frameReader(() => {
      got += 1;
      if (got === 60) resolve();
    });
    lazy.on('data', take);
  });
  lazy.pause();
  for (let id = 0; id < 60; id++) {
    lazy.write(toFrame({ id, name: 'large', argument: null }));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await using other = await open();
  await expect(other.request('none')).rejects.toMatchObject({ kind: 'unknown' });
  expect(asked).toBeLessThan(50);
  lazy.resume();
  await complete;
  expect(asked).toBe(60);
  lazy.destroy();
});

it('a frame may come octet by octet, or many in one piece', () => {
  const values = [{ a: 1 }, 'b', [3]];
  const octets = Buffer.concat(values.map(toFrame));
  for (const step of [1, 3, octets.length]) {
    const seen: unknown[] = [];
    const take = frameReader((value) => seen.push(value));
    for (let at = 0; at < octets.length; at += step) take(octets.subarray(at, at + step));
    expect(seen).toEqual(values);
  }
});
