// A deflated connection by itself: what goes in comes out, at the pace of whoever reads, with its end.

import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateRawSync } from 'node:zlib';
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
  const [left, right] = duplexPair();
  const deflated = new Deflated(left);
  right.write(deflateRawSync(Buffer.alloc(64 * MiB)));
  let most = 0;
  let octets = 0;
  deflated.on('readable', () => {});
  while (octets < 64 * MiB) {
    const part: Buffer | null = deflated.read();
    octets += part?.length ?? 0;
    // The threads that inflate have time to run ahead.
    await sleep(part === null || octets < MiB ? 1 : 0);
    most = Math.max(most, deflated.readableLength);
  }
  expect(most).toBeLessThan(MiB);
  deflated.destroy();
});
