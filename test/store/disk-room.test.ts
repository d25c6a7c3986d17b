// When mail is refused for want of room on the disk.

import type { statfsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DiskRoom } from '../../src/store/writer/disk-room.ts';

const MB = 1_000_000;

it.each([
  // of the disk, free on it, free inside mail.db
  [10_000, 200, 0, false],
  [10_000, 99, 0, true],
  [10_000, 99, 1, false],
  [10_000, 60, 30, true],
  [10_000, 26, 80, false],
  [10_000, 24, 5_000, true],
  // A small disk: the reserve is a quarter of it.
  [100, 30, 0, false],
  [100, 24, 0, true],
])('%d MB with %d free and %d inside: refused is %s', (disk, free, inside, refused) => {
  const warnings: string[] = [];
  // Only what is asked of it.
  const look = (() => ({ bsize: 1_000, blocks: disk * 1_000, bavail: free * 1_000 })) as unknown as typeof statfsSync;
  const room = new DiskRoom(
    '/data/mail.db',
    100 * MB,
    () => inside * MB,
    (text) => warnings.push(text),
    look,
  );
  expect([room.low(), room.low()]).toEqual([refused, refused]);
  expect(room.spare()).toBe((free - Math.min(100, disk / 4)) * MB);
  // Said once.
  expect(warnings).toHaveLength(refused ? 1 : 0);
});

it('leaves a disk that cannot be asked to whoever writes', () => {
  const look = (() => {
    throw new Error('on purpose');
  }) as typeof statfsSync; // its other forms are not used
  const room = new DiskRoom(
    '/data/mail.db',
    MB,
    () => 0,
    () => {},
    look,
  );
  expect(room.low()).toBe(false);
  expect(room.spare()).toBe(0);
});
