// A deflated connection by itself: what goes in comes out, at the pace of whoever reads, with its end.

import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { constants, createDeflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Deflated } from '../../src/platform/deflated.ts';

const MiB = 1_048_576;

async function read(stream: Duplex): Promise<Buffer> {
  const parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => parts.push(part));
  await once(stream, 'end');
  return Buffer.concat(parts);
}

test('two ends understand each other, up to the end of what was said', async () => {
  const [left, right] = duplexPair();
  const one = new Deflated(left);
  const other = new Deflated(right);
  const text = Buffer.alloc(3 * MiB, 'All work and no play makes Jack a dull boy. ');
  one.write(text.subarray(0, 10));
  one.end(text.subarray(10));
  other.end('answer');
  const [there, here] = await Promise.all([read(other), read(one)]);
  expect(there.equals(text)).toBe(true);
  expect(here.toString()).toBe('answer');
});

test('little that becomes much is inflated only as fast as it is read', async () => {
  const much = deflateRawSync(Buffer.alloc(64 * MiB));
  const begin = () => {
    const [left, right] = duplexPair();
    right.write(much);
    return new Deflated(left).on('readable', () => {});
  };
  const [unread, beside] = [begin(), begin()];
  /** Takes all there is. @returns the most that waited at a time */
  const take = async (deflated: Deflated) => {
    let [octets, most] = [0, 0];
    while (octets < 64 * MiB) {
      most = Math.max(most, deflated.readableLength);
      octets += deflated.read()?.length ?? 0;
      await turn();
    }
    deflated.destroy();
    return most;
  };
  await take(beside);
  // As much as came there could have come here, and nobody has read it.
  expect(unread.readableLength).toBeGreaterThan(0);
  expect(unread.readableLength).toBeLessThan(MiB);
  expect(await take(unread)).toBeLessThan(MiB);
});

test.each([
  ['ends its stream and goes on at once', true],
  ['only stops', false],
])('is let go of by a peer who %s', async (_, atOnce) => {
  const [left, right] = duplexPair();
  const deflated = new Deflated(left);
  const deflate = createDeflateRaw();
  const stream: Buffer[] = [];
  deflate.on('data', (part: Buffer) => stream.push(part));
  deflate.write('enough');
  if (atOnce) {
    deflate.end();
    await once(deflate, 'end');
    right.write(Buffer.concat([...stream, Buffer.from('plain')]));
  } else {
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
    right.write(Buffer.concat(stream));
  }
  const [said] = await once(deflated, 'data');
  expect(said.toString()).toBe('enough');
  deflated.pause();
  deflated.write('so be it');
  const heard: Buffer[] = [];
  right.on('data', (part: Buffer) => heard.push(part));
  const socket = await deflated.release();
  const flushed = { finishFlush: constants.Z_SYNC_FLUSH };
  expect(inflateRawSync(Buffer.concat(heard), flushed).toString()).toBe('so be it');
  if (!atOnce) right.write('plain');
  socket.setEncoding('latin1').resume();
  expect((await once(socket, 'data'))[0]).toBe('plain');
  heard.length = 0;
  await new Promise((resolve) => socket.write('also plain', resolve));
  expect(Buffer.concat(heard).toString()).toBe('also plain');
});

test('the end of the stream is not the end of the connection, which is told when it comes', async () => {
  const [left, right] = duplexPair();
  const deflated = new Deflated(left);
  right.write(Buffer.concat([deflateRawSync('enough'), Buffer.from('plain')]));
  const whole = read(deflated);
  await once(deflated, 'data');
  right.end();
  expect((await whole).toString()).toBe('enough');
});
